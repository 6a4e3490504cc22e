"""L1 loss that counts the pixels of objects more than the rest."""

import torch.nn as nn
from torch import Tensor

from mmforecast.registry import MODELS
from mmforecast.structures import THING_LABEL_IDS
from mmforecast.utils.checks import check_at_least


def object_l1_loss(pred: Tensor, target: Tensor, object_weight: float = 4.0, ground: float = -1.0) -> Tensor:
    """Mean over all values of ``w |pred - target|``, ``w = 1 + object_weight`` on pixels of moving objects.

    A pixel is one where any of the last eight channels of the target, those of the moving classes in distance
    maps, is above ``ground``; it counts more in all channels. Objects cover few pixels of a street, and D2D's
    weighting isn't known; this one is ours.

    Args:
        pred, target: (N, C, H, W), C at least 8.
        ground: What the maps hold outside their classes.
    """
    if pred.shape != target.shape or pred.shape[1] < len(THING_LABEL_IDS):
        raise ValueError(
            f'object_l1_loss: prediction {tuple(pred.shape)} and target {tuple(target.shape)} must have '
            f'the same shape, with at least {len(THING_LABEL_IDS)} channels'
        )
    objects = (target[:, -len(THING_LABEL_IDS) :] > ground).any(dim=1, keepdim=True)
    return ((pred - target).abs() * (1 + object_weight * objects)).mean()


@MODELS.register_module()
class ObjectL1Loss(nn.Module):
    """Module form of :func:`object_l1_loss`, times ``loss_weight``."""

    def __init__(self, object_weight: float = 4.0, ground: float = -1.0, loss_weight: float = 1.0):
        super().__init__()
        check_at_least('ObjectL1Loss', 0, object_weight=object_weight)
        self.object_weight = object_weight
        self.ground = ground
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        return self.loss_weight * object_l1_loss(pred, target, self.object_weight, self.ground)
