"""Features of a segmentor, cut in two: what the encoder gives and what the rest makes of it."""

import copy

import pytest
import torch
from mmengine.config import Config

from mmforecast.models.encoders import SegmentorEncoder, SegmentorFeatureEncoder
from mmforecast.models.necks import SpatialPyramidPooling
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

NORM = dict(type='BN', requires_grad=True)
PRE = dict(type='SegDataPreProcessor', mean=[10.0, 20.0, 30.0], std=[50.0, 60.0, 70.0], bgr_to_rgb=True)
BACKBONE = dict(type='ResNetV1c', depth=18, base_channels=8, norm_cfg=NORM)
HEAD = dict(in_index=3, in_channels=64, channels=8, num_classes=5, norm_cfg=NORM, align_corners=False)
LOSSES = dict(mse=dict(type='mmdet.MSELoss'))


def segmentor(head, **kwargs):
    config = dict(
        type='EncoderDecoder',
        data_preprocessor=PRE,
        backbone=BACKBONE,
        decode_head={**HEAD, **head},
        test_cfg=dict(mode='whole'),
    )
    return copy.deepcopy({**config, **kwargs})


SPP = segmentor(
    dict(type='SETRUPHead', in_index=0, in_channels=6, num_convs=2, up_scale=2, kernel_size=3),
    neck=dict(type='mmforecast.SpatialPyramidPooling', in_channels=64, out_channels=6),
)
PSP = segmentor(dict(type='PSPHead', pool_scales=(1, 2)))
SEGFORMER = segmentor(dict(type='SegformerHead', in_index=[0, 1, 2, 3], in_channels=[8, 16, 32, 64]))
DEEPLAB = segmentor(dict(type='DepthwiseSeparableASPPHead', dilations=(1, 2), c1_in_channels=8, c1_channels=4))


@pytest.fixture
def frames():
    return torch.rand(1, 3, 3, 64, 128, generator=torch.Generator().manual_seed(0)) * 255


