"""The classes of a detector by name, and Cityscapes' moving classes among them."""

from collections.abc import Sequence

import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.structures.cityscapes import THING_CLASSES

_NUM_COCO_CLASSES = 80
# Names of other data sets for a class of Cityscapes.
_SYNONYMS = {'pedestrian': 'person', 'motorbike': 'motorcycle'}


def num_classes_of(detector: nn.Module) -> int | None:
    """How many classes of instances an mmdet detector tells apart; None where its heads don't say."""
    roi_head = getattr(detector, 'roi_head', None)
    holders = [getattr(roi_head, 'bbox_head', None)]
    holders += [getattr(detector, name, None) for name in ('bbox_head', 'mask_head', 'panoptic_head')]
    for head in holders:
        if isinstance(head, nn.ModuleList):  # one per stage
            head = head[-1]
        count = getattr(head, 'num_things_classes', None) or getattr(head, 'num_classes', None)
        if isinstance(count, int):
            return count
    return None


def class_names(detector: nn.Module) -> tuple[str, ...] | None:
    """Names of a detector's classes; None where nothing tells.

    They are those of ``dataset_meta``, which its checkpoint brings. Without them, 8 classes are Cityscapes'
    and 80 are COCO's.
    """
    count = num_classes_of(detector)
    meta = {key.lower(): value for key, value in (getattr(detector, 'dataset_meta', None) or {}).items()}
    for names in (meta.get('thing_classes'), meta.get('classes')):
        if names is not None and not isinstance(names, str) and len(names) == count:
            return tuple(map(str, names))
    if count == len(THING_CLASSES):
        return THING_CLASSES
    if count == _NUM_COCO_CLASSES:
        from mmdet.datasets import CocoDataset

        return tuple(CocoDataset.METAINFO['classes'])
    return None


def cityscapes_labels(names: Sequence[str]) -> Tensor:
    """(N,) int64: the label 0 to 7 in Cityscapes of each class, by its name; -1 where it has none."""
    plain = [name.lower().strip() for name in names]
    plain = [_SYNONYMS.get(name, name) for name in plain]
    return torch.tensor([THING_CLASSES.index(n) if n in THING_CLASSES else -1 for n in plain])


def inverse_labels(labels: Tensor) -> Tensor:
    """(8,) int64: the detector's own label of each class of Cityscapes; -1 where it has none.

    Args:
        labels: (N,) as of :func:`cityscapes_labels`; of several classes with one label the first counts.
    """
    own = torch.full((len(THING_CLASSES),), -1)
    for index, label in reversed(list(enumerate(labels.tolist()))):
        if label >= 0:
            own[label] = index
    return own
