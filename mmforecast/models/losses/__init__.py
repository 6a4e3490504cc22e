from .attribute_classification import AttributeClassificationLoss, attribute_cross_entropy
from .auxiliary import AuxiliaryLoss
from .creativity_loss import CreativityLoss, ramp_weight
from .deviation import can_loss, holistic_loss, normalised_entropy, sharma_mittal
from .gan_loss import GANLoss, gradient_penalty, penalty_loss, r1_penalty
from .gd_loss import GDLoss, gradient_difference_loss
from .mask_reconstruction import MaskReconstructionLoss, mask_reconstruction_loss
from .object_l1 import ObjectL1Loss, object_l1_loss
from .score_cross_entropy import ScoreCrossEntropyLoss, score_cross_entropy

__all__ = [
    'AttributeClassificationLoss',
    'AuxiliaryLoss',
    'CreativityLoss',
    'GANLoss',
    'GDLoss',
    'MaskReconstructionLoss',
    'ObjectL1Loss',
    'ScoreCrossEntropyLoss',
    'attribute_cross_entropy',
    'can_loss',
    'gradient_difference_loss',
    'gradient_penalty',
    'holistic_loss',
    'mask_reconstruction_loss',
    'normalised_entropy',
    'object_l1_loss',
    'penalty_loss',
    'r1_penalty',
    'ramp_weight',
    'score_cross_entropy',
    'sharma_mittal',
]
