from .metrics import FutureSemSegMetric
from .table import format_table

__all__ = ['FutureSemSegMetric', 'format_table']
