"""Optical-flow baselines on instances: what was detected last goes on moving (F2F, ECCV 2018)."""

from collections.abc import Callable

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.flow_warp import advance, carry, observed_velocity
from mmforecast.models.utils import Pyramid, num_steps
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample, box_regions, fill_boxes
from mmforecast.utils.checks import check_choice

from .detection import DetectionDecoder, instance_encoder
from .ego_instances import EgoInstanceMotion
from .regions import with_boxes, with_masks


def mean_motion(regions: Tensor, velocity: Tensor) -> Tensor:
    """(N, 2) mean of ``velocity`` (2, H, W) in each of ``regions`` (N, H, W) bool; 0 where it is empty."""
    rows = [velocity[:, region].sum(dim=1) / region.sum().clamp(min=1) for region in regions]
    return torch.stack(rows) if rows else velocity.new_zeros((0, 2))


def shift_mask(mask: Tensor, motion: Tensor) -> Tensor:
    """Move a mask rigidly: bilinear, then kept from 0.5 on; what leaves the frame is cut.

    Args:
        mask: (H, W) bool.
        motion: (2,), (dx, dy) in pixels.
    """
    height, width = mask.shape
    whole = motion.floor()
    (fx, fy), (dx, dy) = (motion - whole).tolist(), whole.int().tolist()
    moved = motion.new_zeros((height, width))
    for x, weight_x in ((dx, 1 - fx), (dx + 1, fx)):
        for y, weight_y in ((dy, 1 - fy), (dy + 1, fy)):
            if abs(x) < width and abs(y) < height:
                target = moved[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)]
                source = mask[max(-y, 0) : height - max(y, 0), max(-x, 0) : width - max(x, 0)]
                target += weight_x * weight_y * source
    return moved >= 0.5


def shift_instances(instances: InstanceData, velocity: Tensor, steps: int) -> list[InstanceData]:
    """Move every instance rigidly by the mean flow inside it: k times that mean at step k.

    Args:
        instances: Of the newest frame; without ``masks`` their boxes move, by the mean flow inside these.
        velocity: (2, H, W), the displacement per step of the newest frame's pixels.
        steps: n.

    Returns:
        The instances at the steps 1 to n.
    """
    size = velocity.shape[-2:]
    if 'masks' not in instances:
        motion = mean_motion(box_regions(instances.bboxes, size), velocity)
        return [
            with_boxes(instances, instances.bboxes + step * motion.repeat(1, 2), size)
            for step in range(1, steps + 1)
        ]
    motion = mean_motion(instances.masks, velocity)
    out = []
    for step in range(1, steps + 1):
        moved = [shift_mask(mask, step * by) for mask, by in zip(instances.masks, motion)]
        out.append(with_masks(instances, torch.stack(moved) if moved else instances.masks))
    return out


def warp_instances(instances: InstanceData, velocity: Tensor, steps: int) -> list[InstanceData]:
    """Warp every mask along the flow, which is itself carried along, as ``FlowWarp`` does with maps.

    Arguments and result as of ``shift_instances``, which instances without masks are left to. Between
    steps the masks stay soft; those that are written are kept from 0.5 on.
    """
    if 'masks' not in instances or not len(instances):
        return shift_instances(instances, velocity, steps)
    soft, velocity, out = instances.masks[None].float(), velocity[None], []
    for _ in range(steps):
        velocity = carry(velocity)
        soft = advance(soft, velocity)
        out.append(with_masks(instances, soft[0] >= 0.5))
    return out


MODES = ('shift', 'warp', 'ego-motion')


def instance_mover(
    mode: str, context: ForecastContext
) -> Callable[[int, InstanceData, int], list[InstanceData]]:
    """The function that moves the instances of a clip on.

    Args:
        mode: One of ``MODES``.
        context: Has the observed frames.

    Returns:
        A function of the clip's index in the batch, its instances and the number of steps n, that gives the
        instances at the steps 1 to n.
    """
    if mode == 'ego-motion':
        return EgoInstanceMotion(context.frames).move
    move = {'shift': shift_instances, 'warp': warp_instances}[mode]
    velocity = observed_velocity(context)
    return lambda clip, instances, steps: move(instances, velocity[clip].to(instances.scores.device), steps)


@MODELS.register_module()
class FlowInstanceDecoder(DetectionDecoder):
    """Detects once, in the newest observed frame, and moves the instances on by optical flow.

    To be used with ``predictor=dict(type='CopyLast')``, whose forecast is the newest observed pyramid. The
    flow is that between the two newest frames (OpenCV's DIS). Scores and labels stay; instances that leave
    the frame are dropped. Luc et al. (ECCV 2018) name both modes; their paper leaves the details open.

    Args:
        mode: 'shift', each instance rigidly by the mean flow inside it; 'warp', each pixel of its mask by
            its own (boxes without masks are shifted); 'ego-motion', each as one piece by its own parallax and
            the camera's turn, see ``EgoMotion``.
        steps: As for ``DetectionDecoder``.
        fill_boxes: Where there are no masks, the moved boxes are filled.
    """

    takes_skipped_steps = False

    def __init__(self, mode: str = 'shift', steps: str = 'all', fill_boxes: bool = False):
        super().__init__(steps, fill_boxes)
        check_choice('FlowInstanceDecoder', MODES, mode=mode)
        self.mode = mode

    @torch.no_grad()
    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """As ``DetectionDecoder``; the reference is read off the true future, not moved."""
        if target != 'pred':
            return super().decode(future, samples, context, target)
        steps, size = num_steps(future), samples[0].img_shape
        encoder = instance_encoder(context, type(self).__name__)
        newest = encoder.instances_of([level[:, 0] for level in future], size)
        move = instance_mover(self.mode, context)
        for clip, (sample, instances) in enumerate(zip(samples, newest)):
            moved = move(clip, instances, steps)
            if self.steps == 'last':
                moved[:-1] = [InstanceData() for _ in moved[:-1]]
            sample.pred_instances = [fill_boxes(step, size) for step in moved] if self.fill_boxes else moved
        return samples
