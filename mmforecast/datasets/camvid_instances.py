"""Stand-ins for the instance labels that CamVid lacks: connected components of its label maps.

They are not true instances. Objects that touch each other become one, and an object that something
in front cuts apart becomes several. Ids count components within one frame; they are no tracks.
"""

import cv2
import numpy as np

from .labels import (
    CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID,
    CITYSCAPES_LABEL_TO_TRAIN_ID,
    IGNORE_INDEX,
)

__all__ = ['INSTANCE_SUFFIX', 'camvid_instance_ids', 'components_to_instances']

# The files' names: ``<frame name>_instanceIds.png``.
INSTANCE_SUFFIX = '_instanceIds.png'

# CamVid train id to Cityscapes label id of what moves: car, pedestrian -> person, bicyclist -> bicycle.
_THINGS = {8: 26, 9: 24, 10: 33}


def components_to_instances(train_id_map: np.ndarray, min_area: int = 40) -> np.ndarray:
    """Take every connected component (8 neighbors) of a moving class for an instance.

    Args:
        train_id_map: (H, W) CamVid train ids, 255 where unlabeled.
        min_area: Components of fewer pixels become a group: too small to be known as one object.
            40 pixels at CamVid's 480x360 are 6 at the configs' 192x144.

    Returns:
        (H, W) int32: ``label_id * 1000 + n`` on instances, with Cityscapes' label ids 24 person, 26
        car and 33 bicycle, n counting from 0; the bare label id on groups; 0 elsewhere.

    Raises:
        ValueError: A class has more than 1000 instances.
    """
    ids = np.zeros(train_id_map.shape, np.int32)
    for train_id, label in _THINGS.items():
        mask = (train_id_map == train_id).astype(np.uint8)
        count, components, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        large = stats[1:, cv2.CC_STAT_AREA] >= min_area
        if large.sum() > 1000:
            raise ValueError(
                f'{large.sum()} components of label {label} have {min_area} pixels or more, but '
                'Cityscapes numbers no more than 1000 instances of a label: raise min_area'
            )
        id_of = np.full(count, label, np.int32)
        id_of[0] = 0
        id_of[1:][large] = label * 1000 + np.arange(large.sum())
        ids += id_of[components]
    return ids


def camvid_instance_ids(train_id_map: np.ndarray, min_area: int = 40) -> np.ndarray:
    """A whole instanceIds map of a CamVid frame: :func:`components_to_instances` and the rest.

    What doesn't move bears Cityscapes' label id of its class, e.g. 7 for road, as an evaluation
    needs it: 0 is void, where nothing is scored.

    Returns:
        (H, W) int32.
    """
    ids = components_to_instances(train_id_map, min_area)
    return np.where(ids > 0, ids, _background_labels()[train_id_map])


def _background_labels() -> np.ndarray:
    """Cityscapes label id of every CamVid train id; 0, void, where there is none."""
    label_of = {train_id: label for label, train_id in CITYSCAPES_LABEL_TO_TRAIN_ID.items()}
    lut = np.zeros(256, np.int32)
    for own, train_id in CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID.items():
        if train_id != IGNORE_INDEX:
            lut[own] = label_of[train_id]
    return lut
