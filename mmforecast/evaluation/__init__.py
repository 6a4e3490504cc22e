from .metrics import AttributeAccuracy, CityscapesInstanceMetric, FutureSemSegMetric, TrackingMetric
from .table import format_table

__all__ = [
    'AttributeAccuracy',
    'CityscapesInstanceMetric',
from .metrics import (
    CityscapesInstanceMetric,
    FramePredictionMetric,
    FutureSemSegMetric,
    TrackingMetric,
)
    'FramePredictionMetric',
    'FutureSemSegMetric',
    'TrackingMetric',
    'format_table',
]
