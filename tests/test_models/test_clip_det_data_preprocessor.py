"""Clips through an unmodified mmdet detector whose neck forecasts."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.evaluator import Evaluator
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData

from mmforecast.models.data_preprocessors.clip_det_data_preprocessor import ClipDetDataPreprocessor
from mmforecast.models.forecasters import F2FForecaster
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

FRAME = (72, 104)  # not a multiple of 32
MEAN, STD = [10.0, 20.0, 30.0], [2.0, 4.0, 5.0]


def batch(clips=2, length=4, labelled=True):
    """As the data loader gives it: uint8 clips with a car that grows from frame to frame."""
    data = dict(inputs=[], data_samples=[])
    for number in range(clips):
        id_map = torch.full((length, *FRAME), 7 if labelled else -1, dtype=torch.int32)
        for frame in range(length if labelled else 0):
            id_map[frame, 16:48, 24 : 48 + 8 * frame] = 26_001
        meta = dict(
            img_shape=FRAME,
            ori_shape=FRAME,
            labelled=[labelled] * length,
            num_past=2,
            sequence_id=f'town_{number:06d}',
        )
        sample = ForecastDataSample(metainfo=meta, gt_instance_map=PixelData(data=id_map))
        data['inputs'].append(torch.randint(0, 256, (length, 3, *FRAME), dtype=torch.uint8))
        data['data_samples'].append(sample)
    return data


def preprocessor(**kwargs):
    settings = dict(num_past=2, mean=MEAN, std=STD, bgr_to_rgb=True, pad_size_divisor=32)
    return ClipDetDataPreprocessor(**{**settings, **kwargs})


def test_past_frames_become_one_batch_clip_by_clip():
    data = batch()
    out = preprocessor()(data, training=False)
    assert out['inputs'].shape == (4, 3, 96, 128)
    frame = (data['inputs'][1][0].float() - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[
        :, None, None
    ]
    assert torch.allclose(out['inputs'][2, :, :72, :104], frame)
    assert out['inputs'][:, :, 72:].eq(0).all() and out['inputs'][..., 104:].eq(0).all()
    first, second = out['data_samples']
    assert second.sequence_id == 'town_000001' and 'gt_instances' not in second
    assert first.img_shape == first.ori_shape == FRAME
    assert first.pad_shape == first.batch_input_shape == (96, 128)


def test_bgr_detectors_get_bgr():
    data = batch(clips=1)
    rgb = preprocessor(mean=None, std=None)(data)['inputs']
    bgr = preprocessor(mean=None, std=None, bgr_to_rgb=False)(data)['inputs']
    assert torch.equal(bgr, rgb.flip(1))


@pytest.mark.parametrize('step', [0, 1])
def test_the_truth_is_that_of_the_forecast_frame_at_the_detectors_size(step):
    data = batch()
    out = preprocessor(size=(144, 208), step=step)(data, training=True)
    frame = data['inputs'][0][:1].float()
    large = F.interpolate(frame, (144, 208), mode='bilinear', align_corners=False)
    expected = (large - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    assert torch.allclose(out['inputs'][0, :, :144, :208], expected[0], atol=1e-4)
    for sample in out['data_samples']:
        truth = sample.gt_instances
        assert truth.bboxes.tolist() == [[48, 32, 2 * (48 + 8 * (2 + step)), 96]]
        assert truth.labels.tolist() == [2] and truth.masks.masks.shape == (1, 160, 224)
        assert sample.scale_factor == (2, 2) and sample.step == step


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match=r'no instances in frame 2 \(labelled: \[False'):
        preprocessor()(batch(labelled=False), training=True)
    with pytest.raises(ValueError, match='no instances in frame 4 .* choose num_future'):
        preprocessor(step=2)(batch(), training=True)
    with pytest.raises(ValueError, match='at least num_past=5 frames'):
        preprocessor(num_past=5)(batch())
    with pytest.raises(ValueError, match='batch_augments'):
        preprocessor(batch_augments=[])


@pytest.fixture
def detector(small_detector):
    """Mask R-CNN as a config would make it one that forecasts."""
    config = small_detector('mask-rcnn')
    config['data_preprocessor']['type'] = 'mmforecast.ClipDetDataPreprocessor'
    config['data_preprocessor'].update(num_past=2, size=(144, 208))
    config['neck'] = dict(
        type='mmforecast.F2FNeck',
        channels=16,
        num_past=2,
        size_factor=1,
        num_scales=(2, 1, 1, 1),
        fpn=config['neck'],
    )
    return MODELS.build(ConfigDict(config, _scope_='mmdet'))


def test_it_trains_in_mmengines_loop(detector):
    detector.train()
    before = [p.clone() for p in detector.neck.predictor.parameters()]
    wrapper = OptimWrapper(torch.optim.SGD(detector.parameters(), lr=0.01))
    log = detector.train_step(batch(), wrapper)
    assert log['loss_mask'] > 0 and log['loss'].isfinite()
    after = list(detector.neck.predictor.parameters())
    changed = [not torch.equal(a, b) for a, b in zip(before, after)]
    assert sum(changed) >= len(changed) - 2  # but a coarse level that no region reads


def test_it_finds_what_the_forecaster_of_the_same_weights_finds(detector, small_detector):
    forecaster = F2FForecaster(
        dict(type='DetectorEncoder', detector=small_detector('mask-rcnn'), size=(144, 208)),
        dict(type='F2FPredictor', size_factor=1, num_scales=(2, 1, 1, 1)),
        num_past=2,
    )
    weights = {}
    for name, value in detector.state_dict().items():
        name = 'encoder.detector.' + name.replace('neck.fpn.', 'neck.')
        weights[name.replace('encoder.detector.neck.predictor.', 'predictor.')] = value
    forecaster.load_state_dict(weights, strict=True)
    data = batch()
    expected = forecaster.eval().test_step(data)
    found = detector.eval().test_step(data)
    assert len(found) == 2
    for ours, theirs in zip(found, expected):
        (wanted,) = theirs.pred_instances
        assert len(wanted) == 5
        for name in wanted.keys():
            assert torch.equal(ours.pred_instances[name], wanted[name]), name


@pytest.mark.parametrize('step', [0, 1])
def test_its_detections_are_scored_against_the_clips(detector, step):
    detector.data_preprocessor.step = step
    data = batch()
    judge = Evaluator(dict(type='ClipDetectionMetric', min_region_size=10))
    judge.dataset_meta = {}
    with torch.no_grad():
        found = detector.eval().test_step(data)
    for sample, clip in zip(found, data['data_samples']):  # let it find one thing, the car
        instances = sample.pred_instances[:1]
        instances.labels[:], instances.scores[:] = 2, 0.9
        instances.masks = clip.gt_instance_map.data[2 + step][None] == 26_001
        sample.pred_instances = instances
    judge.process(data_samples=found, data_batch=data)
    scores = judge.evaluate(2)
    assert scores['AP'] == scores['IoU-MO'] == scores[f't+{step + 1}/AP'] == 100
    assert step == 0 or scores['t+1/AP'] == 0
    assert 'pred_instances' not in data['data_samples'][0]
