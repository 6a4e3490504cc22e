"""Forecasters over detectors and segmentors that a user names: of a zoo, or by config and checkpoint."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope

from mmforecast.apis import ForecastInferencer, build_forecaster
from mmforecast.apis.inferencers.model import choose
from mmforecast.fileio import DownloadError
from mmforecast.fileio.zoo import ZOO_ENV
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .conftest import SEGMENTOR

SHARED = Path(__file__).resolve().parents[3] / 'shared/data'
NORM = dict(type='BN', eps=0.001)
DETECTOR = dict(
    type='YOLOX',
    data_preprocessor=dict(type='DetDataPreprocessor', mean=[127.0] * 3, std=[60.0] * 3, pad_size_divisor=32),
    backbone=dict(
        type='CSPDarknet', deepen_factor=0.33, widen_factor=0.125, out_indices=(2, 3, 4), norm_cfg=NORM
    ),
    neck=dict(type='YOLOXPAFPN', in_channels=[32, 64, 128], out_channels=32, num_csp_blocks=1, norm_cfg=NORM),
    bbox_head=dict(
        type='YOLOXHead', num_classes=3, in_channels=32, feat_channels=32, stacked_convs=1, norm_cfg=NORM
    ),
    test_cfg=dict(score_thr=0.0, nms=dict(type='nms', iou_threshold=0.65, max_num=5)),
)
NETWORKS = dict(detector=('mmdet', DETECTOR), segmentor=('mmseg', SEGMENTOR))
CONFIG = """
default_scope = {scope!r}
model = {model}
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(96, 64), keep_ratio=True)]
test_dataloader = dict(dataset=dict(type='Toy', metainfo=dict(classes={classes}), pipeline=test_pipeline))
"""
METAFILE = """
Models:
  - Name: tiny_{kind}_street
    Config: configs/tiny/{kind}.py
    Weights: file://{weights}
