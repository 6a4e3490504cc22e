"""Tracking scores of forecasts, by hand."""

import sys

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData, PixelData

from mmforecast.evaluation.functional import match_distances
from mmforecast.registry import METRICS
from mmforecast.structures import ForecastDataSample

SIZE = (4, 24)
PERSON, CAR = 0, 2


def instances_of(*instances):
    """From (track id, label, x1, x2)."""
    masks = torch.zeros((len(instances), *SIZE), dtype=torch.bool)
    for mask, (_, _, x1, x2) in zip(masks, instances):
        mask[:, x1:x2] = True
    ids, labels, *_ = zip(*instances) if instances else ((), ())
    return InstanceData(
        labels=torch.tensor(labels, dtype=torch.int64),
        track_ids=torch.tensor(ids, dtype=torch.int64),
        masks=masks,
    )


def street(*objects):
    """From (id, x1, x2)."""
    id_map = torch.full(SIZE, 7, dtype=torch.int32)
    for number, x1, x2 in objects:
        id_map[:, x1:x2] = number
    return id_map


def sample_of(found, truth):
    sample = ForecastDataSample(metainfo=dict(num_past=0, sequence_id='street/7', img_shape=SIZE))
    sample.pred_instances = found
    sample.gt_instance_map = PixelData(data=torch.stack(truth))
    return sample


def evaluate(samples, **kwargs):
    judge = Evaluator(METRICS.build(dict(type='TrackingMetric', min_region_size=1, **kwargs)))
    judge.dataset_meta = {}
    judge.process(data_samples=samples, data_batch={})
    return judge.evaluate(len(samples))


TWO = street((26001, 0, 4), (26002, 8, 12))
UNLABELLED = torch.full(SIZE, -1, dtype=torch.int32)


def test_distances_are_between_objects_of_a_class_that_overlap():
    frame = match_distances(
        instances_of((5, CAR, 0, 4), (6, CAR, 8, 11), (7, PERSON, 0, 4), (8, CAR, 1, 3)), TWO
    )
    assert frame.truth.tolist() == [26001, 26002] and frame.tracks.tolist() == [5, 6, 7, 8]
    expected = [[0, np.nan, np.nan, 0.5], [np.nan, 0.25, np.nan, np.nan]]
    assert np.allclose(frame.distances, expected, equal_nan=True)
    strict = match_distances(instances_of((8, CAR, 1, 3)), TWO, iou_thr=0.6)
    assert np.isnan(strict.distances).all()


def test_small_objects_and_what_finds_them_are_left_out():
    found = instances_of((5, CAR, 0, 4), (6, CAR, 8, 12), (7, CAR, 20, 22))
    truth = street((26001, 0, 4), (26002, 8, 12), (26003, 20, 21))
    frame = match_distances(found, truth, min_region_size=16)
    assert frame.truth.tolist() == [26001, 26002] and frame.tracks.tolist() == [5, 6]
    frame = match_distances(found, truth, min_region_size=17)
    assert frame.truth.tolist() == [] and frame.tracks.tolist() == [] and frame.distances.size == 0
    for nothing in (
        match_distances(instances_of(), truth, min_region_size=16),
        match_distances(instances_of(), street()),
    ):
        assert nothing.distances.shape == (len(nothing.truth), 0)


def test_a_perfect_forecast_and_one_that_swaps_identities():
    steps = [instances_of((0, CAR, 0, 4), (1, CAR, 8, 12))] * 3
    result = evaluate([sample_of(steps, [TWO] * 3)])
    assert result == dict(IDF1=100, IDP=100, IDR=100, MOTA=100, IDSW=0)
    steps = [*steps[:2], instances_of((1, CAR, 0, 4), (0, CAR, 8, 12))]
    result = evaluate([sample_of(steps, [TWO] * 3)])
    assert result['IDSW'] == 2 and result['MOTA'] == pytest.approx(100 * (1 - 2 / 6))
    assert result['IDF1'] == pytest.approx(100 * 4 / 6)


def test_misses_and_inventions_count_over_all_clips():
    good = sample_of([instances_of((0, CAR, 0, 4), (1, CAR, 8, 12))], [TWO])
    bad = sample_of([instances_of((0, CAR, 0, 4), (1, CAR, 14, 18))], [TWO])
    result = evaluate([good, bad])
    assert result['MOTA'] == pytest.approx(100 * (1 - 2 / 4))
    assert result['IDF1'] == pytest.approx(100 * 2 * 3 / (4 + 4))


def test_steps_without_labels_or_objects_are_no_trouble():
    steps = [instances_of((0, CAR, 0, 4), (1, CAR, 8, 12)), instances_of(), instances_of()]
    assert evaluate([sample_of(steps, [TWO, UNLABELLED, UNLABELLED])])['MOTA'] == 100
    assert evaluate([sample_of(steps, [TWO, street(), street()])])['IDF1'] == 100
    assert np.isnan(evaluate([sample_of([instances_of()], [street()])])['IDF1'])


def test_what_cannot_be_scored_is_named(monkeypatch):
    found = instances_of((0, CAR, 0, 4))
    del found.track_ids
    with pytest.raises(ValueError, match="clip 'street/7' has no pred_instances with track_ids"):
        evaluate([sample_of([found], [TWO])])
    with pytest.raises(ValueError, match=r'iou_thr must be in \[0.5, 1\), got 0.4'):
        evaluate([], iou_thr=0.4)
    with pytest.raises(ValueError, match='has no clips to score'):
        METRICS.build(dict(type='TrackingMetric')).compute_metrics([])
    monkeypatch.setitem(sys.modules, 'motmetrics', None)
    with pytest.raises(ImportError, match='pip install motmetrics'):
        evaluate([sample_of([instances_of()], [TWO])])
