"""Panoptic quality (Kirillov et al., CVPR 2019), as COCO and Cityscapes compute it.

Counts add up: those of a dataset are the sum of its images' counts, and every score is a function of that
one sum. Scores are in percent, [0, 100]; NaN says there was nothing to score.
"""

from collections.abc import Sequence

import numpy as np
import torch

from mmforecast.structures.cityscapes import EVALUATED_CLASSES, MAX_INSTANCE_ID, MOVING_TRAIN_IDS, label_of
from mmforecast.structures.panoptic import VOID

# Classes that scores are averaged over, by the ending of the scores' names.
PANOPTIC_GROUPS = {
    '': tuple(range(len(EVALUATED_CLASSES))),
    '-things': MOVING_TRAIN_IDS,
    '-stuff': tuple(index for index, row in enumerate(EVALUATED_CLASSES) if not row.moving),
}
# Columns of the counts.
IOU, TP, FP, FN = range(4)
_MATCH_IOU = 0.5
_IGNORED_SHARE = 0.5
_VOID_CLASS = -1


def _class_of_id() -> np.ndarray:
    """Train id of each panoptic id; -1 for void, -2 for what is no panoptic id."""
    labels = label_of(np.arange(MAX_INSTANCE_ID + 1))
    classes = np.full(len(labels), -2)
    classes[VOID] = _VOID_CLASS
    for index, row in enumerate(EVALUATED_CLASSES):
        is_segment = labels == row.label_id
        if not row.moving:
            is_segment[1000:] = False
        classes[is_segment] = index
    return classes


_CLASS_OF_ID = _class_of_id()
_IS_CROWD = (np.arange(MAX_INSTANCE_ID + 1) < 1000) & np.isin(_CLASS_OF_ID, MOVING_TRAIN_IDS)


def panoptic_counts(pred: np.ndarray | torch.Tensor, target: np.ndarray | torch.Tensor) -> np.ndarray:
    """Match the segments of a predicted panoptic map with the true ones.

    A predicted and a true segment of one class match where their IoU is above 0.5; void pixels of the target
    count for neither. Unmatched predictions that lie for more than half on void and on the crowd of their
    class are no errors, and neither is an unmatched crowd. Void pixels of the prediction are plain misses.

    Args:
        pred: Integer (H, W), see :mod:`mmforecast.structures.panoptic`.
        target: The same shape; bare label ids of things are crowds.

    Returns:
        float64 (19, 4) by train id: the sum of the IoU of matches, and the numbers of matches (TP), of
        predictions without a partner (FP) and of true segments without one (FN).

    Raises:
        TypeError: A map is not of an integer type.
        ValueError: The shapes differ, or a value is no id of a panoptic map.
    """
    pred, target = _checked(pred, 'pred'), _checked(target, 'target')
    if pred.shape != target.shape:
        raise ValueError(
            f'pred has shape {pred.shape} but target has {target.shape}: bring both to one size before scoring'
        )
    pred_ids, true_ids, common = _intersections(pred, target)
    pred_area = np.bincount(pred_ids, weights=common, minlength=MAX_INSTANCE_ID + 1)
    true_area = np.bincount(true_ids, weights=common, minlength=MAX_INSTANCE_ID + 1)
    pred_class, true_class = _CLASS_OF_ID[pred_ids], _CLASS_OF_ID[true_ids]

    in_void = np.zeros(MAX_INSTANCE_ID + 1)
    on_void = true_class == _VOID_CLASS
    in_void[pred_ids[on_void]] = common[on_void]
    union = pred_area[pred_ids] + true_area[true_ids] - common - in_void[pred_ids]
    same = (pred_class == true_class) & (pred_class != _VOID_CLASS)
    iou = np.where(same & ~_IS_CROWD[true_ids], common / np.maximum(union, 1), 0)
    matched = iou > _MATCH_IOU

    ignored = in_void
    in_crowd = same & _IS_CROWD[true_ids]
    ignored[pred_ids[in_crowd]] += common[in_crowd]
    unmatched_pred = np.setdiff1d(pred_ids[pred_class != _VOID_CLASS], pred_ids[matched])
    counted = ignored[unmatched_pred] / pred_area[unmatched_pred] <= _IGNORED_SHARE
    to_find = true_ids[(true_class != _VOID_CLASS) & ~_IS_CROWD[true_ids]]
    unmatched_true = np.setdiff1d(to_find, true_ids[matched])

    counts = np.zeros((len(EVALUATED_CLASSES), 4))
    np.add.at(counts[:, IOU], pred_class[matched], iou[matched])
    np.add.at(counts[:, TP], pred_class[matched], 1)
    np.add.at(counts[:, FP], _CLASS_OF_ID[unmatched_pred[counted]], 1)
    np.add.at(counts[:, FN], _CLASS_OF_ID[unmatched_true], 1)
    return counts


