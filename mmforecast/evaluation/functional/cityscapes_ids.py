"""What the values of Cityscapes' ``instanceIds`` mean to an evaluation.

A value is a label id (0 to 33, or -1), or label id * 1000 + n for instance n of a label.
"""

import numpy as np

from mmforecast.structures.instances import THING_LABEL_IDS

# Labels that Cityscapes ignores in evaluation; 29 and 30 are caravan and trailer.
VOID_LABEL_IDS = (-1, 0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)
MAX_ID = 33999


def is_thing(ids: np.ndarray) -> np.ndarray:
    """Where ``ids`` are instances or groups of the eight classes in ``THING_LABEL_IDS``."""
    return np.isin(label_of(ids), THING_LABEL_IDS)


def label_of(ids: np.ndarray) -> np.ndarray:
    """Label ids, -1 to 33."""
    return np.where(ids < 1000, ids, ids // 1000)


def check_ids(id_map: np.ndarray) -> None:
    """Raise a ValueError on a value that no ``instanceIds`` file holds."""
    if id_map.min() < -1 or id_map.max() > MAX_ID:
        raise ValueError(
            f'id_map holds ids from {id_map.min()} to {id_map.max()}, but those of Cityscapes '
            f'are -1 to {MAX_ID}: load an instanceIds file'
        )
