"""The network of F2MF: past maps are moved to the future, and the rest is regressed."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import constant_init
from torch import Tensor

from mmforecast.models.utils import backward_warp, forward_warp
from mmforecast.models.utils.cost_volume import cost_volume
from mmforecast.utils.checks import check_choice, check_not_empty, check_positive

from .copy_start import INITS
from .deformable import deformable_unit, reset_offsets

VARIANTS = ('F2MF', 'F2M', 'F2F')
DIRECTIONS = ('backward', 'forward')
OUTSIDE = ('zeros', 'border')
# The newest map's logit where the network starts as copy-last: it has 97 % of the weight of T = 4 and F2F.
_COPY_LOGIT = 5.0


class F2MFOutput(NamedTuple):
    """What the network makes of a window of T maps; None where the variant has no such part.

    Attributes:
        forecast: (B, C, h, w), of the variant.
        motion: (B, C, h, w), F2M: the blended warps.
        regression: (B, C, h, w), F2F.
        weights: (B, T + 1, h, w), of the regression and of the warps, oldest first; they sum to 1. Those of
            F2M lack the first.
        flows: (B, T, 2, h, w), (dx, dy) in cells of the map, of each past map, oldest first.
    """

    forecast: Tensor
    motion: Tensor | None = None
    regression: Tensor | None = None
    weights: Tensor | None = None
    flows: Tensor | None = None


class F2MFNetwork(nn.Module):
    """F2MF on one level; 4,742,749 parameters for 128 channels and 4 maps.

    Args:
        channels: C of the maps.
        num_past: T maps in.
        others: See ``F2MFPredictor``.
    """

    def __init__(
        self,
        channels: int,
        num_past: int,
        variant: str = 'F2MF',
        correlation: bool = True,
        radius: int = 4,
        spacing: int = 1,
        embedding: int = 128,
        embedding_norm: bool = True,
        shared_widths: Sequence[int] = (256,) * 6,
        direction: str = 'backward',
        outside: str = 'zeros',
        deformable: bool = True,
        init: str | None = None,
    ):
        super().__init__()
        owner = 'F2MFPredictor'
        check_choice(owner, VARIANTS, variant=variant)
        check_choice(owner, DIRECTIONS, direction=direction)
        check_choice(owner, OUTSIDE, outside=outside)
        check_choice(owner, INITS, init=init)
        check_positive(owner, radius=radius, spacing=spacing, embedding=embedding)
        check_not_empty(owner, shared_widths=shared_widths)
        self.num_past, self.init = num_past, init
        self.radius, self.spacing = radius, spacing
        self.direction, self.outside = direction, outside
        self.embedding = _embedding(channels, embedding, embedding_norm) if correlation else None
        self.fusion = deformable_unit(num_past * channels, channels, 1, deformable)
        costs = (num_past - 1) * (2 * radius + 1) ** 2 if correlation else 0
        widths = [channels + costs, *shared_widths]
        self.shared = nn.Sequential(
            *(deformable_unit(a, b, 3, deformable) for a, b in zip(widths[:-1], widths[1:]))
        )
        moves, regresses = 'M' in variant, variant != 'F2M'
        last = widths[-1]
        self.motion = deformable_unit(last, 2 * num_past, 3, deformable) if moves else None
        self.regression = deformable_unit(last, channels, 3, deformable) if regresses else None
        self.weights = deformable_unit(last, num_past + regresses, 3, deformable) if moves else None
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Give plain convolutions to start from, and the start that ``init`` says."""
        reset_offsets(self)
        if self.init == 'copy' and self.motion is not None:
            for head in (self.motion[-1], self.weights[-1]):
                constant_init(head, 0)
            self.weights[-1].bias[-1] = _COPY_LOGIT

    def forward(self, past: Tensor) -> F2MFOutput:
        """Forecast from a window (B, T, C, h, w), oldest first."""
        shared = self.shared(self._evidence(past))
        regression = None if self.regression is None else self.regression(shared)
        if self.motion is None:
            return F2MFOutput(regression, regression=regression)
        flows = self.motion(shared).unflatten(1, (self.num_past, 2))
        logits = self.weights(shared)
        warps = self.warp(past, flows)
        motion = _blend(warps, logits[:, -self.num_past :].softmax(dim=1))
        weights = logits.softmax(dim=1)
        if regression is None:
            return F2MFOutput(motion, motion, None, weights, flows)
        forecast = _blend(torch.cat((regression[:, None], warps), dim=1), weights)
        return F2MFOutput(forecast, motion, regression, weights, flows)

    def _evidence(self, past: Tensor) -> Tensor:
        """The fused maps, and the cost volumes of neighboring frames, oldest first."""
        fused = self.fusion(past.flatten(1, 2))
        if self.embedding is None:
            return fused
        vectors = F.normalize(self.embedding(past.flatten(0, 1)), dim=1).unflatten(0, past.shape[:2])
        first, second = vectors[:, :-1].flatten(0, 1), vectors[:, 1:].flatten(0, 1)
        costs = cost_volume(first, second, self.radius, self.spacing)
        return torch.cat((fused, costs.unflatten(0, (len(past), -1)).flatten(1, 2)), dim=1)

    def warp(self, past: Tensor, flows: Tensor) -> Tensor:
        """Move each past map (B, T, C, h, w) by its flow (B, T, 2, h, w)."""
        maps, motion = past.flatten(0, 1), flows.flatten(0, 1)
        if self.direction == 'backward':
            moved = backward_warp(maps, motion, self.outside)
        else:
            moved, _ = forward_warp(maps, motion)
        return moved.unflatten(0, past.shape[:2])


def _embedding(channels: int, width: int, norm: bool) -> nn.Module:
    if not norm:
        return nn.Conv2d(channels, width, 3, padding=1)
    conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), conv)


def _blend(maps: Tensor, weights: Tensor) -> Tensor:
    """Sum of (B, k, C, h, w) by weights (B, k, h, w)."""
    return (maps * weights[:, :, None]).sum(dim=1)
