"""Metrics over the pairs of a stream: sums of frames, and misses that count as errors."""

import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.evaluation import stream_scorer
from mmforecast.evaluation.stream_scorer import (
    StreamScorer,
    forecast_of_step,
    missing_forecast,
    query_sample,
)
from mmforecast.structures import ForecastDataSample

META = dict(classes=('ground', 'car'), moving_ids=(1,))


def labels(*rows):
    return PixelData(data=torch.tensor([rows], dtype=torch.uint8))


def truth(*rows):
    sample = ForecastDataSample(metainfo=dict(num_past=1, num_future=0, img_shape=(len(rows), len(rows[0]))))
    sample.gt_sem_seg = labels(*rows)
    return sample


def instance(left, right):
    masks = torch.zeros(1, 4, 8, dtype=torch.bool)
    masks[0, :, left:right] = True
    return InstanceData(
        labels=torch.tensor([2]), scores=torch.tensor([0.9]), bboxes=torch.zeros(1, 4), masks=masks
    )


def cars(left, right):
    id_map = torch.full((1, 4, 8), 7, dtype=torch.int32)
    id_map[0, :, left:right] = 26001
    sample = ForecastDataSample(metainfo=dict(num_past=1, num_future=0, img_shape=(4, 8)))
    sample.gt_instance_map = PixelData(data=id_map)
    return sample


def test_label_maps_and_a_miss():
    scorer = StreamScorer(dict(type='FutureSemSegMetric', per_class_table=False), META)
    target = truth((0, 0, 1, 1))
    right = dict(pred_sem_seg=labels((0, 0, 1, 1)))
    half = dict(pred_sem_seg=labels((0, 1, 1, 1)))
    for name, forecast in (('right', right), ('half', half), ('miss', missing_forecast(right))):
        scorer.add(name, query_sample(target, forecast))
        assert name in scorer
    assert scorer.evaluate(['right'])['mIoU'] == 100
    assert scorer.evaluate(['half'])['mIoU'] == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert scorer.evaluate(['miss'])['mIoU'] == 0  # silence is wrong everywhere
    # counts are summed: ground 3 of 6 and car 4 of 7 pixels, the union with what was predicted falsely
    scores = scorer.evaluate(['right', 'half', 'miss'])
    assert scores['mIoU'] == pytest.approx(100 * (3 / 6 + 4 / 7) / 2)
    assert scores['IoU-MO'] == pytest.approx(100 * 4 / 7)
    assert scorer.evaluate(['right', 'right', 'miss'])['aAcc'] == pytest.approx(200 / 3)
    assert not any('t+1' in key for key in scores)


def test_instances_and_a_miss():
    scorer = StreamScorer(dict(type='CityscapesInstanceMetric', min_region_size=1), {})
    right = dict(pred_instances=[instance(2, 6)])
    scorer.add('right', query_sample(cars(2, 6), right))
    scorer.add('late', query_sample(cars(5, 8), right))
    scorer.add('miss', query_sample(cars(2, 6), missing_forecast(right)))
    assert scorer.evaluate(['right'])['AP50'] == 100
    assert scorer.evaluate(['late'])['AP50'] == 0
    assert scorer.evaluate(['miss'])['AP50'] == 0
    both = scorer.evaluate(['right', 'miss'])
    assert 0 < both['AP50'] < 100  # one of two cars is found
    assert both['IoU-MO'] == 50


def test_the_forecast_of_a_step():
    sample = ForecastDataSample()
    sample.pred_sem_seg = PixelData(data=torch.arange(3)[:, None, None].expand(3, 2, 2))
    sample.pred_instances = [instance(0, 1), instance(0, 2), instance(0, 3)]
    sample.gt_sem_seg = PixelData(data=torch.zeros(3, 2, 2))
    fields = forecast_of_step(sample, 1)
    assert sorted(fields) == ['pred_instances', 'pred_sem_seg']
    assert fields['pred_sem_seg'].data.tolist() == [[[1, 1], [1, 1]]]
    assert fields['pred_instances'] == [sample.pred_instances[1]]
    sample.ref_sem_seg = PixelData(data=torch.full((1, 2, 2), 9))
    assert forecast_of_step(sample, 0, prefix='ref_')['pred_sem_seg'].data.unique().tolist() == [9]


def test_maps_of_another_kind_name_their_nothing(monkeypatch):
    ids = torch.full((1, 2, 2), 26001)
    fields = dict(pred_panoptic=PixelData(data=ids))
    assert missing_forecast(fields)['pred_panoptic'].data.tolist() == [[[0, 0], [0, 0]]]
    fields = dict(pred_depth=PixelData(data=ids))
    with pytest.raises(ValueError, match='add pred_depth to mmforecast.evaluation.stream_scorer.NO_CLASS'):
        missing_forecast(fields)
    monkeypatch.setitem(stream_scorer.NO_CLASS, 'pred_depth', -1)
    assert missing_forecast(fields)['pred_depth'].data.tolist() == [[[-1, -1], [-1, -1]]]


@pytest.mark.parametrize('kind', ['TrackingMetric', 'FramePredictionMetric'])
def test_metrics_of_whole_forecasts_are_refused(kind):
    with pytest.raises(ValueError, match=f'{kind} cannot be taken over single frames'):
        StreamScorer([dict(type=kind)], META)
