"""Files of forecasts: round trips, equal scores, broken and hostile files."""

import os
import pickle
import re

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData, PixelData

from mmforecast.evaluation import DumpForecastResults
from mmforecast.evaluation.results_file import (
    forecast_record,
    read_results,
    restore_forecast,
    write_results,
)
from mmforecast.registry import METRICS
from mmforecast.structures import ForecastDataSample

SIZE = (16, 20)


def clip(name='street/0', num_past=2, steps=2):
    """The truth of a clip."""
    names = [f'{number:06d}' for number in range(num_past + steps)]
    meta = dict(sequence_id=name, frame_names=names, num_past=num_past, img_shape=SIZE, stride=3, fps=17.0)
    sample = ForecastDataSample(metainfo=meta)
    ids = torch.randint(0, 2, (num_past + steps, *SIZE), dtype=torch.int32) * 26001
    sample.gt_instance_map = PixelData(data=ids)
    sample.gt_sem_seg = PixelData(data=torch.randint(0, 3, (num_past + steps, *SIZE), dtype=torch.uint8))
    return sample


def instances(number):
    return InstanceData(
        labels=torch.randint(0, 8, (number,)),
        scores=torch.rand(number),
        bboxes=torch.rand(number, 4),
        masks=torch.rand(number, *SIZE) > 0.5,
        track_ids=torch.arange(number),
    )


def with_forecast(sample):
    sample = sample.clone()
    sample.pred_instances = [instances(3), instances(0)]
    sample.ref_instances = [instances(1), instances(2)]
    sample.pred_sem_seg = PixelData(data=torch.randint(0, 3, (2, *SIZE)))
    sample.pred_frames = torch.rand(2, 3, *SIZE) * 255
    sample.pred_scores = torch.rand(2, 3, *SIZE)
    return sample


def restored(sample, truth, tmp_path):
    """A forecast after the way through a file."""
    path = tmp_path / 'results.pkl'
    write_results(path, [forecast_record(truth.to_dict(), sample.to_dict())])
    (record,) = read_results(path)
    return restore_forecast(record, truth)


def test_forecast_comes_back_bit_for_bit(tmp_path):
    truth = clip()
    sample = with_forecast(truth)
    back = restored(sample, truth, tmp_path)
    assert torch.equal(back.pred_frames, sample.pred_frames)
    assert torch.equal(back.pred_sem_seg.data.long(), sample.pred_sem_seg.data)
    assert back.pred_sem_seg.data.dtype == torch.uint8
    for field in ('pred_instances', 'ref_instances'):
        for given, got in zip(sample.get(field), back.get(field), strict=True):
            assert sorted(given.keys()) == sorted(got.keys())  # mmengine keeps them in a set
            assert all(torch.equal(value, got[key]) for key, value in given.items())
            assert all(value.dtype == got[key].dtype for key, value in given.items())
    assert 'pred_scores' not in back and 'pred_frames' not in truth
    assert torch.equal(back.gt_sem_seg.data, truth.gt_sem_seg.data)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_frames_of_any_precision(tmp_path, dtype):
    truth = clip()
    sample = truth.clone()
    sample.pred_frames = (torch.rand(2, 3, *SIZE) * 255).to(dtype)
    back = restored(sample, truth, tmp_path)
    assert torch.equal(back.pred_frames.double(), sample.pred_frames.double())


@pytest.mark.parametrize(
    'metric',
    [
        dict(type='FutureSemSegMetric', classwise=True),
        dict(type='CityscapesInstanceMetric', min_region_size=1, no_ap=('own', 'constant')),
        dict(type='FramePredictionMetric'),
        dict(type='TrackingMetric', min_region_size=1),
    ],
    ids=lambda metric: metric['type'],
)
def test_scores_are_equal(tmp_path, metric):
    truths = [clip('a'), clip('b')]
    batch = dict(data_samples=truths, inputs=[torch.randint(0, 256, (4, 3, *SIZE)).byte() for _ in truths])
    forecasts = [with_forecast(truth) for truth in truths]
    path = tmp_path / 'results.pkl'

    def score(samples, *more):
        evaluator = Evaluator([METRICS.build(metric), *more])
        evaluator.dataset_meta = dict(classes=('road', 'building', 'car'), moving_ids=(2,))
        evaluator.process(data_samples=samples, data_batch=batch)
        return evaluator.evaluate(len(truths))

    online = score(forecasts, DumpForecastResults(str(path)))
    records = read_results(path)
    offline = score([restore_forecast(record, truth) for record, truth in zip(records, truths, strict=True)])
    assert online == pytest.approx(offline, rel=0, abs=0, nan_ok=True) and len(online) > 3


