"""The part of Cityscapes' label table that the synthetic street draws: ids, train ids, colours,
kinds."""

from typing import NamedTuple

import numpy as np

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
    colour: tuple


IGNORE = 255
LABELS = (
    Label('unlabeled', 0, IGNORE, False, (0, 0, 0)),
    Label('road', 7, 0, False, (128, 64, 128)),
    Label('sidewalk', 8, 1, False, (244, 35, 232)),
    Label('building', 11, 2, False, (70, 70, 70)),
    Label('wall', 12, 3, False, (102, 102, 156)),
    Label('fence', 13, 4, False, (190, 153, 153)),
    Label('pole', 17, 5, False, (153, 153, 153)),
    Label('traffic light', 19, 6, False, (250, 170, 30)),
    Label('traffic sign', 20, 7, False, (220, 220, 0)),
    Label('vegetation', 21, 8, False, (107, 142, 35)),
    Label('terrain', 22, 9, False, (152, 251, 152)),
    Label('sky', 23, 10, False, (70, 130, 180)),
    Label('person', 24, 11, True, (220, 20, 60)),
    Label('rider', 25, 12, True, (255, 0, 0)),
    Label('car', 26, 13, True, (0, 0, 142)),
    Label('truck', 27, 14, True, (0, 0, 70)),
    Label('bus', 28, 15, True, (0, 60, 100)),
    Label('train', 31, 16, True, (0, 80, 100)),
    Label('motorcycle', 32, 17, True, (0, 0, 230)),
    Label('bicycle', 33, 18, True, (119, 11, 32)),
)
NUM_CLASSES = 19
MOVING_TRAIN_IDS = tuple(range(11, 19))
THING_IDS = tuple(label.id for label in LABELS if label.has_instances)
TRAIN_NAMES = tuple(label.name for label in LABELS if label.train_id != IGNORE)

_IDS = {label.name: label.id for label in LABELS}

TRAIN_ID_OF = np.full(256, IGNORE, np.uint8)
TRAIN_COLOURS = np.zeros((256, 3), np.uint8)
for _label in LABELS:
    TRAIN_ID_OF[_label.id] = _label.train_id
    if _label.train_id != IGNORE:
        TRAIN_COLOURS[_label.train_id] = _label.colour
TRAIN_ID_OF.setflags(write=False)
TRAIN_COLOURS.setflags(write=False)


def label_id(name: str) -> int:
    """The labelId of a class name; KeyError for a name the street doesn't draw."""
    return _IDS[name]


def to_train_ids(label_ids: np.ndarray) -> np.ndarray:
    """Map labelIds (any shape, uint8) to train ids (uint8, 255 where not evaluated)."""
    return TRAIN_ID_OF[label_ids]
