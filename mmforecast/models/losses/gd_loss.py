"""Gradient difference loss: a penalty on predictions whose edges differ from those of the truth.

Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", ICLR 2016,
section 3.2: sum over pixels of ``||Y[i,j] - Y[i-1,j]| - |P[i,j] - P[i-1,j]||^alpha`` plus the same
along columns.
"""

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_choice, check_positive

_REDUCTIONS = ('mean', 'sum', 'none')


def gradient_difference_loss(pred: Tensor, target: Tensor, alpha: int = 1, reduction: str = 'mean') -> Tensor:
    """Difference between the absolute image gradients of two maps.

    Args:
        pred, target: (..., H, W), same shape, H and W at least 2, any number of channels.
        alpha: exponent, an integer >= 1.
        reduction: 'mean' averages vertical and horizontal terms separately, over all the neighbor
            pairs of that direction, and adds the two; 'sum' adds every term; 'none' gives the map
            (..., H, W), where a pixel carries its pairs with the pixels above it and left of it.

    Returns:
        A scalar, or the map for 'none'.
    """
    if pred.shape != target.shape:
        raise ValueError(
            f'GDL: prediction {tuple(pred.shape)} and target {tuple(target.shape)} must have the same shape'
        )
    if pred.ndim < 2 or min(pred.shape[-2:]) < 2:
        raise ValueError(f'GDL needs maps of at least 2x2 pixels, got {tuple(pred.shape)}')
    # diff along dim -2 pairs row i with row i-1, and dim -1 column j with column j-1: the same
    # pairing on both maps, also for non-square inputs.
    rows, cols = ((pred.diff(dim=d).abs() - target.diff(dim=d).abs()).abs() for d in (-2, -1))
    if alpha != 1:
        rows, cols = rows**alpha, cols**alpha
    if reduction == 'mean':
        return rows.mean() + cols.mean()
    if reduction == 'sum':
        return rows.sum() + cols.sum()
    return F.pad(rows, (0, 0, 1, 0)) + F.pad(cols, (1, 0, 0, 0))


@MODELS.register_module()
class GDLoss(nn.Module):
    """Module form of :func:`gradient_difference_loss`.

    Args:
        alpha: exponent, an integer >= 1.
        reduction: 'mean', 'sum' or 'none'.
        loss_weight: Factor on the result.
    """

    def __init__(self, alpha: int = 1, reduction: str = 'mean', loss_weight: float = 1.0):
        super().__init__()
        check_positive('GDLoss', alpha=alpha)
        check_choice('GDLoss', _REDUCTIONS, reduction=reduction)
        self.alpha = alpha
        self.reduction = reduction
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        return self.loss_weight * gradient_difference_loss(pred, target, self.alpha, self.reduction)
