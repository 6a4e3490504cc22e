"""Warp and correct: a learned forecast that starts from the optical-flow baseline.

A design of ours, not a paper's. The flow baseline moves every pixel on at its observed velocity. It
fails where motion isn't uniform (what comes closer speeds up in the image), where the flow is wrong, and
where something hidden comes into view. Here one small network corrects the velocity before the maps
are moved, and another corrects the moved maps.
"""

from typing import Dict, Optional, Sequence, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid, backward_warp, resize_flow
from mmforecast.registry import MODELS

from .base import BasePredictor, ForecastContext, check_window, require_losses
from .conv_stack import conv_stack
from .flow_warp import advance, carry, observed_velocity

_STATE = 'warp_correct_motion'


@MODELS.register_module()
class WarpCorrectPredictor(BasePredictor):
    """Predicts one map from ``num_past`` maps and the RGB frames, on one level.

    With ``v`` the velocity of every pixel of the newest map and ``a`` its change over the last step,

    - motion, at 1/stride of the resolution: ``f = M(window, v, a)``, ``v' = v + V(f)``;
    - warp: ``v'`` and ``a`` are carried to the next frame, and the newest map is sampled along ``v'``;
    - correction, at half the resolution: ``prediction = warped + up(R(warped, f))``.

    ``V`` and ``R`` start at zero, so the untrained network is the ``FlowWarp`` baseline.

    Args:
        channels: C of the maps.
        num_past: maps in the window.
        motion_widths: hidden channels of the motion network; the last are the features ``f``.
        motion_dilations: one per layer of the motion network, as many as widths.
        correction_widths: hidden channels of the correction network.
        stride: the motion network works at 1/stride of the maps' size.
        losses: configs of the losses by name, each called on (N, C, h, w) pairs.
    """

    def __init__(
        self,
        channels: int,
        num_past: int = 4,
        motion_widths: Sequence[int] = (64, 64, 64),
        motion_dilations: Sequence[int] = (1, 2, 4),
        correction_widths: Sequence[int] = (32, 32),
        stride: int = 4,
        losses: Optional[Dict[str, dict]] = None,
        init_cfg: Optional[dict] = None,
    ):
        super().__init__(init_cfg=init_cfg)
        if num_past < 3:
            raise ValueError(
                'WarpCorrectPredictor sees velocity and its change, so num_past must be at '
                f'least 3, got {num_past}'
            )
        self.channels = channels
        self.num_past = num_past
        self.stride = stride
        features = motion_widths[-1]
        self.motion = conv_stack(
            channels * num_past + 4,
            motion_widths[:-1],
            [3] * len(motion_widths),
            features,
            motion_dilations,
        )
        self.velocity = nn.Conv2d(features, 2, 3, padding=1)
        self.reduce = nn.Conv2d(features, 16, 1)
        self.correction = conv_stack(
            channels + 16, correction_widths, [3] * (len(correction_widths) + 1), channels
        )
        for layer in (self.velocity, self.correction[-1].conv):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.losses = nn.ModuleDict(
            {name: MODELS.build(cfg) for name, cfg in (losses or {}).items()}
        )

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        (maps,) = past
        check_window(self, maps, self.channels, multiple=max(self.stride, 2))
        size = maps.shape[-2:]
        motion = self._motion_state(context, size)
        seen = torch.cat((maps.flatten(1, 2), motion / 4), dim=1)
        features = self.motion(F.avg_pool2d(seen, self.stride)).relu()
        faster = F.interpolate(4 * self.velocity(features), size, mode='bilinear')
        motion = torch.cat((motion[:, :2] + faster, motion[:, 2:]), dim=1)
        context.state[_STATE] = motion = carry(motion)
        warped = advance(maps[:, -1], motion)
        half = F.avg_pool2d(warped, 2)
        features = F.interpolate(self.reduce(features), half.shape[-2:], mode='bilinear')
        correction = self.correction(torch.cat((half, features), dim=1))
        return [(warped + F.interpolate(correction, size, mode='bilinear'))[:, None]]

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> Tuple[Dict[str, Tensor], Pyramid]:
        require_losses(self)
        (new,) = self(past, context)
        pair = new.flatten(0, 1), target[0].flatten(0, 1)
        return {f'loss_{name}': loss(*pair) for name, loss in self.losses.items()}, [new]

    def _motion_state(self, context: ForecastContext, size) -> Tensor:
        """(B, 4, h, w): velocity of the newest map's pixels and its change, in pixels of the map."""
        if _STATE not in context.state:
            velocity, before = (
                resize_flow(observed_velocity(context, age), size) for age in (0, 1)
            )
            change = velocity - backward_warp(before, -velocity)
            context.state[_STATE] = torch.cat((velocity, change), dim=1)
        return context.state[_STATE]
