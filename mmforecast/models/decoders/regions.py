"""Masks and boxes of instances that are moved."""

from collections.abc import Sequence

import torch
from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData
from torch import Tensor


def box_regions(boxes: Tensor, size: Sequence[int]) -> Tensor:
    """(N, 4) boxes x1 y1 x2 y2 to (N, H, W) bool: the pixels whose centers they hold."""
    rows, columns = (torch.arange(side, device=boxes.device) + 0.5 for side in size)
    left, top, right, bottom = boxes[:, :, None].unbind(dim=1)
    inside_rows = (rows >= top) & (rows < bottom)
    inside_columns = (columns >= left) & (columns < right)
    return inside_rows[:, :, None] & inside_columns[:, None, :]


def with_masks(instances: InstanceData, masks: Tensor) -> InstanceData:
    """Instances with these masks and the boxes around them, without those whose mask is empty."""
    alive = masks.flatten(1).any(dim=1)
    kept = instances[alive]
    kept.masks = masks[alive]
    kept.bboxes = mask2bbox(kept.masks).to(instances.bboxes)
    return kept


def with_boxes(instances: InstanceData, boxes: Tensor, size: Sequence[int]) -> InstanceData:
    """Instances with these boxes, cut to a frame of (H, W), without those that left it."""
    height, width = size
    boxes = boxes.minimum(boxes.new_tensor([width, height] * 2)).clamp(min=0)
    alive = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    kept = instances[alive]
    kept.bboxes = boxes[alive]
    return kept
