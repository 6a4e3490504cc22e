"""Panoptic maps: merging by hand cases, segments, and the truth of a clip."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.structures import ForecastDataSample, merge_panoptic
from mmforecast.structures.panoptic import segments_of, stuff_of

ROAD, SKY, CAR_ID = 7, 23, 26


def instances_of(*rows):
    """InstanceData of one row of 8 pixels, from (label, score, start, end)."""
    masks = torch.zeros((len(rows), 1, 8), dtype=torch.bool)
    for mask, (_, _, start, end) in zip(masks, rows):
        mask[0, start:end] = True
    labels, scores = (torch.tensor([row[index] for row in rows]) for index in (0, 1))
    return InstanceData(labels=labels, scores=scores, masks=masks)


LABELS = np.array([[ROAD] * 5 + [CAR_ID] + [SKY] * 2])


@pytest.mark.parametrize(
    ('rows', 'settings', 'expected'),
    [
        # nothing to paste: the thing's pixels of the label map are void
        ([], {}, [7, 7, 7, 7, 7, 0, 23, 23]),
        # the surest first, numbered by class; below the threshold is left out
        (
            [(2, 0.6, 0, 2), (2, 0.9, 2, 4), (0, 0.5, 4, 5), (2, 0.49, 5, 8)],
            {},
            [26001, 26001, 26000, 26000, 24000, 0, 23, 23],
        ),
        # half hidden is kept, and gets what is free; more than half is dropped
        ([(2, 0.9, 0, 4), (2, 0.8, 2, 6)], {}, [26000] * 4 + [26001] * 2 + [23] * 2),
        ([(2, 0.9, 0, 4), (2, 0.8, 1, 6)], {}, [26000] * 4 + [7, 0, 23, 23]),
        ([(2, 0.9, 0, 4), (2, 0.8, 1, 6)], dict(overlap_thr=0.6), [26000] * 4 + [26001] * 2 + [23] * 2),
        # one that is hidden altogether has no segment, whatever the threshold
        ([(2, 0.9, 0, 4), (2, 0.8, 1, 3)], dict(overlap_thr=1), [26000] * 4 + [7, 0, 23, 23]),
        # equal scores keep their order
        ([(2, 0.9, 0, 2), (2, 0.9, 4, 6)], {}, [26000] * 2 + [7] * 2 + [26001] * 2 + [23] * 2),
        # the free pixels of stuff count: 2 of road are too few, 2 of sky as well
        ([(2, 0.9, 0, 3)], dict(stuff_area=2), [26000] * 3 + [7] * 2 + [0] + [23] * 2),
        ([(2, 0.9, 0, 3)], dict(stuff_area=2.5), [26000] * 3 + [0] * 5),
    ],
)
def test_merging(rows, settings, expected):
    instances = instances_of(*rows) if rows else InstanceData()
    merged = merge_panoptic(LABELS, instances, **settings)
    assert merged.dtype == np.int32 and merged.tolist() == [expected]


def test_bad_instances():
    with pytest.raises(ValueError, match='same|size'):
        merge_panoptic(LABELS[:, :4], instances_of((2, 1.0, 0, 2)))
    with pytest.raises(ValueError, match='labels from 9 to 9.*cityscapes'):
        merge_panoptic(LABELS, instances_of((9, 1.0, 0, 2)))
    masks = torch.eye(1001, dtype=torch.bool)[:, None]
    many = InstanceData(labels=torch.zeros(1001, dtype=int), scores=torch.ones(1001), masks=masks)
    with pytest.raises(ValueError, match='more than 1000 instances of person'):
        merge_panoptic(np.zeros((1, 1001), int), many)


def test_segments():
    panoptic = np.array([[0, 7, 7, 26, 26003, 24000, 24000, 24000]])
    assert segments_of(panoptic) == [
        dict(id=7, category_id=7, category='road', isthing=0, iscrowd=0, area=2),
        dict(id=26, category_id=26, category='car', isthing=1, iscrowd=1, area=1),
        dict(id=24000, category_id=24, category='person', isthing=1, iscrowd=0, area=3),
        dict(id=26003, category_id=26, category='car', isthing=1, iscrowd=0, area=1),
    ]
    assert stuff_of(panoptic).tolist() == [[255, 0, 0, 255, 255, 255, 255, 255]]


def test_truth_of_a_clip():
    ids = torch.tensor([[[7, 4, 26001, 26]], [[-1, -1, -1, -1]]], dtype=torch.int32)
    sample = ForecastDataSample(gt_instance_map=PixelData(data=ids))
    assert sample.gt_panoptic.data.tolist() == [[[7, 0, 26001, 26]], [[0, 0, 0, 0]]]
    with pytest.raises(AttributeError):
        _ = ForecastDataSample().gt_panoptic
    with pytest.raises(AssertionError):
        sample.pred_panoptic = ids
