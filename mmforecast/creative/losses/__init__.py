"""Creativity losses and the auxiliary losses of GANs."""

from .attribute_classification import AttributeClassificationLoss, attribute_cross_entropy
from .attribute_mix import AttributeMixLoss
from .auxiliary import AuxiliaryLoss
from .creativity_loss import CreativityLoss, ramp_weight
from .deviation import can_loss, holistic_loss, normalized_entropy, sharma_mittal
from .mask_reconstruction import MaskReconstructionLoss, mask_reconstruction_loss

__all__ = [
    'AttributeClassificationLoss',
    'AttributeMixLoss',
    'AuxiliaryLoss',
    'CreativityLoss',
    'MaskReconstructionLoss',
    'attribute_cross_entropy',
    'can_loss',
    'holistic_loss',
    'mask_reconstruction_loss',
    'normalized_entropy',
    'ramp_weight',
    'sharma_mittal',
]
