"""The optical-flow baseline: every pixel keeps its observed velocity."""

import torch
from torch import Tensor

from mmforecast.models.utils import (
    Pyramid,
    backward_warp,
    dis_flow,
    forward_warp,
    num_steps,
    resize_flow,
)
from mmforecast.registry import MODELS

from .base import BasePredictor
from .context import ForecastContext


def observed_velocity(context: ForecastContext, age: int = 0) -> Tensor:
    """(B, 2, H, W): displacement in pixels, over the step before it, of an observed frame's pixels.

    Estimated from the frame backwards, so that it lives on that frame's grid. ``age`` 0 is the newest
    observed frame, 1 the one before.
    """
    have, need = num_steps([context.frames]), age + 2
    if have < need:
        raise ValueError(f'a velocity needs at least {need} observed frames, got {have}; raise num_past')
    return -dis_flow(context.frames[:, -1 - age], context.frames[:, -2 - age])


def carry(motion: Tensor) -> Tensor:
    """Move a field along itself: the values that the pixels of the next frame bring with them.

    Args:
        motion: (B, 2 + k, H, W), a velocity in its first two channels and k more that go with it.

    Returns:
        The same shape: at every pixel of the next frame, the average of what lands there, and the old
        value where (nearly) nothing lands. Gradients flow through the values, not the places.
    """
    moved, landed = forward_warp(motion, motion[:, :2].detach())
    return torch.where(landed > 0.25, moved, motion)


def advance(maps: Tensor, carried: Tensor) -> Tensor:
    """Maps of the next frame, sampled where the carried velocity says that their pixels came from."""
    return backward_warp(maps, -resize_flow(carried[:, :2], maps.shape[-2:]))


@MODELS.register_module()
class FlowWarp(BasePredictor):
    """Projects the newest representation along the flow between the two newest frames.

    The flow is estimated once, on the observed frames, with OpenCV's DIS. At every step each pixel takes
    its velocity along to where it goes, and the representation is sampled where its pixels came from.
    """

    reads_frames = True

    @torch.no_grad()
    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        velocity = context.state.get('flow_warp_velocity')
        if velocity is None:
            velocity = observed_velocity(context)
        context.state['flow_warp_velocity'] = velocity = carry(velocity)
        return [advance(level[:, -1], velocity)[:, None] for level in past]
