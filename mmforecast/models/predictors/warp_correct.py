"""Warp and correct: a learned forecast that starts from the optical-flow baseline.

A design of ours, not a paper's. The flow baseline moves every pixel on at its observed velocity. It
fails where motion isn't uniform (what comes closer speeds up in the image), where the flow is wrong, and
where something hidden comes into view. Here one small network corrects the velocity before the maps
are moved, and another corrects the moved maps.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import constant_init
from torch import Tensor

from mmforecast.models.utils import Pyramid, backward_warp, dis_flow, resize_flow
from mmforecast.registry import MODELS

from .base import BasePredictor
from .context import ForecastContext
from .conv_stack import conv_stack
from .flow_warp import advance, carry, observed_velocity

_STATE = 'warp_correct_motion'


def _true_velocity(context: ForecastContext, like: Tensor) -> Tensor:
    """(B, 2, h, w): how the pixels of the true frame of this step came there, on the grid of ``like``."""
    if context.future_frames is None:
        raise ValueError(
            'WarpCorrectPredictor: flow_loss needs the true future frames, so the pipeline must load '
            'all frames of the clip (LoadClipFrames)'
        )
    frame = context.future_frames[:, context.step]
    before = context.future_frames[:, context.step - 1] if context.step else context.frames[:, -1]
    return resize_flow(-dis_flow(frame, before), like.shape[-2:])


@MODELS.register_module()
class WarpCorrectPredictor(BasePredictor):
    """Predicts the maps of one frame from those of ``num_past`` frames and the RGB frames.

    With ``v`` the velocity of every pixel of the newest maps and ``a`` its change over the last step,

    - motion, at 1/stride of the finest level: ``f = M(window, v, a)``, ``v' = v + V(f)``;
    - warp: ``v'`` and ``a`` are carried to the next frame, and every level of the newest maps is sampled
      along ``v'``;
    - correction, per level at 1/correction_stride: ``prediction = warped + up(R(warped, f))``.

    ``V`` and ``R`` start at zero, so the untrained network is the ``FlowWarp`` baseline.

    Args:
        channels, num_levels, num_past: See ``BasePredictor``.
        squeeze: Project the window of maps to so many channels first, so that many maps don't drown the
            two of ``v``; None doesn't.
        motion_widths: Hidden channels of the motion network; the last are the features ``f``.
        motion_dilations: One per layer of the motion network, as many as widths.
        correction_widths: Hidden channels of each level's correction network.
        stride: The motion network works at 1/stride of the finest maps' size.
        correction_stride: The correction networks work at 1/correction_stride of their level's size.
        flow_loss: Config of a loss between ``v'`` and the motion that optical flow finds in the true
            future frame, both (B, 2, h, w) in pixels of the finest level.
        kwargs: See ``BasePredictor``.
    """

    reads_frames = True

    def __init__(
        self,
        channels: int,
        num_levels: int = 1,
        num_past: int = 4,
        squeeze: int | None = None,
        motion_widths: Sequence[int] = (64, 64, 64),
        motion_dilations: Sequence[int] = (1, 2, 4),
        correction_widths: Sequence[int] = (32, 32),
        stride: int = 4,
        correction_stride: int = 2,
        flow_loss: dict | None = None,
        **kwargs,
    ):
        super().__init__(num_past, channels, num_levels, **kwargs)
        if num_past < 3:
            raise ValueError(
                'WarpCorrectPredictor sees velocity and its change, so num_past must be at '
                f'least 3, got {num_past}'
            )
        self.stride = stride
        self.correction_stride = correction_stride
        features = motion_widths[-1]
        given = channels * num_past * num_levels
        self.squeeze = None if squeeze is None else nn.Conv2d(given, squeeze, 1)
        self.motion = conv_stack(
            (squeeze or given) + 4,
            motion_widths[:-1],
            [3] * len(motion_widths),
            features,
            motion_dilations,
        )
        self.velocity = nn.Conv2d(features, 2, 3, padding=1)
        self.reduce = nn.Conv2d(features, 16, 1)
        kernels = [3] * (len(correction_widths) + 1)
        self.corrections = nn.ModuleList(
            conv_stack(channels + 16, correction_widths, kernels, channels) for _ in range(num_levels)
        )
        self.flow_loss = None if flow_loss is None else MODELS.build(flow_loss)
        self.apply_own_start()

    def apply_own_start(self) -> None:
        for layer in (self.velocity, *(net[-1].conv for net in self.corrections)):
            constant_init(layer, 0)

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        self.check_window(past, multiple=max(self.stride, 2))
        size = past[0].shape[-2:]
        # 1. Motion: f = M(window, v, a) and v' = v + V(f), at 1/stride of the finest level.
        motion = self._motion_state(context, size)
        coarse = tuple(side // self.stride for side in size)
        seen = [F.avg_pool2d(past[0].flatten(1, 2), self.stride)]
        seen += [F.interpolate(level.flatten(1, 2), coarse, mode='area') for level in past[1:]]
        seen = torch.cat(seen, dim=1)
        if self.squeeze is not None:
            seen = self.squeeze(seen)
        seen = torch.cat((seen, F.avg_pool2d(motion / 4, self.stride)), dim=1)
        features = self.motion(seen).relu()
        faster = F.interpolate(self.stride * self.velocity(features), size, mode='bilinear')
        motion = torch.cat((motion[:, :2] + faster, motion[:, 2:]), dim=1)
        # 2. Warp: v' and a move to the next frame, and every level is sampled along v'.
        context.state[_STATE] = motion = carry(motion)
        # 3. Correction: what is warped plus up(R(warped, f)), per level.
        features = self.reduce(features)
        return [
            self._correct(net, advance(level[:, -1], motion), features)[:, None]
            for net, level in zip(self.corrections, past)
        ]

    def _correct(self, net: nn.Module, warped: Tensor, features: Tensor) -> Tensor:
        stride = self.correction_stride if min(warped.shape[-2:]) >= self.correction_stride else 1
        small = F.avg_pool2d(warped, stride)
        features = F.interpolate(features, small.shape[-2:], mode='bilinear')
        correction = net(torch.cat((small, features), dim=1))
        return warped + F.interpolate(correction, warped.shape[-2:], mode='bilinear')

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        terms, new = super().loss_and_predict(past, target, context)
        if self.flow_loss is not None:
            velocity = context.state[_STATE][:, :2]
            terms['loss_flow'] = self.flow_loss(velocity, _true_velocity(context, velocity))
        return terms, new

    def _motion_state(self, context: ForecastContext, size: Sequence[int]) -> Tensor:
        """(B, 4, h, w): velocity of the newest map's pixels and its change, in pixels of the map."""
        if _STATE not in context.state:
            velocity, before = (resize_flow(observed_velocity(context, age), size) for age in (0, 1))
            change = velocity - backward_warp(before, -velocity)
            context.state[_STATE] = torch.cat((velocity, change), dim=1)
        return context.state[_STATE]
