"""The math of Cityscapes' instance-level average precision.

The rules are those of the official script, ``evalInstanceLevelSemanticLabeling`` of cityscapesScripts
(Cordts et al., CVPR 2016), and give its numbers; here pixels are counted by histograms, and a frame
leaves only a few numbers per prediction behind:

1. A prediction finds an object if it has its class and their IoU is above the threshold. Objects don't
   overlap, so above 0.5 it finds at most one.
2. Of the predictions that find the same object the one with the highest score is right, the others
   are wrong.
3. Groups (a label id without an instance number) and objects smaller than ``min_region_size`` need
   not be found, and finding them is neither right nor wrong.
4. A prediction that finds nothing is wrong, unless more than the threshold's share of its pixels is
   void or belongs to groups and small objects of its class.

Scores are in percent, [0, 100]; NaN says there was nothing to find.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mmforecast.structures.cityscapes import (
    MAX_INSTANCE_ID,
    THING_LABEL_IDS,
    VOID_LABEL_IDS,
    check_instance_ids,
    is_thing,
    label_of,
)

IOU_THRESHOLDS = tuple(np.arange(0.5, 1.0, 0.05))

_ELSEWHERE, _VOID, _FIRST_OBJECT = range(3)  # columns of the overlap counts


@dataclass(frozen=True)
class FrameMatches:
    """The matches of a frame with P predictions and T thresholds, all that average precision needs.

    Attributes:
        labels: int64 (P,), 0 to 7. Predictions with an empty mask are left out.
        scores: float64 (P,).
        right: Bool (T, P), the prediction finds an object, and none with a higher score does.
        wrong: Bool (T, P). A prediction that is neither right nor wrong doesn't count.
        num_objects: int64 (8,), objects to be found, by class.
    """

    labels: np.ndarray
    scores: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    num_objects: np.ndarray


def match_instances(
    labels: np.ndarray | torch.Tensor,
    scores: np.ndarray | torch.Tensor,
    masks: np.ndarray | torch.Tensor,
    id_map: np.ndarray | torch.Tensor,
    min_region_size: int = 100,
    iou_thresholds: Sequence[float] = IOU_THRESHOLDS,
) -> FrameMatches:
    """Match the predictions of one labeled frame with its objects.

    Args:
        labels: Integer (N,), 0 to 7 in the order of ``THING_LABEL_IDS``.
        scores: (N,), any range; only their order matters.
        masks: (N, H, W) bool; they may overlap.
        id_map: Integer (H, W), Cityscapes ``instanceIds``: label id, or label id * 1000 + n.
        min_region_size: Objects with fewer pixels need not be found. The official 100 pixels are meant
            for pictures of 1024x2048.
        iou_thresholds: Each at least 0.5: below that a prediction could find two objects.

    Raises:
        ValueError: Shapes don't fit, or labels, ids or thresholds are out of their range.
    """
    labels, scores, masks, id_map = map(_as_array, (labels, scores, masks, id_map))
    thresholds = np.asarray(iou_thresholds, dtype=np.float64)
    _check(labels, scores, masks, id_map, thresholds)
    object_ids, object_areas, codes = _compact(id_map)
    counts = _count_overlaps(masks, codes, _FIRST_OBJECT + len(object_ids))
    areas = counts.sum(axis=1)
    seen = areas > 0
    labels, scores = labels[seen].astype(np.int64), scores[seen].astype(np.float64)
    counts, areas = counts[seen], areas[seen]

    is_group = object_ids < 1000
    object_labels = np.searchsorted(THING_LABEL_IDS, label_of(object_ids))
    is_small = object_areas < min_region_size
    to_find = ~is_group & ~is_small
    overlaps = counts[:, _FIRST_OBJECT:] * (labels[:, None] == object_labels)
    # The official script counts the pixels of a small group twice, once for either reason.
    ignored = counts[:, _VOID] + overlaps @ is_group + overlaps @ is_small
    iou = overlaps / (object_areas + areas[:, None] - overlaps)
    right, wrong = _judge(iou, scores, to_find, ignored / areas, thresholds)
    num_objects = np.bincount(object_labels[to_find], minlength=len(THING_LABEL_IDS))
    return FrameMatches(labels, scores, right, wrong, num_objects)


def average_precision(frames: Sequence[FrameMatches]) -> np.ndarray:
    """Average precision of each class at each threshold, over all frames together.

    Args:
        frames: Matches of the frames of a dataset, all with the same T thresholds.

    Returns:
        float64 (8, T), percent: 0 for a class that is there but never predicted, NaN for a class
        without an object to be found. (8, len(IOU_THRESHOLDS)) of NaN without a frame. Mean and AP50
        are :func:`mean_average_precision`'s.
    """
    num_classes = len(THING_LABEL_IDS)
    if not frames:
        return np.full((num_classes, len(IOU_THRESHOLDS)), np.nan)
    labels = np.concatenate([frame.labels for frame in frames])
    scores = np.concatenate([frame.scores for frame in frames])
    right = np.concatenate([frame.right for frame in frames], axis=1)
    wrong = np.concatenate([frame.wrong for frame in frames], axis=1)
    num_objects = np.sum([frame.num_objects for frame in frames], axis=0)
    result = np.full((num_classes, len(right)), np.nan)
    for label in np.flatnonzero(num_objects):
        for index in range(len(right)):
            counted = (labels == label) & (right[index] | wrong[index])
            result[label, index] = 100 * _area_under_curve(
                scores[counted], right[index, counted], num_objects[label]
            )
    return result


def mean_average_precision(ap: np.ndarray) -> float:
    """Mean over classes and thresholds, classes without an object left out; NaN if none has one.

    AP50 is the mean of ``ap[:, :1]``.
    """
    present = ap[~np.isnan(ap)]
    return float(present.mean()) if present.size else float('nan')


def _compact(id_map: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids (G,) and areas (G,) of the objects and groups of the eight classes, and their map.

    The map (H, W) holds 0 elsewhere, 1 on void, and 2 + g on object g. Void is what has a void label
    id for its value: an instance of caravan (29001) hasn't, and is elsewhere, as in the official
    script.
    """
    pixels = id_map.ravel()
    starts = np.append(0, np.flatnonzero(pixels[1:] != pixels[:-1]) + 1)  # of runs of one id
    lengths = np.diff(starts, append=pixels.size)
    areas = np.bincount(pixels[starts] + 1, weights=lengths).astype(np.int64)  # from id -1 on
    ids = np.flatnonzero(areas) - 1
    objects = ids[is_thing(ids)]
    dtype = np.uint8 if len(objects) <= 254 else np.uint16
    code_of = np.full(MAX_INSTANCE_ID + 2, _ELSEWHERE, dtype=dtype)  # the last is id -1's
    code_of[list(VOID_LABEL_IDS)] = _VOID
    code_of[objects] = np.arange(_FIRST_OBJECT, _FIRST_OBJECT + len(objects))
    return objects, areas[objects + 1], np.take(code_of, id_map)


