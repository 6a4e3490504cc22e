from .gd_loss import GDLoss, gradient_difference_loss
from .object_l1 import ObjectL1Loss, object_l1_loss
from .score_cross_entropy import ScoreCrossEntropyLoss, score_cross_entropy

__all__ = [
    'GDLoss',
    'ObjectL1Loss',
    'ScoreCrossEntropyLoss',
    'gradient_difference_loss',
    'object_l1_loss',
    'score_cross_entropy',
]
