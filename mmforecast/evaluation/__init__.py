from mmforecast.utils.moved_names import forward_moved_names

from .metrics import (
    CityscapesInstanceMetric,
    ClipDetectionMetric,
    DetectionAgreementMetric,
    DumpForecastResults,
    FramePredictionMetric,
    FutureSemSegMetric,
    PanopticMetric,
    TrackingMetric,
)
from .table import format_table

__all__ = [
    'CityscapesInstanceMetric',
    'ClipDetectionMetric',
    'DetectionAgreementMetric',
    'DumpForecastResults',
    'FramePredictionMetric',
    'FutureSemSegMetric',
    'PanopticMetric',
    'TrackingMetric',
    'format_table',
]

forward_moved_names(
    __name__,
    creative__evaluation='AttributeAccuracy',
)
