"""The readers that the metrics share: hand values, bad input, and no private imports between metrics."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

import mmforecast.evaluation
from mmforecast.evaluation.metrics.clips import (
    as_choices,
    check_horizon,
    clip_dicts,
    common_seconds,
    forecast_length,
    id_maps_of_steps,
    label_maps,
    size_text,
    sum_counts,
)
from mmforecast.structures import ForecastDataSample


def test_no_metric_imports_a_private_name():
    for path in Path(mmforecast.evaluation.__file__).parent.rglob('*.py'):
        assert not re.findall(r'^from \S+ import [^#\n]*\b_[a-z]\w*', path.read_text(), re.MULTILINE), path
        blocks = re.findall(r'^from \S+ import \(([^)]*)\)', path.read_text(), re.MULTILINE)
        assert not [name for block in blocks for name in block.split() if name.startswith('_')], path


def test_samples_and_dicts_are_read_alike():
    sample = ForecastDataSample(metainfo={'num_past': 1})
    sample.gt_instance_map = PixelData(data=torch.tensor([[[-1]], [[26001]], [[-1]]], dtype=torch.int32))
    sample.pred_instances = [InstanceData(), InstanceData()]
    for clip in (*clip_dicts([sample]), *clip_dicts([sample.to_dict()])):
        assert label_maps(clip, 'gt_instance_map').shape == (3, 1, 1)
        assert label_maps(clip, 'gt_sem_seg') is None
        assert (forecast_length(clip, 'pred'), forecast_length(clip, 'ref')) == (2, None)
        known, unlabeled = id_maps_of_steps(clip, 2)
        assert known.tolist() == [[26001]] and unlabeled is None
        with pytest.raises(ValueError, match='predicts 3 steps but the clip carries 2 future frames'):
            id_maps_of_steps(clip, 3)


def test_counts_and_seconds_over_clips():
    results = [
        dict(GT=np.array([1, 2]), seconds=0.1),
        dict(seconds=0.1),
        dict(GT=np.array([3, 4]), seconds=0.1),
    ]
    assert sum_counts(results, 'GT').tolist() == [4, 6]
    assert sum_counts(results, 'REF') is None
    assert common_seconds(results) == 0.1
    assert common_seconds([*results, dict(seconds=0.2)]) is None
    with pytest.raises(ValueError, match=r'number of forecast steps: \[1, 2\]'):
        sum_counts([*results, dict(GT=np.array([1]))], 'GT')


def test_horizon_within_the_truth_passes():
    check_horizon('clip', 2, 2, 'the clip carries', 'future frame')
    with pytest.raises(
        ValueError, match='^clip: .* set num_future=3 .* test_cfg.rollout_steps=2 in the model$'
    ):
        check_horizon('clip', 3, 2, 'the clip carries', 'future frame')


def test_options_are_one_or_several():
    assert as_choices('Metric', ('a', 'b'), kinds='a') == ('a',)
    assert as_choices('Metric', ('a', 'b'), kinds=['b', 'a']) == ('b', 'a')
    assert as_choices('Metric', ('a', 'b'), least=0, kinds=[]) == ()
    for given in ([], ['c'], 'ab'):
        with pytest.raises(ValueError, match="^Metric: kinds must be one or more of 'a', 'b', got "):
            as_choices('Metric', ('a', 'b'), kinds=given)


def test_size_is_height_by_width():
    assert size_text(np.zeros((5, 3, 2, 4))) == '2x4'
