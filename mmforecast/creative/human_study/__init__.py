"""A study of what people think of images: sheets that hide where images are from, and their evaluation."""

from .answers import Answer, read_answers, read_key, read_metrics
from .assignment import Item, assign, draw_items
from .export import export_study
from .figure import liking_by_metric, liking_figure
from .questions import QUESTIONS, Question
from .summary import bootstrap_interval, correlations, summarize

__all__ = [
    'Answer',
    'Item',
    'QUESTIONS',
    'Question',
    'assign',
    'bootstrap_interval',
    'correlations',
    'draw_items',
    'export_study',
    'liking_by_metric',
    'liking_figure',
    'read_answers',
    'read_key',
    'read_metrics',
    'summarize',
]
