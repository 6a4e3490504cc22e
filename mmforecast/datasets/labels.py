"""Label tables of the driving data sets: class names, palettes, moving objects and id mappings.

Train ids index ``classes``; 255 is 'ignore' everywhere.
"""

__all__ = [
    'CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID',
    'CAMVID_LABEL_TO_TRAIN_ID',
    'CAMVID_METAINFO',
    'CITYSCAPES_LABEL_TO_TRAIN_ID',
    'CITYSCAPES_METAINFO',
    'IGNORE_INDEX',
]

IGNORE_INDEX = 255

# The 19 evaluated classes of Cityscapes (Cordts et al., CVPR 2016) by train id, and the eight
# moving ones that "moving objects" (MO) scores are averaged over.
CITYSCAPES_METAINFO = dict(
    classes=(
        'road',
        'sidewalk',
        'building',
        'wall',
        'fence',
        'pole',
        'traffic light',
        'traffic sign',
        'vegetation',
        'terrain',
        'sky',
        'person',
        'rider',
        'car',
        'truck',
        'bus',
        'train',
        'motorcycle',
        'bicycle',
    ),
    palette=(
        (128, 64, 128),
        (244, 35, 232),
        (70, 70, 70),
        (102, 102, 156),
        (190, 153, 153),
        (153, 153, 153),
        (250, 170, 30),
        (220, 220, 0),
        (107, 142, 35),
        (152, 251, 152),
        (70, 130, 180),
        (220, 20, 60),
        (255, 0, 0),
        (0, 0, 142),
        (0, 0, 70),
        (0, 60, 100),
        (0, 80, 100),
        (0, 0, 230),
        (119, 11, 32),
    ),
    moving_ids=(11, 12, 13, 14, 15, 16, 17, 18),
    fps=17.0,
)

_CITYSCAPES_EVALUATED = {
    7: 0,
    8: 1,
    11: 2,
    12: 3,
    13: 4,
    17: 5,
    19: 6,
    20: 7,
    21: 8,
    22: 9,
    23: 10,
    24: 11,
    25: 12,
    26: 13,
    27: 14,
    28: 15,
    31: 16,
    32: 17,
    33: 18,
}

# Every value a labelIds file can hold: ids 0 to 33, and the licence plate's -1, which an 8-bit PNG
# stores as 255.
CITYSCAPES_LABEL_TO_TRAIN_ID = {
    label: _CITYSCAPES_EVALUATED.get(label, IGNORE_INDEX) for label in (*range(34), 255)
}

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