"""


def quiet(*args, **kwargs):
    return ForecastInferencer(*args, device='cpu', show_progress=False, **kwargs)


def network(kind):
    """With random weights, which are the same in every call; boxes have a few pixels."""
    scope, settings = NETWORKS[kind]
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(scope):
        built = MODELS.build(ConfigDict(_scope_=scope, **settings)).eval()
    for name, weight in built.named_parameters():
        if 'multi_level_conv_' in name:
            weight.data *= 0.01
    return built


@pytest.fixture(scope='module')
def zoo(tmp_path_factory):
    """A zoo of a tiny detector and a tiny segmentor with random weights."""
    root = tmp_path_factory.mktemp('zoo')
    (root / 'configs/tiny').mkdir(parents=True)
    classes = dict(detector=('cat', 'dog', 'cow'), segmentor=tuple(f'kind {n}' for n in range(19)))
    for kind, (scope, model) in NETWORKS.items():
        buffer = io.BytesIO()
        torch.save(dict(state_dict=network(kind).state_dict(), meta={}), buffer)
        weights = root / f'{kind}-{hashlib.sha256(buffer.getvalue()).hexdigest()[:8]}.pth'
        weights.write_bytes(buffer.getvalue())
        (root / f'configs/tiny/{kind}.py').write_text(
            CONFIG.format(scope=scope, model=model, classes=classes[kind])
        )
        (root / f'{kind}.yml').write_text(METAFILE.format(kind=kind, weights=weights))
    (root / 'model-index.yml').write_text('Import: [detector.yml, segmentor.yml]')
    return root


@pytest.fixture(autouse=True)
def only_this_zoo(zoo, tmp_path, monkeypatch):
    monkeypatch.setenv(ZOO_ENV, str(zoo))
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (8, 54, 96, 3), dtype=np.uint8)


def test_detector_of_a_zoo_moves_the_boxes_of_its_classes(zoo, frames):
    inferencer = quiet('tiny_detector_street', stride=1, horizon=2)
    (found,) = inferencer(frames)['predictions']
    explicit = dict(
        type='F2FForecaster',
        num_past=3,
        encoder=dict(type='DetectorEncoder', detector=network('detector'), classes='own'),
        predictor=dict(type='CopyLast'),
        decoder=dict(type='FlowInstanceDecoder', mode='ego-motion'),
        test_cfg=dict(rollout_steps=2),
    )
    model = build_forecaster(Config(dict(model=explicit)), device='cpu')
    clip = torch.from_numpy(frames[5:]).permute(0, 3, 1, 2)
    sample = ForecastDataSample(metainfo=dict(img_shape=(54, 96), num_past=3))
    (expected,) = model.test_step(dict(inputs=[clip], data_samples=[sample]))
    for mine, other in zip(found['instances'], expected.pred_instances, strict=True):
        assert 0 < len(mine) == len(other)
        corners = [[x, y, x + width, y + height] for x, y, width, height in (one['bbox'] for one in mine)]
        np.testing.assert_allclose(corners, other.bboxes, atol=2e-3)
        assert {one['class'] for one in mine} <= {'cat', 'dog', 'cow'}
        assert all('segmentation' not in one for one in mine)


def test_segmentor_of_a_zoo_moves_its_label_maps(zoo, frames):
    inferencer = quiet('tiny_segmentor_street', stride=1, horizon=2)
    (found,) = inferencer(np.stack([frames[0]] * 5))['predictions']  # nothing moves
    segmentor = network('segmentor')
    image = torch.from_numpy(frames[0]).permute(2, 0, 1)
    data = dict(inputs=[image], data_samples=None)
    expected = segmentor.test_step(data)[0].pred_sem_seg.data[0].numpy()
    for labels in found['sem_seg']:
        assert np.mean(labels == expected) > 0.99
    assert inferencer.dataset_meta['classes'][3] == 'kind 3'


def test_config_and_checkpoint_are_the_same_as_the_name(zoo, frames):
    (weights,) = zoo.glob('detector-*.pth')
    results = [
        quiet(*given, stride=1)(frames)['predictions'][0]['instances']
        for given in (
            (f'{zoo.name}::tiny/detector.py',),
            (str(zoo / 'configs/tiny/detector.py'), str(weights)),
            (Config.fromfile(zoo / 'configs/tiny/detector.py'), str(weights)),
        )
    ]
    assert results[0] == results[1] == results[2]


def test_frames_are_resized_as_the_network_is_tested(zoo):
    large = np.zeros((8, 128, 96, 3), np.uint8)
    inferencer = quiet('tiny_detector_street', stride=1)
    item, _ = inferencer.pipeline(large[:3], dict(num_past=3))
    assert item['inputs'].shape[-2:] == (85, 64)  # 96 at most on the longer side, 64 on the shorter one
    assert inferencer.choice.frame_scale == (96, 64)
    scaled = quiet('tiny_detector_street', stride=1, scale=(32, 48))
    item, _ = scaled.pipeline(large[:3], dict(num_past=3))
    assert item['inputs'].shape[-2:] == (48, 32)


def test_baselines_and_options_of_the_forecaster(zoo, frames):
    inferencer = quiet(
        'tiny_detector_street',
        predictor='copy-last',
        stride=1,
        options={'model.encoder.detector.test_cfg.nms.max_num': 2},
    )
    (found,) = inferencer(frames)['predictions']
    first, last = (
        [{key: one[key] for key in one if key != 'visibility'} for one in found['instances'][step]]
        for step in (0, 2)
    )
    assert first == last
    assert len(found['instances'][0]) == 2
    assert inferencer.choice.title == 'copy-last'


def test_files_of_a_detector_without_masks(zoo, frames, tmp_path):
    inferencer = quiet('tiny_detector_street', stride=1)
    out = inferencer(frames, every=2, out_dir=str(tmp_path / 'out'), formats=('json', 'gif'), score_thr=0.0)
    assert {Path(path).suffix for path in out['files']} == {'.json', '.gif'}
    assert (
        '"weights": "zoo://tiny_detector_street"'
        in Path(next(path for path in out['files'] if path.endswith('json'))).read_text()
    )


@pytest.mark.parametrize(
    'meta',
    [
        dict(dataset_meta=dict(classes=('a', 'b', 'c'))),
        dict(dataset_meta=dict(CLASSES=('a', 'b', 'c'), PALETTE=[(0, 0, 0)] * 3)),
        dict(CLASSES=['a', 'b', 'c']),
    ],
)
def test_classes_that_the_checkpoint_names_come_first(zoo, tmp_path, frames, meta):
    torch.save(dict(state_dict=network('detector').state_dict(), meta=meta), tmp_path / 'named.pth')
    inferencer = quiet(str(zoo / 'configs/tiny/detector.py'), str(tmp_path / 'named.pth'), stride=1)
    assert inferencer.instance_classes == ('a', 'b', 'c')
    (found,) = inferencer(frames)['predictions']
    assert {one['class'] for one in found['instances'][0]} <= {'a', 'b', 'c'}


@pytest.mark.parametrize(
    'changes, sentence',
    [
        (dict(language_model=dict(type='BertModel')), 'YOLOX needs a text besides each frame'),
        (dict(type='ByteTrack'), 'has no model or no test_dataloader'),
        (dict(type='Nothing'), 'has no model or no test_dataloader|is .Nothing., which has no baselines'),
    ],
)
def test_other_models_are_refused(zoo, changes, sentence):
    cfg = Config(dict(default_scope='mmdet', model={**DETECTOR, **changes}))
    with pytest.raises(ValueError, match=sentence):
        quiet(cfg, 'weights.pth')


def test_config_of_a_network_needs_weights(zoo):
    with pytest.raises(ValueError, match=r'detector.py is that of a detector \(YOLOX\): give the path of its'):
        quiet(str(zoo / 'configs/tiny/detector.py'))


def test_wrong_name_tells_near_ones(zoo):
    with pytest.raises(ValueError, match='no config file tiny_detector, .*did you mean tiny_detector_street'):
        quiet('tiny_detector')


def test_detector_without_a_pyramid_is_refused(zoo, tmp_path):
    single = dict(DETECTOR, neck=dict(type='ChannelMapper', in_channels=[32], out_channels=32, num_outs=1))
    single['backbone'] = dict(DETECTOR['backbone'], out_indices=(2,))
    with DefaultScope.overwrite_default_scope('mmdet'):
        state = MODELS.build(ConfigDict(_scope_='mmdet', **single)).state_dict()
    torch.save(dict(state_dict=state), tmp_path / 'single.pth')
    with pytest.raises(ValueError, match='YOLOX has no feature pyramid that F2F could forecast'):
        quiet(Config(dict(default_scope='mmdet', model=single)), str(tmp_path / 'single.pth'))


def test_missing_weights_say_where_they_belong(zoo, tmp_path, monkeypatch):
    root = tmp_path / 'zoo'
    (root / 'configs').mkdir(parents=True)
    (root / 'configs/lost.py').write_text((zoo / 'configs/tiny/detector.py').read_text())
    (root / 'model-index.yml').write_text('Import: [lost.yml]')
    (root / 'lost.yml').write_text(
        f'Models: [{{Name: lost, Config: configs/lost.py, Weights: "file://{root}/lost-00000000.pth"}}]'
    )
    monkeypatch.setenv(ZOO_ENV, str(root))
    with pytest.raises(DownloadError, match='put the file at .*checkpoints/lost-00000000.pth'):
        quiet('lost')


def real(name):
    """Weights of a published network, and a clip of a motorway, where the machine has them."""
    weights, clip = SHARED / 'weights' / name, SHARED / 'driving_10hz/highway/highway_25hz.mp4'
    for path in (weights, clip):
        if not path.is_file():
            pytest.skip(f'no {path}')
    return str(weights), str(clip)


def overlap(a, b):
    """Intersection over union of two boxes x1 y1 x2 y2."""
    left, top, right, bottom = [*np.maximum(a[:2], b[:2]), *np.minimum(a[2:], b[2:])]
    common = max(0, right - left) * max(0, bottom - top)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return common / (sum(areas) - common)


@pytest.mark.slow
def test_real_detector_forecasts_the_cars_of_a_motorway(monkeypatch):
    monkeypatch.delenv(ZOO_ENV)
    weights, clip = real('yolox_nano_coco_mmdet.pth')
    inferencer = quiet('yolox_nano_8xb8-300e_coco', weights, scale=(960, 544))
    (sample,) = inferencer(clip, at=100, return_datasamples=True)['predictions']
    for forecast, true in zip(sample.pred_instances, sample.ref_instances, strict=True):
        (car,) = true[:1].bboxes.numpy()  # the surest
        assert inferencer.instance_classes[int(true.labels[0])] == 'car'
        cars = forecast[(forecast.scores > 0.5) & (forecast.labels == true.labels[0])]
        assert max(overlap(car, box) for box in cars.bboxes.numpy()) > 0.6


@pytest.mark.slow
def test_real_segmentor_forecasts_a_motorway():
    weights, clip = real('cgnet_camvid_mmseg.pth')
    norm = dict(type='BN', eps=1e-3)
    cgnet = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor',
            bgr_to_rgb=True,
            mean=[105.65775, 103.329834, 99.625404],
            std=[1, 1, 1],
        ),
        backbone=dict(type='CGNet', norm_cfg=norm),
        decode_head=dict(
            type='FCNHead',
            in_channels=256,
            in_index=2,
            channels=256,
            num_convs=0,
            concat_input=False,
            num_classes=11,
            norm_cfg=norm,
        ),
        test_cfg=dict(mode='whole'),
    )
    cfg = Config(dict(model=cgnet))
    agreement = {}
    for name in (None, 'copy-last'):
        inferencer = quiet(cfg, weights, scale=(480, 360), predictor=name)
        (sample,) = inferencer(clip, at=100, return_datasamples=True)['predictions']
        same = sample.pred_sem_seg.data == sample.ref_sem_seg.data
        agreement[name] = same.float().mean(dim=(1, 2)).tolist()
    assert all(mine > other for mine, other in zip(agreement[None], agreement['copy-last'], strict=True))
    assert min(agreement[None]) > 0.9


@pytest.mark.parametrize(
    ('name', 'baseline', 'expected'),
    [
        ('tiny_segmentor_street', None, 'as learned on a synthetic street'),
        ('tiny_segmentor_street', 'ego-motion', 'which was not trained'),
        ('tiny_detector_street', None, 'which was not trained'),
    ],
)
def test_what_moves_a_forecast_is_told(zoo, name, baseline, expected):
    assert choose(name, None, baseline).note.endswith(expected)
