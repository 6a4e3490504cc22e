"""The metric of forecast panoptic maps: keys, hand values, steps, and bad input."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData

from mmforecast.evaluation import PanopticMetric
from mmforecast.evaluation.metrics import panoptic_metric
from mmforecast.evaluation.results_file import (
    forecast_record,
    read_results,
    restore_forecast,
    write_results,
)
from mmforecast.evaluation.score_style import explain_score, score_style
from mmforecast.structures import ForecastDataSample

IDS = {'0': 0, 'T': 26001, 'U': 26002, 'S': 7, 'G': 26}
GROUPS = [f'{score}{group}' for group in ('', '-things', '-stuff') for score in ('PQ', 'SQ', 'RQ')]


def maps_of(*steps):
    return torch.tensor([[[IDS[letter] for letter in step]] for step in steps], dtype=torch.int32)


def make_sample(pred, truth, reference=None, num_past=1, name='street/7'):
    """A clip with an unlabeled past; one text per step, '-' for a step without labels."""
    unlabeled = torch.full((1, 1, len(pred[0])), -1, dtype=torch.int32)
    truth = [unlabeled if step == '-' else maps_of(step) for step in truth]
    sample = ForecastDataSample(
        metainfo=dict(sequence_id=name, frame_names=['a'], num_past=num_past, stride=3, fps=17.0),
        gt_instance_map=PixelData(data=torch.cat([unlabeled] * num_past + truth)),
    )
    sample.pred_panoptic = PixelData(data=maps_of(*pred))
    if reference is not None:
        sample.ref_panoptic = PixelData(data=maps_of(*reference))
    return sample


def score(samples, **kwargs):
    metric = PanopticMetric(**kwargs)
    for sample in samples:
        metric.process(None, [sample])
    return metric.compute_metrics(metric.results)


def test_keys_and_hand_values():
    clip = make_sample(['TTSSSSSS', 'TTT0SSSS'], ['-', 'TTTTSSSS'], ['TTTTSSSS', 'TTT0SSSS'])
    found = score([clip])
    assert sorted(found) == sorted(
        [*GROUPS, *(f't+2/{key}' for key in GROUPS)]
        + [f'REF/{step}{key}' for step in ('', 't+1/', 't+2/') for key in GROUPS]
    )
    assert (found['PQ'], found['PQ-things'], found['PQ-stuff']) == pytest.approx((87.5, 75, 100))
    assert (found['SQ-things'], found['RQ-things']) == pytest.approx((75, 100))
    assert found['t+2/PQ'] == found['PQ'] and found['REF/PQ'] == pytest.approx(100)
    # half of the car, and road over it
    assert found['REF/t+1/PQ'] == pytest.approx((0 + 100 * 4 / 6) / 2)
    assert set(score([clip], steps='last')) == {*GROUPS, *(f'REF/{key}' for key in GROUPS)}


def test_counts_are_summed_over_clips_in_any_order():
    clips = [
        make_sample(['TTT0SSSS'], ['TTTTSSSS'], name='a'),
        make_sample(['0000SSSS'], ['TTTTSSSS'], name='b'),
        make_sample(['TTUUSSSS'], ['TTGGSSSS'], name='c'),
    ]
    found = score(clips, classwise=True)
    # two cars found of three, IoU 0.75 and 1
    assert found['PQ/car'] == pytest.approx(100 * 1.75 / 2.5)
    assert found['SQ/car'] == pytest.approx(87.5) and found['RQ/car'] == pytest.approx(80)
    assert found['PQ/road'] == pytest.approx(100) and np.isnan(found['PQ/bus'])
    assert found['PQ'] == pytest.approx((70 + 100) / 2)
    backwards = score(clips[::-1], classwise=True)
    assert list(backwards) == list(found)
    np.testing.assert_allclose(list(backwards.values()), list(found.values()))
    # the dicts that mmengine's evaluator hands over, with numpy arrays as a results file has
    evaluator = Evaluator(dict(type='PanopticMetric'))
    evaluator.process(clips, None)
    assert evaluator.evaluate(3)['PQ'] == found['PQ']


def test_the_log_has_steps_and_classes(monkeypatch):
    logged = []
    monkeypatch.setattr(panoptic_metric, 'print_log', lambda text, **_: logged.append(text))
    score([make_sample(['TTSS', 'TTT0'], ['-', 'TTTT'], ['TTSS', 'TTTT'])])
    steps, classes = logged
    assert steps.split()[:8] == ['step', 'seconds', 'PQ', 'SQ', 'RQ', 'PQ-things', 'PQ-stuff', 'REF/PQ']
    assert [line.split()[:2] for line in classes.splitlines() if line.startswith('car')] == [['car', '75.00']]


def test_forecasts_from_a_file_have_the_same_scores(tmp_path):
    clip = make_sample(['TTT0SSSS'], ['TTTTSSSS'], ['TTUUSSSS'])
    write_results(tmp_path / 'r.pkl', [forecast_record(clip.to_dict(), clip.to_dict())])
    (record,) = read_results(tmp_path / 'r.pkl')
    bare = clip.new()
    del bare.pred_panoptic, bare.ref_panoptic
    restored = restore_forecast(record, bare)
    assert torch.equal(restored.pred_panoptic.data, clip.pred_panoptic.data)
    assert score([restored]) == score([clip])


def test_without_labels_scores_are_nan():
    found = score([make_sample(['TTSS'], ['-'])])
    assert set(found) == set(GROUPS) and all(np.isnan(list(found.values())))


def test_bad_input():
    with pytest.raises(ValueError, match='street/7.*has no pred_panoptic.*PanopticDecoder'):
        score([_without_forecast()])
    with pytest.raises(ValueError, match='predicts 2 steps but the clip carries 1 future frame'):
        score([make_sample(['TTSS', 'TTSS'], ['TTSS'])])
    with pytest.raises(ValueError, match='forecast is 1x4 .* compare it with is 1x6'):
        sample = make_sample(['TTSS'], ['TTSS'])
        sample.ref_panoptic = PixelData(data=maps_of('TTSSSS'))
        score([sample])
    with pytest.raises(ValueError, match='no clips'):
        PanopticMetric().compute_metrics([])
    with pytest.raises(ValueError, match='steps must be'):
        PanopticMetric(steps='first')


def _without_forecast():
    sample = make_sample(['TTSS'], ['TTSS'])
    del sample.pred_panoptic
    return sample


def test_names_are_explained():
    for name in ('PQ', 'REF/t+2/SQ-things', 'RQ-stuff', 'PQ/car'):
        assert score_style(name).best == 'max' and score_style(name).unit == '%'
        assert 'quality' in explain_score(name)
    assert explain_score('PQ-things').endswith('classes with instances')
    assert explain_score('REF/PQ').endswith("against the networks' own output on the true frame")
