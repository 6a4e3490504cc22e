"""The label table of Cityscapes, against hand-written values, mmseg, mmdet and the official scripts."""

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import labels as official_labels
from mmseg.datasets import CityscapesDataset

from mmforecast.structures import cityscapes
from mmforecast.structures.cityscapes import (
    CITYSCAPES_LABEL_TO_TRAIN_ID,
    CITYSCAPES_METAINFO,
    EVALUATED_CLASSES,
    MOVING_TRAIN_IDS,
    THING_CLASSES,
    THING_LABEL_IDS,
    VOID_LABEL_IDS,
    check_instance_ids,
    is_thing,
    label_of,
)


def test_moving_classes_by_hand():
    assert THING_LABEL_IDS == (24, 25, 26, 27, 28, 31, 32, 33)
    assert MOVING_TRAIN_IDS == (11, 12, 13, 14, 15, 16, 17, 18)
    assert THING_CLASSES == ('person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle', 'bicycle')
    assert VOID_LABEL_IDS == (-1, 0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)
    assert EVALUATED_CLASSES[13] == ('car', 26, (0, 0, 142), True)
    assert EVALUATED_CLASSES[0] == ('road', 7, (128, 64, 128), False)


def test_classes_and_colors_are_those_of_mmseg():
    theirs = CityscapesDataset.METAINFO
    assert CITYSCAPES_METAINFO['classes'] == tuple(theirs['classes'])
    assert CITYSCAPES_METAINFO['palette'] == tuple(map(tuple, theirs['palette']))
    assert CITYSCAPES_METAINFO['moving_ids'] == MOVING_TRAIN_IDS


def test_moving_classes_are_those_of_mmdet():
    from mmdet.datasets import CityscapesDataset as CityscapesInstances  # slow to import

    assert THING_CLASSES == tuple(CityscapesInstances.METAINFO['classes'])


def test_ids_are_those_of_the_official_scripts():
    for label in official_labels:
        raw = 255 if label.id == -1 else label.id
        assert CITYSCAPES_LABEL_TO_TRAIN_ID[raw] == (255 if label.ignoreInEval else label.trainId)
    assert len(CITYSCAPES_LABEL_TO_TRAIN_ID) == len(official_labels) == 35
    evaluated = [label for label in official_labels if not label.ignoreInEval]
    for label, ours in zip(evaluated, EVALUATED_CLASSES, strict=True):
        assert (label.name, label.id, label.color, label.hasInstances) == ours


def test_values_of_instance_maps():
    ids = np.array([-1, 7, 26, 26003, 29001, 33999])
    assert label_of(ids).tolist() == [-1, 7, 26, 26, 29, 33]
    assert is_thing(ids).tolist() == [False, False, True, True, False, True]
    check_instance_ids(ids)
    for wrong in (-2, 34000):
        with pytest.raises(ValueError, match='those of Cityscapes are -1 to 33999'):
            check_instance_ids(np.array([wrong]))


def test_everything_public_is_listed():
    names = {name for name in vars(cityscapes) if not name.startswith('_')} - {'NamedTuple', 'np'}
    assert names == set(cityscapes.__all__)