@pytest.mark.parametrize(
    'config, cut, channels, stride',
    [
        (SPP, 'decode_head', 6, 32),
        (PSP, 'decode_head', 64, 32),
        (PSP, 'decode_head.bottleneck', 8, 32),
        (SEGFORMER, 'decode_head.fusion_conv', 8, 4),
    ],
)
def test_the_rest_makes_the_segmentors_own_scores(config, cut, channels, stride, frames):
    encoder = SegmentorFeatureEncoder(config, cut=cut)
    (maps,) = encoder.encode(frames, [])
    assert maps.shape == (1, 3, channels, 64 // stride, 128 // stride)
    assert (encoder.channels, encoder.stride) == (channels, stride)
    (own,) = SegmentorEncoder(encoder.segmentor).encode(frames, [])
    torch.testing.assert_close(encoder.scores(maps[0], (64, 128)), own[0])


def test_the_rest_needs_no_frame_to_have_been_encoded(frames):
    encoder = SegmentorFeatureEncoder(PSP, cut='decode_head.bottleneck')
    (maps,) = encoder.encode(frames[..., :96], [])
    scores = encoder.scores(maps[0], (64, 96))
    encoder._shapes.clear()
    assert torch.equal(encoder.scores(maps[0], (64, 96)), scores)


def test_frames_that_the_segmentor_pads(frames):
    padding = segmentor(
        dict(type='PSPHead', pool_scales=(1, 2)), data_preprocessor=dict(PRE, test_cfg=dict(size_divisor=32))
    )
    encoder = SegmentorFeatureEncoder(padding)
    frames = frames[..., :56, :120]
    (maps,) = encoder.encode(frames, [])
    assert maps.shape[-2:] == (2, 4)
    (own,) = SegmentorEncoder(encoder.segmentor).encode(frames, [])
    torch.testing.assert_close(encoder.scores(maps[0], (56, 120)), own[0])


@pytest.mark.parametrize(
    'config, cut, message',
    [
        (DEEPLAB, 'decode_head.bottleneck', 'depend on more than the map .* lateral connections'),
        (PSP, 'decode_head.psp_modules.0', 'depend on more than the map'),
        (SEGFORMER, 'decode_head', 'reads 4 maps; cut behind a module that joins them'),
        (
            PSP,
            'decode_head.neck',
            "cut must be 'decode_head', or a module of the head: .*decode_head.bottleneck",
        ),
        (PSP, 'decode_head.psp_modules', 'must name a module that gives one map'),
        (segmentor(dict(type='FCNHead', align_corners=True)), 'decode_head', 'set test_cfg=dict'),
    ],
)
def test_segmentors_that_can_not_be_cut_there(config, cut, message):
    with pytest.raises(ValueError, match=message):
        SegmentorFeatureEncoder(config, cut=cut)


def test_standardized_features(frames):
    encoder = SegmentorFeatureEncoder(PSP, standardize=True)
    with pytest.raises(ValueError, match='statistics of the features were never measured'):
        encoder.encode(frames, [])
    raw = encoder.encode_raw(frames, [])
    encoder.measure([raw])
    (maps,) = encoder.encode(frames, [])
    live = raw[0].flatten(3).std((0, 1, 3)) > 1e-3  # ReLU leaves some channels zero
    assert live.any()
    values = maps.movedim(2, 0).flatten(1)[live]
    torch.testing.assert_close(values.mean(1), torch.zeros(len(values)), atol=1e-5, rtol=0)
    torch.testing.assert_close(values.std(1, unbiased=False), torch.ones(len(values)))
    (own,) = SegmentorEncoder(encoder.segmentor).encode(frames, [])
    torch.testing.assert_close(encoder.scores(maps[0], (64, 128)), own[0], rtol=1e-3, atol=1e-4)
    other = SegmentorFeatureEncoder(PSP, standardize=True)
    other.load_state_dict(encoder.state_dict())
    torch.testing.assert_close(other.encode(frames, [])[0], maps)


def test_a_standardizing_detector_gives_its_heads_the_raw_levels(frames):
    from tests.test_models.conftest import small_detector_config

    config = dict(type='DetectorEncoder', detector=small_detector_config('faster-rcnn'), classes='own')
    torch.manual_seed(0)
    plain = MODELS.build(config)
    encoder = MODELS.build(dict(config, standardize=True))
    encoder.detector.load_state_dict(plain.detector.state_dict())
    raw = plain.encode(frames, [])
    encoder.measure([raw])
    levels = encoder.encode(frames, [])
    assert not torch.allclose(levels[0], raw[0])
    (first, *_), (expected, *_) = (
        part.complete([maps[:, 0] for maps in given], (64, 128))
        for part, given in ((encoder, levels), (plain, raw))
    )
    torch.testing.assert_close(first, expected, rtol=1e-4, atol=1e-5)


def forecaster(**kwargs):
    config = dict(
        type='SegmentorFeatureForecaster',
        num_past=2,
        encoder=dict(type='SegmentorFeatureEncoder', segmentor=SPP),
        predictor=dict(type='F2MFPredictor', radius=1, embedding=4, shared_widths=(4,), losses=LOSSES),
        test_cfg=dict(rollout_steps=3),
    )
    return MODELS.build({**config, **kwargs})


def clips(frames, count):
    inputs = frames.repeat(1, 2, 1, 1, 1)[:, :count]
    return inputs, [ForecastDataSample(metainfo=dict(img_shape=(64, 128), num_past=2))]


def test_the_oracle_writes_the_segmentors_own_label_maps(frames):
    model = forecaster(predictor=dict(type='Oracle')).eval()
    (sample,) = model.predict(*clips(frames, 5))
    assert torch.equal(sample.pred_sem_seg.data, sample.ref_sem_seg.data)
    (own,) = SegmentorEncoder(model.encoder.segmentor).encode(clips(frames, 5)[0][:, 2:], [])
    scores = torch.nn.functional.interpolate(own[0], (64, 128), mode='bilinear', align_corners=False)
    assert torch.equal(sample.pred_sem_seg.data.long(), scores.argmax(1))


def test_it_trains_the_predictor_alone(frames):
    model = forecaster()
    losses = model.loss(*clips(frames, 3))
    assert sorted(losses) == ['loss_mse', 'loss_mse_f2f', 'loss_mse_f2m']
    sum(losses.values()).backward()
    assert all(weight.grad is None for weight in model.encoder.parameters())
    assert all(weight.grad is not None for weight in model.predictor.parameters())
    model.train()
    assert not model.encoder.segmentor.training


def test_other_encoders_are_refused():
    scores = dict(type='SegmentorEncoder', segmentor=SPP)
    with pytest.raises(ValueError, match='must be a SegmentorFeatureEncoder, not SegmentorEncoder'):
        forecaster(encoder=scores)


def test_spatial_pyramid_pooling():
    neck = SpatialPyramidPooling(512, 128).eval()
    # 512 -> 128; three grids of 128 // 3; 254 -> 128, each with the batch norm of its input
    assert sum(weight.numel() for weight in neck.parameters()) == (
        1024 + 512 * 128 + 3 * (256 + 128 * 42) + 508 + 254 * 128
    )
    (out,) = neck((None, torch.randn(2, 512, 16, 32)))
    assert out.shape == (2, 128, 16, 32)
    (constant,) = neck((torch.ones(1, 512, 5, 9),))
    torch.testing.assert_close(constant, constant[..., :1, :1].expand_as(constant))


@pytest.mark.parametrize('name', ['tiny', 'r18'])
def test_the_segmentors_of_the_configs(name, repository):
    config = Config.fromfile(repository / f'configs/_base_/models/segmentor_spp_{name}.py').segmentor
    encoder = SegmentorFeatureEncoder(config)
    assert (encoder.channels, encoder.stride) == dict(tiny=(16, 8), r18=(128, 32))[name]
