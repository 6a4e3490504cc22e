"""The optical-flow baseline: what moved goes on moving."""
import torch

from mmforecast.models.utils import (Pyramid, backward_warp, dis_flow, forward_warp, num_steps,
                                     resize_flow)
from mmforecast.registry import MODELS

from .base import BasePredictor, ForecastContext


@MODELS.register_module()
class FlowWarp(BasePredictor):
    """Projects the newest representation along the flow between the two newest frames.

    The flow is estimated once, on the observed frames; at later steps the representation and the
    flow are both carried along the flow, so every point keeps its velocity.

    Args:
        projection: 'forward' splats every pixel to where it goes, and leaves the old value where
            nothing lands; 'backward' samples at p - flow(p), which smears at motion boundaries but
            has no holes.
    """

    def __init__(self, projection: str = 'forward'):
        super().__init__()
        if projection not in ('forward', 'backward'):
            raise ValueError(
                f"FlowWarp: projection must be 'forward' or 'backward', got {projection!r}")
        self.projection = projection

    @torch.no_grad()
    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        velocity = context.state.get('flow_warp_velocity')
        if velocity is None:
            velocity = self.observed_velocity(context)
        out = [self._move(level[:, -1], velocity)[:, None] for level in past]
        context.state['flow_warp_velocity'] = self._move(velocity, velocity)
        return out

    @staticmethod
    def observed_velocity(context: ForecastContext) -> torch.Tensor:
        """(B, 2, H, W): displacement per step of every pixel of the newest observed frame."""
        if num_steps([context.frames]) < 2:
            raise ValueError('FlowWarp needs at least two observed frames (num_past >= 2)')
        # Estimated from the newest frame backwards, so that it lives on the newest frame's grid.
        return -dis_flow(context.frames[:, -1], context.frames[:, -2])

    def _move(self, maps: torch.Tensor, velocity: torch.Tensor) -> torch.Tensor:
        flow = resize_flow(velocity, maps.shape[-2:])
        if self.projection == 'backward':
            return backward_warp(maps, -flow)
        return fill_holes(*forward_warp(maps, flow), maps)


def fill_holes(moved: torch.Tensor, landed: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """Splatted maps, with what was there before where (nearly) nothing landed."""
    return torch.where(landed > 0.25, moved, before)
