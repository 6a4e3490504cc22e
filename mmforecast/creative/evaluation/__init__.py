"""Metrics of generated images."""

from .attribute_accuracy import AttributeAccuracy
from .attribute_scores import am_score, attribute_score, confusion, required_accuracy
from .calibration import DegradationCurve
from .degradations import (
    DEGRADATIONS,
    add_noise,
    blur,
    halves_of_two_classes,
    mixed_with,
    shuffle_patches,
)
from .feature_distances import frechet_distance, kernel_distance, require_torchmetrics
from .image_statistics import STATISTICS, image_statistics, luminance
from .kernel_distance_metric import KernelDistanceMetric
from .manifold import Manifold
from .nearest_images import copied_share, nearest
from .realism import RealismScale
from .reference_check import ReferenceCheck, check_reference

__all__ = [
    'AttributeAccuracy',
    'DEGRADATIONS',
    'DegradationCurve',
    'KernelDistanceMetric',
    'Manifold',
    'RealismScale',
    'ReferenceCheck',
    'STATISTICS',
    'add_noise',
    'am_score',
    'attribute_score',
    'blur',
    'check_reference',
    'confusion',
    'copied_share',
    'frechet_distance',
    'halves_of_two_classes',
    'image_statistics',
    'kernel_distance',
    'luminance',
    'mixed_with',
    'nearest',
    'require_torchmetrics',
    'required_accuracy',
    'shuffle_patches',
]
