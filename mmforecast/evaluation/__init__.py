from .metrics import (
    CityscapesInstanceMetric,
    ClipDetectionMetric,
    DumpForecastResults,
    FramePredictionMetric,
    FutureSemSegMetric,
    TrackingMetric,
)
from .table import format_table

__all__ = [
    'CityscapesInstanceMetric',
    'ClipDetectionMetric',
    'DumpForecastResults',
    'FramePredictionMetric',
    'FutureSemSegMetric',
    'TrackingMetric',
    'format_table',
]
