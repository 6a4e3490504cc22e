"""Label maps of moving objects alone: 0 is everything else, 1 to 8 the classes with instances.

This is how F2F (arXiv 1803.11496, section 4.1) reads instances as a segmentation: all classes without
instances are one background, which takes part in the counts, but not in the mean. Void isn't scored.
"""

import numpy as np
import torch

from mmforecast.structures.cityscapes import (
    IGNORE_INDEX,
    MAX_INSTANCE_ID,
    MOVING_TRAIN_IDS,
    THING_LABEL_IDS,
    VOID_LABEL_IDS,
    check_instance_ids,
    label_of,
)

# Classes of a confusion matrix that ``mean_iou`` is to average over.
MOVING_CLASSES = tuple(range(1, len(THING_LABEL_IDS) + 1))


def _class_of_id() -> np.ndarray:
    """uint8 class of each value of an id map; the last is that of -1."""
    labels = label_of(np.append(np.arange(MAX_INSTANCE_ID + 1), -1))
    classes = np.where(np.isin(labels, VOID_LABEL_IDS), IGNORE_INDEX, 0).astype(np.uint8)
    for label, moving_class in zip(THING_LABEL_IDS, MOVING_CLASSES):
        classes[labels == label] = moving_class
    return classes


_CLASS_OF_ID = _class_of_id()


def moving_from_id_map(id_map: np.ndarray) -> np.ndarray:
    """Ground truth, from integer Cityscapes ``instanceIds`` (H, W).

    Returns:
        uint8 (H, W): 0 to 8, and 255 (ignore) on void and on caravans and trailers, which Cityscapes
        doesn't evaluate. A group of cars is car.

    Raises:
        ValueError: ``id_map`` holds a value that Cityscapes doesn't know.
    """
    check_instance_ids(id_map)
    return np.take(_CLASS_OF_ID, id_map)


def moving_from_train_ids(sem_seg: np.ndarray | torch.Tensor) -> np.ndarray:
    """A forecast, from integer train ids of any shape: 11 to 18 are 1 to 8, anything else is 0."""
    if isinstance(sem_seg, torch.Tensor):
        sem_seg = sem_seg.detach().cpu().numpy()
    first, last = MOVING_TRAIN_IDS[0], MOVING_TRAIN_IDS[-1]
    moving = (sem_seg >= first) & (sem_seg <= last)
    return (sem_seg - (first - 1)).astype(np.uint8) * moving
