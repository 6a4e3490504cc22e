"""The endpoint error of a forecast motion field, measured where the observed pixels arrive."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_above, check_at_least
from mmforecast.utils.flow import resize_flow


def endpoint_error(field: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
    """How far a backward field misses the pixels that it should lead back to.

    A pixel ``p`` that moves by ``m`` arrives at ``p + m``. There a right field says ``-m``.

    Args:
        field: (B, 2, h, w) backward field of the future frame, in its own pixels.
        motion: (B, 2, H, W) true motion ``m`` from the newest observed frame in pixels; NaN where unknown.

    Returns:
        (B, H, W) error in pixels of the motion, 0 where unknown, and (B, H, W) bool, where it is known: the
        motion is, and it ends in the frame.
    """
    height, width = motion.shape[-2:]
    field = resize_flow(field, (height, width))
    x = torch.arange(width, device=motion.device, dtype=motion.dtype) + motion[:, 0]
    y = torch.arange(height, device=motion.device, dtype=motion.dtype)[:, None] + motion[:, 1]
    known = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)  # False for NaN
    motion = torch.where(known[:, None], motion, 0)
    place = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    place = torch.where(known[..., None], place, 0)
    there = F.grid_sample(field, place, mode='bilinear', padding_mode='border', align_corners=True)
    # the root has no gradient at 0
    error = ((there + motion).square().sum(dim=1) + 1e-12).sqrt()
    return torch.where(known, error, 0), known


@MODELS.register_module()
class EndpointLoss(nn.Module):
    """Mean of a robust, relative :func:`endpoint_error` over the known pixels, times ``loss_weight``.

    ``sqrt(error^2 + softness^2) / (1 + relative * |m|)``: near 0 it is quadratic, and a pixel that moves far
    counts less per pixel of error.

    Args:
        softness: In pixels, above 0.
        relative: Per pixel of motion, at least 0.
        loss_weight: Factor on the loss.
    """

    def __init__(self, softness: float = 0.1, relative: float = 0.1, loss_weight: float = 1.0):
        super().__init__()
        check_above('EndpointLoss', 0, softness=softness)
        check_at_least('EndpointLoss', 0, relative=relative)
        self.softness = softness
        self.relative = relative
        self.loss_weight = loss_weight

    def forward(self, field: Tensor, motion: Tensor) -> Tensor:
        """The loss of a field (B, 2, h, w) and true motion (B, 2, H, W); 0 where nothing is known."""
        error, known = endpoint_error(field, motion)
        length = torch.nan_to_num(motion).norm(dim=1)
        robust = (error.square() + self.softness**2).sqrt() / (1 + self.relative * length)
        return self.loss_weight * (robust * known).sum() / known.sum().clamp(min=1)
