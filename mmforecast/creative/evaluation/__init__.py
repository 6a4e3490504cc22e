"""Metrics of generated images."""

from .attribute_accuracy import AttributeAccuracy
from .attribute_scores import am_score, attribute_score, confusion, required_accuracy
from .feature_distances import frechet_distance, kernel_distance, require_torchmetrics
from .image_statistics import STATISTICS, image_statistics, luminance
from .nearest_images import copied_share, nearest

__all__ = [
    'AttributeAccuracy',
    'STATISTICS',
    'am_score',
    'attribute_score',
    'confusion',
    'copied_share',
    'frechet_distance',
    'image_statistics',
    'kernel_distance',
    'luminance',
    'nearest',
    'require_torchmetrics',
    'required_accuracy',
]
