"""Label tables of CamVid: class names, palette, moving objects and id mappings.

Train ids index ``classes``; 255 is 'ignore' everywhere. Cityscapes' table is
:mod:`mmforecast.structures.cityscapes`.
"""

from mmforecast.structures.cityscapes import (
    CITYSCAPES_LABEL_TO_TRAIN_ID,
    CITYSCAPES_METAINFO,
    IGNORE_INDEX,
)

__all__ = [
    'CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID',
    'CAMVID_LABEL_TO_TRAIN_ID',
    'CAMVID_METAINFO',
    'CITYSCAPES_LABEL_TO_TRAIN_ID',
    'CITYSCAPES_METAINFO',
    'IGNORE_INDEX',
]

# The 11 classes that CamVid (Brostow et al., 2009) is scored on, in the order of the 12-label
# version.
CAMVID_METAINFO = dict(
    classes=(
        'sky',
        'building',
        'pole',
        'road',
        'pavement',
        'tree',
        'sign',
        'fence',
        'car',
        'pedestrian',
        'bicyclist',
    ),
    palette=(
        (128, 128, 128),
        (128, 0, 0),
        (192, 192, 128),
        (128, 64, 128),
        (60, 40, 222),
        (128, 128, 0),
        (192, 128, 128),
        (64, 64, 128),
        (64, 0, 128),
        (64, 64, 0),
        (0, 128, 192),
    ),
    moving_ids=(8, 9, 10),
)

_CAMVID_VOID = {11: IGNORE_INDEX, 255: IGNORE_INDEX}

CAMVID_LABEL_TO_TRAIN_ID = {**{label: label for label in range(11)}, **_CAMVID_VOID}

# CamVid labels in Cityscapes' classes, so that a model of 19 classes can be scored on CamVid as it
# is. A CamVid bicyclist is person and bicycle in one; 'rider' is the larger part of it.
CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID = {
    0: 10,  # sky
    1: 2,  # building
    2: 5,  # pole
    3: 0,  # road
    4: 1,  # pavement -> sidewalk
    5: 8,  # tree -> vegetation
    6: 7,  # sign -> traffic sign
    7: 4,  # fence
    8: 13,  # car
    9: 11,  # pedestrian -> person
    10: 12,  # bicyclist -> rider
    **_CAMVID_VOID,
}
