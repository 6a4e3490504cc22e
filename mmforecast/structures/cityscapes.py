"""The label table of Cityscapes (Cordts et al., CVPR 2016): ids, names, colors and the moving classes.

Three numberings stand side by side: *label ids* (0 to 33, or -1) are those of the label files, *train ids*
(0 to 18, 255 for "not evaluated") index the 19 evaluated classes, and *labels* (0 to 7) index the eight moving
classes, those with instances. An ``instanceIds`` file holds a label id, or label id * 1000 + n for instance n.
"""

from typing import NamedTuple

import numpy as np

__all__ = [
    'CITYSCAPES_CLASSES',
    'CITYSCAPES_LABEL_TO_TRAIN_ID',
    'CITYSCAPES_METAINFO',
    'CITYSCAPES_PALETTE',
    'EVALUATED_CLASSES',
    'IGNORE_INDEX',
    'MAX_INSTANCE_ID',
    'MOVING_TRAIN_IDS',
    'THING_CLASSES',
    'THING_LABEL_IDS',
    'VOID_LABEL_IDS',
    'EvaluatedClass',
    'check_instance_ids',
    'is_thing',
    'label_of',
]

# The train id of what is not evaluated.
IGNORE_INDEX = 255
# The largest value of an ``instanceIds`` file.
MAX_INSTANCE_ID = 33999


class EvaluatedClass(NamedTuple):
    """A class that Cityscapes evaluates.

    Attributes:
        name: As mmseg and mmdet spell it.
        label_id: Its value in ``labelIds`` files.
        color: RGB.
        moving: Whether it has instances: people, riders and vehicles.
    """

    name: str
    label_id: int
    color: tuple[int, int, int]
    moving: bool = False


# In the order of the train ids.
EVALUATED_CLASSES = (
    EvaluatedClass('road', 7, (128, 64, 128)),
    EvaluatedClass('sidewalk', 8, (244, 35, 232)),
    EvaluatedClass('building', 11, (70, 70, 70)),
    EvaluatedClass('wall', 12, (102, 102, 156)),
    EvaluatedClass('fence', 13, (190, 153, 153)),
    EvaluatedClass('pole', 17, (153, 153, 153)),
    EvaluatedClass('traffic light', 19, (250, 170, 30)),
    EvaluatedClass('traffic sign', 20, (220, 220, 0)),
    EvaluatedClass('vegetation', 21, (107, 142, 35)),
    EvaluatedClass('terrain', 22, (152, 251, 152)),
    EvaluatedClass('sky', 23, (70, 130, 180)),
    EvaluatedClass('person', 24, (220, 20, 60), moving=True),
    EvaluatedClass('rider', 25, (255, 0, 0), moving=True),
    EvaluatedClass('car', 26, (0, 0, 142), moving=True),
    EvaluatedClass('truck', 27, (0, 0, 70), moving=True),
    EvaluatedClass('bus', 28, (0, 60, 100), moving=True),
    EvaluatedClass('train', 31, (0, 80, 100), moving=True),
    EvaluatedClass('motorcycle', 32, (0, 0, 230), moving=True),
    EvaluatedClass('bicycle', 33, (119, 11, 32), moving=True),
)
CITYSCAPES_CLASSES = tuple(row.name for row in EVALUATED_CLASSES)
CITYSCAPES_PALETTE = tuple(row.color for row in EVALUATED_CLASSES)

# The moving classes, in the order of the labels 0 to 7, which is mmdet's. Their train ids are consecutive.
MOVING_TRAIN_IDS = tuple(train_id for train_id, row in enumerate(EVALUATED_CLASSES) if row.moving)
THING_LABEL_IDS = tuple(row.label_id for row in EVALUATED_CLASSES if row.moving)
THING_CLASSES = tuple(row.name for row in EVALUATED_CLASSES if row.moving)

# Label ids that are not evaluated; -1 is the license plate's.
VOID_LABEL_IDS = tuple(sorted({*range(-1, 34)} - {row.label_id for row in EVALUATED_CLASSES}))

# Every value of a ``labelIds`` file: 0 to 33, and the license plate's -1, which an 8-bit PNG stores as 255.
CITYSCAPES_LABEL_TO_TRAIN_ID = {
    **dict.fromkeys((*range(34), 255), IGNORE_INDEX),
    **{row.label_id: train_id for train_id, row in enumerate(EVALUATED_CLASSES)},
}

# ``moving_ids`` are what "moving objects" (MO) scores are averaged over.
CITYSCAPES_METAINFO = dict(
    classes=CITYSCAPES_CLASSES,
    palette=CITYSCAPES_PALETTE,
    moving_ids=MOVING_TRAIN_IDS,
    fps=17.0,
)


def label_of(ids: np.ndarray) -> np.ndarray:
    """Label ids, -1 to 33, of the values of an ``instanceIds`` map."""
    return np.where(ids < 1000, ids, ids // 1000)


def is_thing(ids: np.ndarray) -> np.ndarray:
    """A mask of the ``ids`` that are instances or groups of the moving classes."""
    return np.isin(label_of(ids), THING_LABEL_IDS)


def check_instance_ids(id_map: np.ndarray) -> None:
    """Raise a ValueError on a value that no ``instanceIds`` file holds."""
    if id_map.min() < -1 or id_map.max() > MAX_INSTANCE_ID:
        raise ValueError(
            f'id_map holds ids from {id_map.min()} to {id_map.max()}, but those of Cityscapes '
            f'are -1 to {MAX_INSTANCE_ID}: load an instanceIds file'
        )
