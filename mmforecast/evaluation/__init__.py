from .metrics import CityscapesInstanceMetric, FutureSemSegMetric, TrackingMetric
from .table import format_table

__all__ = ['CityscapesInstanceMetric', 'FutureSemSegMetric', 'TrackingMetric', 'format_table']
