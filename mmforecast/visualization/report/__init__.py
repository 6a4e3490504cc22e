"""Reports as one HTML page."""

from .charts import Series, line_chart
from .clips import ClipView, Panel, clip_view
from .page import (
    Chart,
    ConfigView,
    Group,
    Metric,
    Page,
    Row,
    SectionView,
    Table,
    TableCell,
    render_page,
    write_page,
)

__all__ = [
    'Chart',
    'ClipView',
    'ConfigView',
    'Group',
    'Metric',
    'Page',
    'Panel',
    'Row',
    'SectionView',
    'Series',
    'Table',
    'TableCell',
    'clip_view',
    'line_chart',
    'render_page',
    'write_page',
]
