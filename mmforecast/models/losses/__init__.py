from mmforecast.utils.moved_names import forward_moved_names

from .endpoint_loss import EndpointLoss, endpoint_error
from .gan_loss import GANLoss, gradient_penalty, penalty_loss, r1_penalty
from .gd_loss import GDLoss, gradient_difference_loss
from .object_l1 import ObjectL1Loss, object_l1_loss
from .score_cross_entropy import ScoreCrossEntropyLoss, score_cross_entropy

__all__ = [
    'EndpointLoss',
    'GANLoss',
    'GDLoss',
    'ObjectL1Loss',
    'ScoreCrossEntropyLoss',
    'endpoint_error',
    'gradient_difference_loss',
    'gradient_penalty',
    'object_l1_loss',
    'penalty_loss',
    'r1_penalty',
    'score_cross_entropy',
]

forward_moved_names(
    __name__,
    creative__losses=(
        'AttributeClassificationLoss AuxiliaryLoss CreativityLoss MaskReconstructionLoss '
        'attribute_cross_entropy can_loss holistic_loss mask_reconstruction_loss '
        'normalised_entropy=normalized_entropy ramp_weight sharma_mittal '
    ),
)
