"""Direct forecasts of a later step: what is left out on the way, and that nobody scores it."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData

from mmforecast.evaluation.metrics import CityscapesInstanceMetric, FutureSemSegMetric
from mmforecast.models.decoders import SemSegDecoder
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.direct import DirectPredictor
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

CONTEXT = ForecastContext(frames=None, samples=[])
CLASSES = tuple(f'class {number}' for number in range(19))


@MODELS.register_module()
class DirectCopy(DirectPredictor):
    """The newest map, times a weight, as the forecast of a later step."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.factor = torch.nn.Parameter(torch.ones(()))

    def forecast(self, past):
        return [self.factor * maps[:, -1] for maps in past]


def forecaster(lead=3, **kwargs):
    config = dict(
        type='S2SForecaster',
        num_past=2,
        encoder=dict(type='LabelMapEncoder', num_classes=19),
        predictor=dict(type='DirectCopy', lead=lead, losses=dict(mse=dict(type='mmdet.MSELoss'))),
    )
    return MODELS.build({**config, **kwargs})


def clip(steps=3):
    labels = torch.arange(2 + steps, dtype=torch.uint8)[:, None, None].expand(-1, 4, 6).contiguous()
    sample = ForecastDataSample(
        gt_sem_seg=PixelData(data=labels),
        metainfo=dict(img_shape=(4, 6), num_past=2, labelled=[True] * len(labels), sequence_id='a'),
    )
    return torch.zeros(1, 2 + steps, 3, 4, 6), [sample]


def test_only_the_last_step_is_forecast_trained_and_written():
    model = forecaster()
    assert (model.train_steps, model.test_steps) == (3, 3)
    (maps,) = model.forward(*clip())
    assert maps.shape[1] == 3
    assert maps[:, :2].isnan().all() and not maps[:, 2].isnan().any()
    losses = model.loss(*clip())
    past, target, _ = model.observe_training(*clip())
    expected = ((target[0][:, -1] - past[0][:, -1]) ** 2).mean()
    torch.testing.assert_close(losses['loss_mse'], expected)
    (sample,) = model.predict(*clip())
    assert sample.forecast_steps == [False, False, True]
    assert sample.pred_sem_seg.data[:, 0, 0].tolist() == [255, 255, 1]


def test_a_lead_of_one_is_rolled_out_as_ever():
    model = forecaster(lead=1, test_cfg=dict(rollout_steps=3))
    (sample,) = model.predict(*clip())
    assert sample.pred_sem_seg.data[:, 0, 0].tolist() == [1, 1, 1]
    assert 'forecast_steps' not in sample


def test_it_can_not_be_rolled_out_nor_written_by_any_decoder():
    with pytest.raises(
        ValueError, match='forecasts step 3 directly, without those before; set rollout_steps to 3'
    ):
        forecaster(test_cfg=dict(rollout_steps=6))
    with pytest.raises(ValueError, match='which RGBDecoder cannot write; set lead=1'):
        forecaster(decoder=dict(type='RGBDecoder'))


def test_label_values_leave_what_is_not_forecast():
    decoder = SemSegDecoder(label_values=(7, 9))
    scores = torch.tensor([[0.0, 1.0], [float('nan')] * 2]).view(1, 2, 2, 1, 1)
    sample = ForecastDataSample(metainfo=dict(img_shape=(1, 1)))
    decoder.decode([scores], [sample])
    assert sample.pred_sem_seg.data.flatten().tolist() == [9, 255]


def test_label_map_scores_are_of_the_steps_that_were_forecast():
    metric = FutureSemSegMetric(moving_ids=(1,), per_class_table=False)
    metric.dataset_meta = dict(classes=CLASSES)
    inputs, samples = clip()
    metric.process({}, [sample.to_dict() for sample in forecaster().predict(inputs, samples)])
    found = metric.evaluate(1)
    assert {key for key in found if key.startswith(('t+', 'SEG/t+'))} == {
        't+3/mIoU', 't+3/IoU-MO', 'SEG/t+3/mIoU', 'SEG/t+3/IoU-MO'
    }  # fmt: skip
    assert found['mIoU'] == 0  # class 1 where there is class 4


def test_instance_scores_are_of_the_steps_that_were_forecast():
    metric = CityscapesInstanceMetric(min_region_size=1)
    ids = np.full((5, 4, 6), 26001, np.int32)  # a car
    sample = ForecastDataSample(
        gt_instance_map=PixelData(data=torch.from_numpy(ids)),
        pred_sem_seg=PixelData(
            data=torch.tensor([255, 255, 13], dtype=torch.uint8)[:, None, None].expand(3, 4, 6)
        ),
        metainfo=dict(num_past=2, img_shape=(4, 6), sequence_id='a', forecast_steps=[False, False, True]),
    )
    metric.process({}, [sample.to_dict()])
    found = metric.evaluate(1)
    assert found['t+3/IoU-MO'] == found['IoU-MO'] == 100
    assert 't+1/IoU-MO' not in found


def test_two_parts_of_a_pair_have_the_same_lead():
    part = dict(type='DirectCopy', lead=3)
    pair = MODELS.build(dict(type='PairedPredictor', instances=part, semantics=part))
    assert (pair.num_outputs, pair.num_skipped) == (3, 2)
    stack = dict(type='MultiScalePredictor', channels=2, widths=((4,),), kernels=((3, 3),), num_outputs=3)
    with pytest.raises(ValueError, match='instances leaves out 2 steps of a call but semantics 0'):
        MODELS.build(dict(type='PairedPredictor', instances=part, semantics=stack))
