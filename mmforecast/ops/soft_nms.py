"""Soft non-maximum suppression: overlapped boxes lose score instead of being removed.

Bodla et al., Soft-NMS: Improving Object Detection With One Line of Code, ICCV 2017.
"""

import numpy as np
import torch
from torch import Tensor

__all__ = ['softnms']

NAIVE, LINEAR, GAUSSIAN = range(3)


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Pick the best box, lower the scores of those it overlaps, drop the low ones; repeat.

    Args:
        boxes: (N,4) on the CPU: x1, y1, x2, y2.
        scores: (N,).
        dets: (N,5), written: the boxes with their new scores, in the order in which they are picked.
        iou_threshold: IoU from which `NAIVE` and `LINEAR` act.
        sigma: Width of the `GAUSSIAN`.
        min_score: A box with less is dropped.
        method: 0 removes, 1 multiplies by 1 - IoU, 2 multiplies by exp(-IoU^2 / sigma).
        offset: 0, or 1 where a box includes its last pixel.

    Returns:
        The indices of the boxes in `dets`, int64. Rows of `dets` beyond them are undefined.
    """
    x1, y1, x2, y2 = boxes.detach().numpy().T
    # Rows: four coordinates, area, score, index; columns are swapped and dropped together.
    table = np.stack([x1, y1, x2, y2, (x2 - x1 + offset) * (y2 - y1 + offset), scores.detach().numpy()])
    index = np.arange(len(x1))
    count, position = len(x1), 0
    while position < count:
        best = position + _first_maximum(table[5, position:count])
        for values in (table.T, index):
            values[[position, best]] = values[[best, position]]
        rest = table[:, position + 1 : count]
        rest[5] *= _weights(_overlaps(table[:, position], rest, offset), iou_threshold, sigma, method)
        count = position + 1 + _drop(rest, index[position + 1 : count], min_score)
        position += 1
    dets[:count] = torch.from_numpy(table[[0, 1, 2, 3, 5], :count].T.copy())
    return torch.from_numpy(index[:count].copy())


def _first_maximum(values: np.ndarray) -> int:
    """Where the first of the largest values is; NaN is no value, unless it is the first."""
    if np.isnan(values[0]):
        return 0
    return int(np.argmax(np.where(np.isnan(values), -np.inf, values)))


def _overlaps(box: np.ndarray, others: np.ndarray, offset: int) -> np.ndarray:
    width = np.minimum(box[2], others[2]) - np.maximum(box[0], others[0]) + offset
    height = np.minimum(box[3], others[3]) - np.maximum(box[1], others[1]) + offset
    inter = np.maximum(0, width) * np.maximum(0, height)
    with np.errstate(invalid='ignore', divide='ignore'):
        return inter / (box[4] + others[4] - inter)


def _weights(iou: np.ndarray, iou_threshold: float, sigma: float, method: int) -> np.ndarray:
    if method == GAUSSIAN:
        return np.exp(-(iou * iou) / np.float32(sigma))
    over = iou >= np.float32(iou_threshold)
    return np.where(over, 0 if method == NAIVE else 1 - iou, 1).astype(iou.dtype)


def _drop(table: np.ndarray, index: np.ndarray, min_score: float) -> int:
    """Fill the places of low scores with columns from the end, and return how many are left.

    This is the order of mmcv, on which the choice among equal scores depends.
    """
    alive = ~(table[5] < np.float32(min_score))
    left = int(alive.sum())
    holes = np.flatnonzero(~alive[:left])
    fillers = left + np.flatnonzero(alive[left:])[::-1]
    table[:, holes] = table[:, fillers]
    index[holes] = index[fillers]
    return left
