"""Panoptic maps: one segment at every pixel, in the ids of Cityscapes.

A map holds 0 on void; on stuff (the classes without instances) the label id, 7 for road; and on things
``label_id * 1000 + n``. In ground truth the bare label id of a thing is a group of things that nobody took
apart (a crowd); a prediction has none.
"""

import numpy as np
import torch

from .cityscapes import EVALUATED_CLASSES, MAX_INSTANCE_ID, VOID_LABEL_IDS, check_instance_ids, label_of

__all__ = ['STUFF_LABEL_IDS', 'VOID', 'panoptic_from_id_map', 'without_things']

VOID = 0
STUFF_LABEL_IDS = tuple(row.label_id for row in EVALUATED_CLASSES if not row.moving)

# Whether each id is of an evaluated class; the last is that of -1.
_IS_EVALUATED = ~np.isin(label_of(np.append(np.arange(MAX_INSTANCE_ID + 1), -1)), VOID_LABEL_IDS)


def panoptic_from_id_map(id_map: torch.Tensor | np.ndarray) -> torch.Tensor | np.ndarray:
    """The true panoptic map of Cityscapes' ``instanceIds``, of any shape and of its type.

    What Cityscapes doesn't evaluate is void, as is a frame without labels (-1).

    Raises:
        ValueError: ``id_map`` holds a value that Cityscapes doesn't know.
    """
    if isinstance(id_map, torch.Tensor):
        return torch.from_numpy(panoptic_from_id_map(id_map.cpu().numpy())).to(id_map.device)
    check_instance_ids(id_map)
    return np.where(_IS_EVALUATED[id_map], id_map, VOID).astype(id_map.dtype)


def without_things(panoptic: np.ndarray) -> np.ndarray:
    """uint8 train ids of the stuff in a panoptic map, 255 elsewhere."""
    train_ids = np.full(MAX_INSTANCE_ID + 1, 255, dtype=np.uint8)
    for train_id, row in enumerate(EVALUATED_CLASSES):
        if not row.moving:
            train_ids[row.label_id] = train_id
    return train_ids[panoptic]
