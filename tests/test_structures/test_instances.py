"""Instances taken out of id maps and painted into label maps: hand values, round trip, bad input."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmforecast.structures import THING_LABEL_IDS, instances_from_id_map, instances_to_sem_seg
from mmforecast.structures.cityscapes import CITYSCAPES_LABEL_TO_TRAIN_ID, CITYSCAPES_METAINFO


def instances_of(labels, scores, masks):
    return InstanceData(
        labels=torch.tensor(labels),
        scores=torch.tensor(scores),
        masks=torch.tensor(masks, dtype=torch.bool),
    )


def test_thing_labels_are_the_moving_classes_in_order():
    trained = [CITYSCAPES_LABEL_TO_TRAIN_ID[label] for label in THING_LABEL_IDS]
    assert tuple(trained) == CITYSCAPES_METAINFO['moving_ids']


def test_hand_values_of_an_id_map():
    # A car in two pieces, a person, a group of cars (26), a caravan (29001), a void pixel (3).
    id_map = torch.tensor(
        [
            [7, 26003, 26003, 26],
            [3, 24001, 26, 29001],
            [24001, 24001, 26003, -1],
        ],
        dtype=torch.int32,
    )
    instances = instances_from_id_map(id_map)
    assert instances.ids.tolist() == [24001, 26003]
    assert instances.labels.tolist() == [0, 2]
    assert instances.bboxes.tolist() == [[0, 1, 2, 3], [1, 0, 3, 3]]
    assert instances.masks.int().tolist() == [
        [[0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]],
        [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]],
    ]
    dtypes = [instances[key].dtype for key in ('labels', 'ids', 'bboxes', 'masks')]
    assert dtypes == [torch.int64, torch.int64, torch.float32, torch.bool]


def test_a_map_without_instances_has_all_fields_empty():
    instances = instances_from_id_map(torch.full((3, 5), -1, dtype=torch.int32))
    assert len(instances) == 0
    assert instances.masks.shape == (0, 3, 5)
    assert instances.bboxes.shape == (0, 4)
    assert (instances_to_sem_seg(instances, (3, 5)) == 255).all()


def test_every_class_keeps_its_place():
    id_map = torch.tensor([[label * 1000 + 999 for label in THING_LABEL_IDS]], dtype=torch.int32)
    instances = instances_from_id_map(id_map)
    assert instances.labels.tolist() == list(range(8))
    assert instances_to_sem_seg(instances, (1, 8)).tolist() == [list(range(11, 19))]


def test_id_map_to_label_map_and_back():
    """Masks of an id map don't overlap, so painting them gives each pixel its class back."""
    rng = np.random.default_rng(0)
    values = [
        7,
        23,
        26,
        29001,
        3,
        -1,
        *(label * 1000 + n for label in THING_LABEL_IDS for n in (0, 7)),
    ]
    id_map = torch.from_numpy(rng.choice(values, (20, 30)).astype(np.int32))
    instances = instances_from_id_map(id_map)
    expected = np.full((20, 30), 255)
    for train_id, label in enumerate(THING_LABEL_IDS, start=11):
        expected[id_map.numpy() // 1000 == label] = train_id
    np.testing.assert_array_equal(instances_to_sem_seg(instances, (20, 30)), expected)
    for mask, box, instance_id in zip(instances.masks, instances.bboxes.long(), instances.ids):
        x1, y1, x2, y2 = box.tolist()
        inside = torch.zeros_like(mask)
        inside[y1:y2, x1:x2] = True
        assert not (mask & ~inside).any()
        assert mask[y1].any() and mask[y2 - 1].any() and mask[:, x1].any() and mask[:, x2 - 1].any()
        assert (id_map[mask] == instance_id).all()


def test_the_surest_instance_lies_on_top():
    masks = [[[1, 1, 1, 0]], [[0, 1, 1, 1]], [[0, 0, 1, 1]]]
    painted = instances_to_sem_seg(instances_of([0, 2, 7], [0.7, 0.9, 0.49], masks), (1, 4))
    assert painted.dtype == torch.uint8
    assert painted.tolist() == [[11, 13, 13, 13]]
    painted = instances_to_sem_seg(instances_of([0, 2, 7], [0.9, 0.7, 0.8], masks), (1, 4))
    assert painted.tolist() == [[11, 11, 11, 18]]


def test_of_equal_scores_the_later_instance_lies_on_top():
    masks = [[[1, 1, 0]], [[0, 1, 1]]] * 20
    labels = [0, 1] * 20
    assert instances_to_sem_seg(instances_of(labels, [0.6] * 40, masks), (1, 3)).tolist() == [[11, 12, 12]]


def test_the_threshold_itself_is_painted():
    instances = instances_of([4], [0.5], [[[1, 0]]])
    assert instances_to_sem_seg(instances, (1, 2)).tolist() == [[15, 255]]
    assert instances_to_sem_seg(instances, (1, 2), score_thr=0.51).tolist() == [[255, 255]]


def test_an_empty_mask_paints_nothing():
    instances = instances_of([4, 0], [0.5, 0.9], [[[0, 1]], [[0, 0]]])
    assert instances_to_sem_seg(instances, (1, 2)).tolist() == [[255, 15]]


def test_no_fields_at_all_is_no_object():
    assert instances_to_sem_seg(InstanceData(), (1, 2)).tolist() == [[255, 255]]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r'id_map must hold integers \(H, W\), got torch.float32'):
        instances_from_id_map(torch.zeros(2, 2))
    with pytest.raises(ValueError, match=r'of shape \(1, 2, 2\): give one frame'):
        instances_from_id_map(torch.zeros(1, 2, 2, dtype=torch.int32))
    instances = instances_of([0], [0.9], [[[1, 1]]])
    with pytest.raises(ValueError, match=r'masks are torch.bool \(1, 2\), but .* bool \(2, 4\)'):
        instances_to_sem_seg(instances, (2, 4))
    instances.masks = instances.masks.byte()
    with pytest.raises(ValueError, match=r'masks are torch.uint8 \(1, 2\), but .* bool \(1, 2\)'):
        instances_to_sem_seg(instances, (1, 2))
