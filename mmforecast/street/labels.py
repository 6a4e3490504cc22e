"""The part of Cityscapes' label table that the synthetic street draws: ids, train ids, colors,
kinds."""

from typing import NamedTuple

import numpy as np

from mmforecast.structures.cityscapes import (
    CITYSCAPES_LABEL_TO_TRAIN_ID,
    CITYSCAPES_METAINFO,
    IGNORE_INDEX,
)

__all__ = [
    'IGNORE',
    'LABELS',
    'MOVING_TRAIN_IDS',
    'NUM_CLASSES',
    'THING_IDS',
    'TRAIN_COLOURS',
    'TRAIN_ID_OF',
    'TRAIN_NAMES',
    'label_id',
    'to_train_ids',
]


class Label(NamedTuple):
    """One row of Cityscapes' label table; ``train_id`` 255 means "not evaluated"."""

    name: str
    id: int
    train_id: int
    has_instances: bool
    color: tuple


IGNORE = IGNORE_INDEX
MOVING_TRAIN_IDS = CITYSCAPES_METAINFO['moving_ids']
NUM_CLASSES = len(CITYSCAPES_METAINFO['classes'])
# The moving classes are those with instances.
LABELS = (
    Label('unlabeled', 0, IGNORE, False, (0, 0, 0)),
    *(
        Label(
            CITYSCAPES_METAINFO['classes'][train_id],
            label,
            train_id,
            train_id in MOVING_TRAIN_IDS,
            CITYSCAPES_METAINFO['palette'][train_id],
        )
        for label, train_id in sorted(CITYSCAPES_LABEL_TO_TRAIN_ID.items())
        if train_id != IGNORE
    ),
)
THING_IDS = tuple(label.id for label in LABELS if label.has_instances)
TRAIN_NAMES = tuple(label.name for label in LABELS if label.train_id != IGNORE)

_IDS = {label.name: label.id for label in LABELS}

TRAIN_ID_OF = np.full(256, IGNORE, np.uint8)
TRAIN_COLOURS = np.zeros((256, 3), np.uint8)
for _label in LABELS:
    TRAIN_ID_OF[_label.id] = _label.train_id
    if _label.train_id != IGNORE:
        TRAIN_COLOURS[_label.train_id] = _label.color
TRAIN_ID_OF.setflags(write=False)
TRAIN_COLOURS.setflags(write=False)


def label_id(name: str) -> int:
    """The labelId of a class name; KeyError for a name the street doesn't draw."""
    return _IDS[name]


def to_train_ids(label_ids: np.ndarray) -> np.ndarray:
    """Map labelIds (any shape, uint8) to train ids (uint8, 255 where not evaluated)."""
    return TRAIN_ID_OF[label_ids]
