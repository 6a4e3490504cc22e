from .metrics import CityscapesInstanceMetric, FutureSemSegMetric
from .table import format_table

__all__ = ['CityscapesInstanceMetric', 'FutureSemSegMetric', 'format_table']