def test_forecasts_of_an_mmdet_detector(tmp_path):
    """Its samples are no ForecastDataSample, and name the step that they forecast."""
    from mmdet.structures import DetDataSample

    truth = clip(steps=3)
    found = DetDataSample(metainfo=dict(step=2, sequence_id='x'))
    found.pred_instances = instances(3)
    path = tmp_path / 'results.pkl'
    batch = dict(data_samples=[truth])

    def score(sample, *more):
        metric = dict(type='ClipDetectionMetric', min_region_size=1)
        evaluator = Evaluator([METRICS.build(metric), *more])
        evaluator.process(data_samples=[sample], data_batch=batch)
        return evaluator.evaluate(1)

    online = score(found, DumpForecastResults(str(path)))
    (record,) = read_results(path)
    offline = score(restore_forecast(record, truth))
    assert online == pytest.approx(offline, rel=0, abs=0, nan_ok=True) and 't+3/AP' in online


def test_other_clip_is_named():
    record = forecast_record(clip('a').to_dict(), with_forecast(clip('a')).to_dict())
    with pytest.raises(ValueError, match=r"forecast of clip 'a' .* where the data set has clip 'b'"):
        restore_forecast(record, clip('b'))


def test_nothing_to_write():
    with pytest.raises(ValueError, match="clip 'street/0' has no forecast to write"):
        forecast_record(clip().to_dict(), clip().to_dict())
    with pytest.raises(ValueError, match='pred_frames holds str, but only forecasts made of tensors'):
        forecast_record(clip().to_dict(), dict(pred_frames='frames'))
    with pytest.raises(ValueError, match=r'masks are float32 \(1, 16, 20\), but only bool'):
        forecast_record(clip().to_dict(), dict(pred_instances=[dict(masks=torch.zeros(1, *SIZE))]))
    with pytest.raises(ValueError, match=r"out_file_path must end in .pkl, got 'results.json'"):
        DumpForecastResults('results.json')


class Hostile:
    def __reduce__(self):
        return os.system, ('touch /tmp/mmforecast_was_here',)


@pytest.mark.parametrize(
    'content, sentence',
    [
        (b'no pickle', "can't be read as a pickle"),
        (b'', "can't be read as a pickle"),
        (pickle.dumps(Hostile()), "holds 'posix.system', and reading that could run any code"),
        (pickle.dumps([1, 2]), 'is no file of forecasts: write one with tools/test.py'),
        (pickle.dumps(dict(kind='mmforecast results', version=99)), 'has version 99 of the format'),
        (
            pickle.dumps(dict(kind='mmforecast results', version=1, results=[dict(fields=3)])),
            'is damaged: it holds no list of forecasts',
        ),
    ],
)
def test_bad_files_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / 'results.pkl'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(path))) as error:
        read_results(path)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    'fields',
    [
        dict(pred_frames=3),
        dict(pred_sem_seg=dict(data=np.zeros((2, 3)))),
        dict(pred_sem_seg=dict(data=np.zeros(3, np.uint8))),
        dict(pred_instances=[dict(masks=3)]),
        dict(pred_instances=[dict(labels=np.zeros(2))]),
        dict(pred_instances=[dict(masks=dict(size=[16, 20], counts=[b'ooooo']))]),
        dict(pred_instances=[dict(masks=dict(size=[10**6, 10**6], counts=[b'1']))]),
        dict(pred_instances=[dict(masks=dict(size=[-1, 20], counts=[]))]),
        dict(pred_instances=[dict(labels=np.zeros(2), masks=dict(size=[16, 20], counts=[]))]),
        dict(set_metainfo=np.zeros(2)),
    ],
    ids=str,
)
def test_damaged_forecasts_in_one_sentence(fields):
    truth = clip()
    record = dict(sequence_id=truth.sequence_id, frame_names=truth.frame_names, fields=fields)
    with pytest.raises(ValueError, match="the forecast of clip 'street/0' .* is damaged"):
        restore_forecast(record, truth)


def test_failed_write_leaves_the_file_before_it(tmp_path):
    path = tmp_path / 'results.pkl'
    path.write_bytes(b'before')
    with pytest.raises((AttributeError, pickle.PicklingError)):
        write_results(path, [dict(fields=lambda: None)])
    assert path.read_bytes() == b'before' and os.listdir(tmp_path) == ['results.pkl']
