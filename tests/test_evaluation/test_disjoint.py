"""Disjoint masks, and what AP is on them."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmforecast.evaluation.functional import average_precision, make_disjoint, match_instances

SIZE = (4, 12)


def instances_of(*instances):
    """InstanceData from (label, score, x1, x2); a mask is a band of full height."""
    masks = torch.zeros((len(instances), *SIZE), dtype=torch.bool)
    for mask, (_, _, x1, x2) in zip(masks, instances):
        mask[:, x1:x2] = True
    labels, scores, *_ = zip(*instances) if instances else ((), ())
    return InstanceData(
        labels=torch.tensor(labels, dtype=torch.int64), scores=torch.tensor(scores), masks=masks
    )


def bands(found):
    return [mask[0].nonzero().flatten().tolist() for mask in found.masks]


def test_the_surest_lies_on_top_and_what_is_hidden_is_dropped():
    found = instances_of((2, 0.6, 0, 6), (0, 0.9, 4, 8), (2, 0.7, 5, 7), (1, 0.4, 8, 12))
    disjoint = make_disjoint(found)
    assert bands(disjoint) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert disjoint.labels.tolist() == [2, 0]
    assert disjoint.scores.tolist() == found.scores[:2].tolist()
    assert found.masks[0, 0].sum() == 6  # what is given stays as it is
    lower = make_disjoint(found, score_thr=0.3, scores='constant')
    assert bands(lower) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert lower.scores.tolist() == [1, 1, 1]


def test_of_equal_scores_the_later_lies_on_top():
    disjoint = make_disjoint(instances_of((2, 0.8, 0, 6), (2, 0.8, 4, 8)))
    assert bands(disjoint) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_masks_that_are_disjoint_stay_as_they_are():
    found = instances_of((2, 0.8, 0, 3), (0, 0.9, 3, 8), (1, 0.5, 9, 12))
    disjoint = make_disjoint(found)
    assert torch.equal(disjoint.masks, found.masks) and torch.equal(disjoint.scores, found.scores)


def test_none_and_none_that_is_sure():
    assert len(make_disjoint(instances_of())) == 0
    assert len(make_disjoint(instances_of((2, 0.4, 0, 3)))) == 0
    with pytest.raises(ValueError, match=r"scores must be one of 'own', 'constant', got 'mean'"):
        make_disjoint(instances_of(), scores='mean')


def test_with_constant_scores_ap_has_a_closed_form():
    """r (1 + p) / 2: the curve is one point, and the script's (recall 0, precision 1)."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        num_objects, num_right, num_wrong = (
            rng.integers(1, 12),
            rng.integers(0, 12),
            rng.integers(0, 12),
        )
        num_right = min(num_right, num_objects)
        if num_right + num_wrong == 0:
            continue
        size = 2, 30
        id_map = np.full(size, 7)
        id_map[0, :num_objects] = 26000 + np.arange(num_objects)
        masks = np.zeros((num_right + num_wrong, *size), dtype=bool)
        for index in range(num_right):
            masks[index, 0, index] = True
        for index in range(num_wrong):
            masks[num_right + index, 1, index] = True
        found = InstanceData(
            labels=torch.full((len(masks),), 2),
            scores=torch.from_numpy(rng.uniform(0.5, 1, len(masks))),
            masks=torch.from_numpy(masks),
        )
        flat = make_disjoint(found, scores='constant')
        matches = match_instances(flat.labels, flat.scores, flat.masks, id_map, min_region_size=1)
        precision, recall = num_right / len(masks), num_right / num_objects
        expected = 100 * recall * (1 + precision) / 2
        assert average_precision([matches])[2] == pytest.approx(np.full(10, expected))


def test_the_example_of_half_the_predictions_right():
    """p = .5 and r = .6 give .45."""
    id_map = np.full((2, 10), 7)
    id_map[0, :5] = 26000 + np.arange(5)
    masks = np.zeros((6, 2, 10), dtype=bool)
    masks[range(3), 0, range(3)] = masks[range(3, 6), 1, range(3)] = True
    matches = match_instances(np.full(6, 2), np.ones(6), masks, id_map, min_region_size=1)
    assert average_precision([matches])[2, 0] == pytest.approx(45)
