"""Ego-motion baseline on instances: each moves as one piece, by its own parallax and the camera's turn."""

import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import Tensor

from mmforecast.models.predictors.ego_motion import EgoMotion
from mmforecast.models.utils import resize_flow
from mmforecast.models.utils.camera_motion import intrinsics
from mmforecast.models.utils.object_motion import move_mask, move_points, object_parallax
from mmforecast.structures import box_regions

from .regions import with_boxes, with_masks


class EgoInstanceMotion:
    """What the camera's motion says of the instances in the newest observed frames of a batch.

    Args:
        frames: (B, T, 3, H, W) observed RGB frames in [0, 255], T at least 2.
    """

    def __init__(self, frames: Tensor):
        self.predictor = EgoMotion()
        self.observed = self.predictor.observe(frames)
        size = frames.shape[-2:]
        self.moved = resize_flow(self.observed.moved, size)
        self.share = F.interpolate(self.observed.share, size=size, mode='bilinear', align_corners=False)
        self.camera = intrinsics(size, self.predictor.focal)

    def move(self, clip: int, instances: InstanceData, steps: int) -> list[InstanceData]:
        """The instances of a clip's newest frame at the steps 1 to ``steps``.

        Args:
            clip: Index in the batch.
            instances: With ``masks`` (N, H, W) bool, or with boxes alone, which then move.
            steps: At least 1.
        """
        with_mask = 'masks' in instances
        size = self.moved.shape[-2:]
        regions = instances.masks if with_mask else box_regions(instances.bboxes, size)
        alive = regions.flatten(1).any(dim=1)
        instances, regions = instances[alive], regions[alive]
        motions = [object_parallax(self.moved[clip], self.share[clip], region) for region in regions]
        return [
            self._move_to(clip, instances, regions if with_mask else None, motions, step)
            for step in range(1, steps + 1)
        ]

    def _move_to(
        self, clip: int, instances: InstanceData, masks: Tensor | None, motions: list, step: int
    ) -> InstanceData:
        turn = self.predictor.future_turn(self.observed, step)[clip]
        way = float(self.predictor.future_way(self.observed, step)[clip])
        if masks is not None:
            moved = [move_mask(mask, motion, turn, self.camera, way) for mask, motion in zip(masks, motions)]
            return with_masks(instances, torch.stack(moved) if moved else masks)
        boxes = [
            _box_around(move_points(_corners(box), motion, turn, self.camera, way))
            for box, motion in zip(instances.bboxes, motions)
        ]
        return with_boxes(instances, torch.stack(boxes) if boxes else instances.bboxes, self.moved.shape[-2:])


def _corners(box: Tensor) -> Tensor:
    """(2, 4) corners of a box x1 y1 x2 y2."""
    left, top, right, bottom = box
    return torch.stack([torch.stack([left, right, left, right]), torch.stack([top, top, bottom, bottom])])


def _box_around(points: Tensor) -> Tensor:
    """(4,) the box x1 y1 x2 y2 around points (2, N)."""
    return torch.cat([points.amin(dim=1), points.amax(dim=1)])
