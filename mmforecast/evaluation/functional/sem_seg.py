"""The math of semantic segmentation scores: confusion counts, IoU and accuracies.

Counts add up: the confusion of a dataset is the sum of its images' confusions, in any order, and
every score is a function of that one sum (the S2S paper, arXiv 1703.07684, scores a dataset, not
the mean over its images). Scores are in percent, [0, 100]; NaN says there was nothing to score.
"""

from collections.abc import Sequence

import numpy as np
import torch

LabelMap = np.ndarray | torch.Tensor


def confusion_matrix(
    pred: LabelMap, target: LabelMap, num_classes: int, ignore_index: int = 255
) -> np.ndarray:
    """Count pixels by true and predicted class.

    Args:
        pred: Integer class ids of any shape. A value outside [0, num_classes) names no class; it
            is counted as an error of the pixel's true class.
        target: Integer class ids, same shape as ``pred``.
        num_classes: Number of classes C.
        ignore_index: Pixels with this value in ``target`` are not counted, whatever is predicted.

    Returns:
        int64 (C, C + 1): entry [i, j] is the number of pixels of true class i predicted as j; the
        last column holds the pixels predicted as no class.

    Raises:
        TypeError: A map is not of an integer type.
        ValueError: The shapes differ, or ``target`` holds a value that is neither a class nor
            ``ignore_index``.
    """
    pred, target = _as_labels(pred, 'pred'), _as_labels(target, 'target')
    if pred.shape != target.shape:
        raise ValueError(
            f'pred has shape {pred.shape} but target has {target.shape}: bring both to one size before scoring'
        )
    counted = target != ignore_index
    pred, target = pred[counted], target[counted]
    if target.size and (target.min() < 0 or target.max() >= num_classes):
        raise ValueError(
            f'target holds labels from {target.min()} to {target.max()}, but the '
            f'classes are 0 to {num_classes - 1} and ignore_index is {ignore_index}: '
            'map raw labels to train ids first'
        )
    pred = np.where((pred >= 0) & (pred < num_classes), pred, num_classes)
    pairs = target * (num_classes + 1) + pred
    counts = np.bincount(pairs, minlength=num_classes * (num_classes + 1))
    return counts.reshape(num_classes, num_classes + 1).astype(np.int64)


def iou_per_class(conf: np.ndarray) -> np.ndarray:
    """Intersection over union of each class, TP / (TP + FP + FN).

    A class without a single true pixel is absent and gets NaN, even where it is predicted: the S2S
    evaluation skips classes whose row of the confusion is empty. (mmseg's ``IoUMetric`` gives such
    a class 0 as soon as one pixel is predicted as it.) Those pixels are not forgotten: they are
    misses of the classes they truly belong to.

    Args:
        conf: Counts (C, C + 1) as made by :func:`confusion_matrix`, or a square (C, C).

    Returns:
        float64 (C,), percent or NaN.
    """
    conf = _checked(conf)
    true_pixels = conf.sum(axis=1)
    predicted = conf[:, : conf.shape[0]].sum(axis=0)
    hits = np.diagonal(conf)
    return _percent(hits, true_pixels + predicted - hits, present=true_pixels > 0)


def mean_iou(conf: np.ndarray, classes: Sequence[int] | None = None) -> float:
    """Mean of :func:`iou_per_class` over the classes that are present.

    Args:
        conf: Counts, see :func:`iou_per_class`.
        classes: Class ids to average over, all if None. IoU-MO, the moving objects of Cityscapes,
            is the mean over train ids 11 to 18.

    Returns:
        Percent, or NaN when none of the classes is present.
    """
    iou = iou_per_class(conf)
    if classes is not None:
        unknown = [index for index in classes if not 0 <= index < iou.size]
        if unknown:
            raise ValueError(f'classes holds {unknown}, but there are {iou.size} classes, 0 to {iou.size - 1}')
        iou = iou[list(classes)]
    return _mean_of_present(iou)


def pixel_accuracy(conf: np.ndarray) -> float:
    """Share of the counted pixels whose class is right; NaN when no pixel was counted."""
    conf = _checked(conf)
    total = conf.sum()
    return float(100 * np.trace(conf) / total) if total else float('nan')


def per_class_accuracy(conf: np.ndarray) -> np.ndarray:
    """Recall of each class, TP / (TP + FN): float64 (C,), percent, NaN for absent classes."""
    conf = _checked(conf)
    true_pixels = conf.sum(axis=1)
    return _percent(np.diagonal(conf), true_pixels, present=true_pixels > 0)


def mean_class_accuracy(conf: np.ndarray) -> float:
    """Mean of :func:`per_class_accuracy` over the classes present; NaN when there is none."""
    return _mean_of_present(per_class_accuracy(conf))


def row_shares(conf: np.ndarray) -> np.ndarray:
    """A confusion in percent of the true pixels: each row sums to 100, that of an absent class is NaN."""
    conf = _checked(conf)
    true_pixels = np.broadcast_to(conf.sum(axis=1, keepdims=True), conf.shape)
    return _percent(conf, true_pixels, present=true_pixels > 0)


def _as_labels(label_map: LabelMap, name: str) -> np.ndarray:
    if isinstance(label_map, torch.Tensor):
        label_map = label_map.detach().cpu().numpy()
    label_map = np.asarray(label_map)
    if label_map.dtype.kind not in 'iu':
        raise TypeError(
            f'{name} must hold integer class ids, got {label_map.dtype}: take the argmax of scores first'
        )
    return label_map.astype(np.int64)


def _checked(conf: np.ndarray) -> np.ndarray:
    conf = np.asarray(conf)
    if conf.ndim != 2 or conf.shape[1] - conf.shape[0] not in (0, 1):
        raise ValueError(f'conf must be counts of shape (C, C) or (C, C + 1), got {conf.shape}')
    return conf


def _percent(part: np.ndarray, whole: np.ndarray, present: np.ndarray) -> np.ndarray:
    result = np.full(part.shape, np.nan)
    return np.divide(100.0 * part, whole, out=result, where=present)


def _mean_of_present(values: np.ndarray) -> float:
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else float('nan')