def panoptic_quality(counts: np.ndarray) -> np.ndarray:
    """PQ, SQ and RQ of each class.

    PQ is the product of the segmentation quality SQ, the mean IoU of matches (0 without a match), and of the
    recognition quality RQ, TP / (TP + FP / 2 + FN / 2).

    Args:
        counts: (C, 4), see :func:`panoptic_counts`, or a sum of such.

    Returns:
        float64 (C, 3), percent; NaN for a class without any segment, true or predicted.
    """
    counts = np.asarray(counts, dtype=np.float64)
    present = counts[:, TP:].sum(axis=1) > 0
    scores = np.full((len(counts), 3), np.nan)
    iou, matches, false, missed = counts[present].T
    whole = matches + false / 2 + missed / 2
    scores[present] = 100 * np.stack([iou / whole, iou / np.maximum(matches, 1), matches / whole], axis=1)
    return scores


def mean_panoptic_quality(counts: np.ndarray, classes: Sequence[int]) -> tuple[float, float, float]:
    """Means of :func:`panoptic_quality` over those of ``classes`` that are present: PQ, SQ, RQ.

    PQ = SQ * RQ holds for a class, not for the means. NaN when none of the classes is present.
    """
    scores = panoptic_quality(counts)[list(classes)]
    scores = scores[~np.isnan(scores[:, 0])]
    return tuple(scores.mean(axis=0).tolist()) if len(scores) else (float('nan'),) * 3


def _intersections(pred: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of ids that meet, (K,) predicted and (K,) true, and the number of pixels of each pair."""
    keys = (target.astype(np.uint32) << 16 | pred.astype(np.uint32)).ravel()
    # Runs of equal pixels first: there are far fewer than pixels, and only they are sorted.
    starts = np.append(0, np.flatnonzero(keys[1:] != keys[:-1]) + 1)[: keys.size]
    lengths = np.diff(starts, append=keys.size)
    pairs, number = np.unique(keys[starts], return_inverse=True)
    common = np.bincount(number.ravel(), weights=lengths, minlength=len(pairs))
    return _known_ids(pairs & 0xFFFF, 'pred'), _known_ids(pairs >> 16, 'target'), common


def _checked(panoptic: np.ndarray | torch.Tensor, name: str) -> np.ndarray:
    if isinstance(panoptic, torch.Tensor):
        panoptic = panoptic.detach().cpu().numpy()
    panoptic = np.asarray(panoptic)
    if panoptic.dtype.kind not in 'iu':
        raise TypeError(f'{name} must hold integer ids, got {panoptic.dtype}: give a panoptic map')
    if panoptic.size:
        _known_ids(np.array([panoptic.min(), panoptic.max()]), name, within=True)
    return panoptic


def _known_ids(ids: np.ndarray, name: str, within: bool = False) -> np.ndarray:
    """``ids`` as int64, if they are those of a panoptic map, or at least ``within`` the range."""
    ids = ids.astype(np.int64)
    unknown = (ids < 0) | (ids > MAX_INSTANCE_ID)
    if not within:
        unknown = _CLASS_OF_ID[ids] < _VOID_CLASS
    if unknown.any():
        raise ValueError(
            f'{name} holds {ids[unknown][0]}, but panoptic maps hold 0 (void), label ids of evaluated '
            'classes, and label_id * 1000 + n on their things: for instanceIds take panoptic_from_id_map first'
        )
    return ids
