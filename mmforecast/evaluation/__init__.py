from .metrics import (
    AttributeAccuracy,
    CityscapesInstanceMetric,
    ClipDetectionMetric,
    FramePredictionMetric,
    FutureSemSegMetric,
    TrackingMetric,
)
from .table import format_table

__all__ = [
    'AttributeAccuracy',
    'CityscapesInstanceMetric',
    'ClipDetectionMetric',
    'FramePredictionMetric',
    'FutureSemSegMetric',
    'TrackingMetric',
    'format_table',
]
