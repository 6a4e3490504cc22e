"""The ego-motion baseline: the camera's motion taken apart, each part extrapolated by its own law."""

from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid, backward_warp, dis_flow, num_steps, resize_flow
from mmforecast.models.utils.blur import pixelwise_blur
from mmforecast.models.utils.camera_motion import CameraMotion, confirmed, estimate_camera_motion, intrinsics
from mmforecast.models.utils.class_spread import spread_classes
from mmforecast.models.utils.ego_motion import (
    ObservedMotion,
    acceleration_seen,
    extrapolate,
    invert_displacement,
    parallax,
    speed_change,
    unlike_most,
    without_rotation,
)
from mmforecast.models.utils.region_motion import move_regions
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_above, check_positive, check_range
from mmforecast.utils.frame_memory import remembered

from .base import BasePredictor
from .context import ForecastContext

_STATE = 'ego_motion'
# Part of the translation along the optical axis from which on the camera is taken to be a car's: above 0.95 in
# every step of four real drives, 0.5 to 0.8 where it was found in a hand-held video.
_FORWARD = 0.9
SMALL_REGION = 0.05  # share of the frame up to which a region moves as one piece, where regions do
FIELD = 'backward_field'  # of the newest step, in the context's state


@MODELS.register_module()
class EgoMotion(BasePredictor):
    """Warps the newest observed representation by the extrapolated motion of the camera.

    The flow between observed frames (OpenCV's DIS) is split into the camera's rotation, its translation and
    parallax. The translation continues, with the last change of speed, and image motion accelerates as things
    come near; but what the last two steps show at constant velocity keeps it, see
    :func:`~mmforecast.models.utils.ego_motion.acceleration_seen`. Yaw continues, with a damped acceleration;
    pitch and roll do not: a car rocks about its mean. Of a camera that turns in place or moves sideways, as no
    car does, all rotation continues. Where the camera stands, or the flow fits no camera motion, every pixel
    continues at its own velocity. Nothing is learned, no calibration is needed, and the representation may
    have any number of channels and levels.

    Of maps that hold scores of classes, small regions of one class may move as one piece, see
    :func:`~mmforecast.models.utils.region_motion.move_regions`: at their rims flow mixes two motions. And
    pixels may take the class that is the most probable one if the motion is not quite right (``spread``).

    Every step is warped from the newest observed frame, so errors of sampling do not add up in a roll-out.

    Args:
        focal: Focal length in widths of the frame. The result depends on it little; give it where it is known.
        perspective: Whether image motion accelerates as things come near.
        occlusion: Whether the nearer pixel is in front where several land, or, where no depth is known, that
            which moves least like most of the frame; without it, they are averaged.
        keep: Shares of pitch, yaw and roll that continue while the camera moves along its axis.
        yaw_acceleration: Share of the last change of yaw per step that continues; needs three observed frames.
        damping: Factor on that change from step to step.
        speed_acceleration: Share of the last change of speed per step that continues; needs three frames too.
        region_share: Largest share of the frame of a region that moves as one piece; None moves all pixels
            alone.
        spread: Of maps that hold scores of classes, the motion is taken to be wrong by this share of its mean
            over the frame, see :func:`~mmforecast.models.utils.class_spread.spread_classes`. None takes it to
            be right.
        class_scores: Whether the maps hold scores of classes; others have no regions. S2S says so.
        max_width: Wider frames are reduced to so many pixels before the motion is estimated.
        average: Whether other maps, such as frames, allow for an error of the motion too: each pixel becomes
            the mean over an error of ``spread`` of its displacement. The squared error is least then, but
            edges blur.
        kwargs: See ``BasePredictor``.

    Raises:
        ValueError: An argument is out of range, or ``average`` is set without ``spread``.
    """

    reads_frames = True

    def __init__(
        self,
        focal: float = 0.9,
        perspective: bool = True,
        occlusion: bool = True,
        keep: tuple[float, float, float] = (0.0, 1.0, 0.0),
        yaw_acceleration: float = 0.5,
        damping: float = 0.7,
        speed_acceleration: float = 1.0,
        region_share: float | None = None,
        spread: float | None = None,
        class_scores: bool | None = None,
        max_width: int = 640,
        average: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_above('EgoMotion', 0, focal=focal)
        check_positive('EgoMotion', max_width=max_width)
        self.focal = focal
        self.perspective = perspective
        self.occlusion = occlusion
        self.keep = tuple(keep)
        self.yaw_acceleration = yaw_acceleration
        self.damping = damping
        self.speed_acceleration = speed_acceleration
        if region_share is not None:
            check_range('EgoMotion', 0, 1, region_share=region_share)
        self.region_share = region_share
        if spread is not None:
            check_above('EgoMotion', 0, spread=spread)
        self.spread = spread
        if average and spread is None:
            raise ValueError(f'{type(self).__name__}: average=True averages over an error; set spread too')
        self.average = average
        self.class_scores = class_scores
        self.max_width = max_width

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        if _STATE not in context.state:
            newest = [level[:, -1] for level in past]
            observed = self.with_regions(self.observe(context.frames), newest[0])
            context.state[_STATE] = newest, observed
        newest, observed = context.state[_STATE]
        field, _ = self.forecast_field(observed, steps=context.step + 1)
        context.state[FIELD] = field
        return [self.move(level, field)[:, None] for level in newest]

    def move(self, maps: Tensor, field: Tensor) -> Tensor:
        """Maps (B, C, h, w) of the newest frame, moved by a backward field of any size."""
        field = resize_flow(field, maps.shape[-2:])
        maps = backward_warp(maps, field)
        if self.spread and self.class_scores:
            return spread_classes(maps, self.spread * field.norm(dim=1).mean(dim=(1, 2)))
        if self.spread and self.average:
            return pixelwise_blur(maps, self.spread * field.norm(dim=1, keepdim=True))
        return maps

    def with_regions(self, observed: ObservedMotion, scores: Tensor) -> ObservedMotion:
        """The motion with regions as one piece, where maps (B, C, h, w) hold scores of classes."""
        if not (self.class_scores and self.region_share):
            return observed
        labels = scores.argmax(dim=1, keepdim=True).float()
        labels = F.interpolate(labels, size=observed.moved.shape[-2:], mode='nearest-exact')[:, 0]
        moved, share = move_regions(observed.moved, observed.share, labels, self.region_share)
        return replace(observed, moved=moved, share=share)

    def backward_field(self, observed: ObservedMotion, steps: int) -> tuple[Tensor, Tensor]:
        """Where the pixels of the future frame were in the newest observed one.

        Args:
            observed: The newest step, see :meth:`observe`.
            steps: How far ahead, at least 1.

        Returns:
            (B, 2, h, w) in pixels, and (B, 1, h, w) bool: whether the newest frame showed the pixel.
        """
        moved, share = observed.moved, observed.share
        turn, way = self.future_turn(observed, steps), self.future_way(observed, steps)
        way = way.to(moved).view(-1, 1, 1, 1)
        displacement, nearness = extrapolate(moved, share, turn, self.camera_of(moved), way, self.perspective)
        if not self.occlusion:
            nearness = torch.zeros_like(nearness)
        else:
            known = observed.camera.translation.any(dim=1)[:, None, None, None]
            nearness = torch.where(known, nearness, unlike_most(moved))
        return invert_displacement(displacement, nearness)

    def forecast_field(self, observed: ObservedMotion, steps: int) -> tuple[Tensor, Tensor]:
        """As :meth:`backward_field`, and computed once for a motion, unless gradients flow."""
        if torch.is_grad_enabled():
            return self.backward_field(observed, steps)
        key = id(self), steps
        if key not in observed.fields:
            observed.fields[key] = self.backward_field(observed, steps)
        return observed.fields[key]

    def future_turn(self, observed: ObservedMotion, steps: int) -> Tensor:
        """(B, 3) rotation vector of the camera over ``steps`` future steps; arguments as above."""
        rotation = observed.camera.rotation
        drives = observed.camera.translation[:, 2:].abs() > _FORWARD
        turn = rotation * steps * torch.where(drives, rotation.new_tensor(self.keep), 1.0)
        growth = sum(step * self.damping**step for step in range(1, steps + 1))
        turn[:, 1] += self.keep[1] * self.yaw_acceleration * growth * observed.yaw_change
        return turn

    def future_way(self, observed: ObservedMotion, steps: int) -> Tensor:
        """(B,) way of the camera over ``steps`` future steps, in steps of its newest speed; not backwards."""
        change = self.speed_acceleration * observed.speed_change
        return sum((1 + step * change).clamp(min=0) for step in range(1, steps + 1))

    @torch.no_grad()
    def observe(self, frames: Tensor) -> ObservedMotion:
        """The motion of the newest step, on frames of at most ``max_width`` columns.

        Args:
            frames: (B, T, 3, H, W) RGB in [0, 255], T at least 2; the newest three are looked at.
        """
        frames = self.reduce(frames)
        settings = type(self), self.focal
        return remembered('motion', [frames], settings, partial(self.observe_reduced, frames), keep=2)

    def observe_reduced(self, frames: Tensor) -> ObservedMotion:
        """The same of frames that :meth:`reduce` gave."""
        return self.newest_motion(self.camera_steps(frames))

    def newest_motion(self, steps: list[tuple[Tensor, CameraMotion]]) -> ObservedMotion:
        """The motion of the newest step; ``steps`` as :meth:`camera_steps` gives them."""
        flow, motion = steps[0]
        if len(steps) > 1:
            motion = confirmed(motion, steps[1][1])
        moved, share = parallax(flow, motion, self.camera_of(flow))
        yaw = motion.rotation[:, 1]
        if len(steps) < 2:
            return ObservedMotion(moved, share, motion, torch.zeros_like(yaw), torch.zeros_like(yaw))
        earlier_flow, before = steps[1]
        earlier = without_rotation(earlier_flow, before.rotation, self.camera_of(flow))
        earlier = backward_warp(earlier, flow)
        # from or to a step of which nothing is known, no change is known
        known = before.translation.any(dim=1)
        faster = speed_change(moved, share, earlier)
        faster = faster.masked_fill(~(known & motion.translation.any(dim=1)), 0)
        turned = (yaw - before.rotation[:, 1]) * (motion.rotation.any(dim=1) & before.rotation.any(dim=1))
        seen = acceleration_seen(moved, share, earlier, faster)
        share = torch.where(known[:, None, None, None], share * seen, share)
        return ObservedMotion(moved, share, motion, turned, faster.to(yaw))

    def camera_steps(self, frames: Tensor) -> list[tuple[Tensor, CameraMotion]]:
        """Backward flow (B, 2, h, w) and camera motion of every step, the newest first.

        Args:
            frames: As :meth:`reduce` gives them.
        """
        pairs = [(frames[:, i], frames[:, i - 1]) for i in range(frames.shape[1] - 1, 0, -1)]
        return [
            remembered('camera_step', pair, self.focal, partial(self._camera_step, *pair)) for pair in pairs
        ]

    def _camera_step(self, later: Tensor, earlier: Tensor) -> tuple[Tensor, CameraMotion]:
        flow = dis_flow(later, earlier)
        return flow, estimate_camera_motion(flow, self.camera_of(flow))

    def camera_of(self, maps: Tensor) -> Tensor:
        """(3, 3) intrinsics of frames or fields (..., h, w)."""
        return intrinsics(maps.shape[-2:], self.focal)

    def reduce(self, frames: Tensor) -> Tensor:
        """The newest three of (B, T, 3, H, W), averaged down to at most ``max_width`` columns.

        Raises:
            ValueError: There are fewer than two frames.
        """
        if num_steps([frames]) < 2:
            name = type(self).__name__
            raise ValueError(f'{name} needs at least 2 observed frames, got 1; raise num_past')
        frames = frames[:, -3:]
        height, width = frames.shape[-2:]
        if width <= self.max_width:
            return frames
        size = max(16, round(height * self.max_width / width)), self.max_width
        return F.interpolate(frames.flatten(0, 1), size=size, mode='area').unflatten(0, frames.shape[:2])
