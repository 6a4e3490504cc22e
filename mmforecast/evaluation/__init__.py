from .metrics import AttributeAccuracy, CityscapesInstanceMetric, FutureSemSegMetric, TrackingMetric
from .table import format_table

__all__ = [
    'AttributeAccuracy',
    'CityscapesInstanceMetric',
    'FutureSemSegMetric',
    'TrackingMetric',
    'format_table',
]
