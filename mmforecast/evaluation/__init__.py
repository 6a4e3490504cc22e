from .metrics import (
    CityscapesInstanceMetric,
    ClipDetectionMetric,
    FramePredictionMetric,
    FutureSemSegMetric,
    TrackingMetric,
)
from .table import format_table

__all__ = [
    'CityscapesInstanceMetric',
    'ClipDetectionMetric',
    'FramePredictionMetric',
    'FutureSemSegMetric',
    'TrackingMetric',
    'format_table',
]
