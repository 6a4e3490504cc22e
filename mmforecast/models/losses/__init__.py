from .gan_loss import GANLoss, gradient_penalty, penalty_loss, r1_penalty
from .gd_loss import GDLoss, gradient_difference_loss
from .object_l1 import ObjectL1Loss, object_l1_loss
from .score_cross_entropy import ScoreCrossEntropyLoss, score_cross_entropy

__all__ = [
    'GANLoss',
    'GDLoss',
    'ObjectL1Loss',
    'ScoreCrossEntropyLoss',
    'gradient_difference_loss',
    'gradient_penalty',
    'object_l1_loss',
    'penalty_loss',
    'r1_penalty',
    'score_cross_entropy',
]
