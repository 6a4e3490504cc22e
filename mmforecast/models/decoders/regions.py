"""Masks and boxes of instances that are moved."""

from collections.abc import Sequence

from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData
from torch import Tensor


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
