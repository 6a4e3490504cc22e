"""Non-maximum suppression: hard, and by groups."""

import numpy as np
import torch
from torch import Tensor

__all__ = ['nms', 'nms_match']

# Boxes compared at a time; a matrix of twice as many on each side no longer fits the cache.
BLOCK = 512


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Keep the boxes that no kept box of a higher score overlaps by more than the threshold.

    Args:
        boxes: (N,4): x1, y1, x2, y2.
        scores: (N,).
        iou_threshold: IoU above which a box is suppressed.
        offset: 0, or 1 where a box includes its last pixel.

    Returns:
        Indices of the kept boxes, int64, by descending score.
    """
    if not boxes.numel():
        return torch.empty(0, dtype=torch.long, device=boxes.device)
    order = scores.sort(0, descending=True)[1]
    dtype = torch.promote_types(boxes.dtype, torch.float32)
    rest, kept = order, []
    corners = boxes.detach().to(dtype)[order].t().contiguous()
    while len(rest):
        block, corners_of_block = rest[:BLOCK], corners[:, :BLOCK]
        over = _overlaps(corners_of_block, corners_of_block, offset) > iou_threshold
        keep = _resolve(over.triu(1))
        kept.append(block[keep])
        rest, corners = rest[BLOCK:], corners[:, BLOCK:]
        if len(rest):
            alive = _untouched(corners_of_block[:, keep], corners, iou_threshold, offset)
            rest, corners = rest[alive], corners[:, alive]
    return torch.cat(kept)


def _resolve(over: Tensor) -> Tensor:
    """Which boxes greedy suppression keeps.

    Args:
        over: (N,N) bool, strictly upper triangular: row i overlaps the later box j too much.

    Returns:
        (N,) bool. A box is kept when no kept box overlaps it. Applied again and again to a guess,
        this settles the boxes from the first to the last; it has settled when nothing changes.
    """
    keep = ~over.any(0)
    while True:
        after = ~(over & keep[:, None]).any(0)
        if torch.equal(after, keep):
            return keep
        keep = after


def _untouched(first: Tensor, second: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Which of the second boxes overlap none of the first by more than the threshold."""
    touched = [(_overlaps(first, part, offset) > iou_threshold).any(0) for part in second.split(BLOCK, dim=1)]
    return ~torch.cat(touched)


def _overlaps(first: Tensor, second: Tensor, offset: int) -> Tensor:
    """IoU of boxes (4,M) and (4,N) as (M,N); NaN where both have no area."""
    x1, y1, x2, y2 = first[:, :, None]
    u1, v1, u2, v2 = second[:, None, :]
    width = torch.minimum(x2, u2).sub_(torch.maximum(x1, u1)).add_(offset).clamp_(min=0)
    height = torch.minimum(y2, v2).sub_(torch.maximum(y1, v1)).add_(offset).clamp_(min=0)
    inter = width.mul_(height)
    union = _areas(first, offset)[:, None] + _areas(second, offset)[None]
    return inter.div_(union.sub_(inter))


def _areas(corners: Tensor, offset: int) -> Tensor:
    x1, y1, x2, y2 = corners
    return (x2 - x1 + offset) * (y2 - y1 + offset)


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Group boxes: each kept box with those that it suppresses.

    Args:
        dets: (N,5): x1, y1, x2, y2, score, on the CPU.
        iou_threshold: IoU from which a box is suppressed.

    Returns:
        Groups of indices by descending score; the first of each is the kept one.
    """
    rest = dets[:, 4].sort(0, descending=True)[1].numpy()
    corners = dets[:, :4].t().contiguous().numpy()
    threshold = np.float32(iou_threshold)
    groups = []
    while len(rest):
        x1, y1, x2, y2 = corners[:, rest]
        width = np.maximum(0, np.minimum(x2[0], x2) - np.maximum(x1[0], x1))
        height = np.maximum(0, np.minimum(y2[0], y2) - np.maximum(y1[0], y1))
        inter = width * height
        areas = (x2 - x1) * (y2 - y1)
        with np.errstate(invalid='ignore', divide='ignore'):
            over = inter / (areas[0] + areas - inter) >= threshold
        over[0] = True  # its own group, whatever its area
        groups.append(rest[over].tolist())
        rest = rest[~over]
    return groups