def _count_overlaps(masks: np.ndarray, codes: np.ndarray, num_codes: int) -> np.ndarray:
    """Pixels of each mask by code, int64 (N, num_codes): a histogram inside its bounding box."""
    counts = np.zeros((len(masks), num_codes), dtype=np.int64)
    for row, mask in zip(counts, masks):
        ys = np.flatnonzero(mask.any(axis=1))
        if not ys.size:
            continue
        rows = slice(ys[0], ys[-1] + 1)
        xs = np.flatnonzero(mask[rows].any(axis=0))
        box = rows, slice(xs[0], xs[-1] + 1)
        row[:] = np.bincount(codes[box].ravel()[np.flatnonzero(mask[box])], minlength=num_codes)
    return counts


def _judge(
    iou: np.ndarray,
    scores: np.ndarray,
    to_find: np.ndarray,
    ignored_share: np.ndarray,
    thresholds: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Two masks (T, P) of the P predictions with ``iou`` (P, G): those that are right, and the wrong ones."""
    iou = np.pad(iou, ((0, 0), (0, 1)))  # an object that nothing finds, so that there is one
    best, best_iou = iou.argmax(axis=1), iou.max(axis=1)
    found = best_iou > thresholds[:, None]
    rank = np.empty(len(scores), dtype=np.int64)
    rank[np.argsort(-scores, kind='stable')] = np.arange(len(scores))
    outranked_by = (best[:, None] == best) & (rank[:, None] > rank)
    beaten = (found[:, None] & outranked_by).any(axis=2)
    counts = np.append(to_find, False)[best]
    right = found & counts & ~beaten
    wrong = (found & counts & beaten) | (~found & (ignored_share <= thresholds[:, None]))
    return right, wrong


def _area_under_curve(scores: np.ndarray, right: np.ndarray, num_objects: int) -> float:
    """Area under the precision-recall curve, with one point per different score.

    Each point's precision is weighted with half the recall between its two neighbors; the curve is
    drawn on to the point (recall 0, precision 1).
    """
    if not scores.size:
        return 0.0
    ascending = np.argsort(scores)
    _, first = np.unique(scores[ascending], return_index=True)
    right_below = np.concatenate([[0], np.cumsum(right[ascending])])[first]
    hits = right.sum() - right_below
    precision = np.append(hits / (len(scores) - first), 1.0)
    recall = np.append(hits / num_objects, 0.0)
    widths = np.concatenate([recall[:1], recall[:-1]]) - np.append(recall[1:], 0.0)
    return float(precision @ widths / 2)


def _as_array(values: np.ndarray | torch.Tensor) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def _check(
    labels: np.ndarray,
    scores: np.ndarray,
    masks: np.ndarray,
    id_map: np.ndarray,
    thresholds: np.ndarray,
) -> None:
    if len({len(labels), len(scores), len(masks)}) > 1:
        raise ValueError(
            f'labels, scores and masks must be of one length, got {len(labels)}, {len(scores)} '
            f'and {len(masks)}'
        )
    if masks.dtype != bool or masks.shape[1:] != id_map.shape:
        raise ValueError(
            f'masks must be bool (N, {", ".join(map(str, id_map.shape))}) as the id map is, got '
            f'{masks.dtype} {masks.shape}'
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < len(THING_LABEL_IDS):
        raise ValueError(
            f'labels must be 0 to {len(THING_LABEL_IDS) - 1}, got {labels.min()} to {labels.max()}'
        )
    check_instance_ids(id_map)
    if thresholds.min() < 0.5:
        raise ValueError(f'iou_thresholds must be at least 0.5, got {thresholds.min()}')
