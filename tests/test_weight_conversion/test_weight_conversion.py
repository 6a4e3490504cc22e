"""Converted weights compute what the originals do, by a forward pass written here from the originals."""

import io
import math
import pickle
from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS as DETECTORS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.f2f import F2FPredictor
from mmforecast.structures.cityscapes import CITYSCAPES_METAINFO
from mmforecast.weight_conversion import (
    DETECTRON_CITYSCAPES_CLASSES,
    MMDET_SETTINGS,
    assemble_levels,
    bbox_reg_weights,
    class_order,
    detectron_to_mmdet,
    f2f_to_neck,
    read_detectron,
    read_f2f,
)

STAGES = ((2, 3, 1), (3, 4, 2), (4, 6, 2), (5, 3, 2))  # number, blocks, stride
TOPS = ('res2_2_sum', 'res3_3_sum', 'res4_5_sum', 'res5_2_sum')
LABELS = CITYSCAPES_METAINFO['classes'][11:19]


class Python2Pickler(pickle._Pickler):
    """Writes strings and numpy's names as Python 2 with numpy 1 did."""

    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file, protocol=2):
        super().__init__(file, 2)

    def save_string(self, value):
        data = value.encode('latin1') if isinstance(value, str) else value
        if len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + len(data).to_bytes(4, 'little') + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string

    def save_global(self, obj, name=None):
        if getattr(obj, '__module__', '').startswith('numpy._core'):
            self.write(pickle.GLOBAL + f'numpy.core.multiarray\n{obj.__name__}\n'.encode())
            self.memoize(obj)
        else:
            super().save_global(obj, name)

    dispatch[type(io.BytesIO.read)] = dispatch[type(len)] = dispatch[type] = save_global


def dump_python2(value, file, protocol=2):
    Python2Pickler(file).dump(value)


PYTHON2 = SimpleNamespace(__name__='cPickle', Pickler=Python2Pickler, dump=dump_python2)


# Detectron


def detectron_blobs(base=2, dim=4, hidden=6, make=None):
    """All blobs of Mask R-CNN R-50-FPN with 9 classes, from Detectron's network definition."""
    blobs = {}

    def layer(name, *shape, bias=True, bias_size=None):
        fill = make or (lambda *s: np.random.randn(*s) / math.sqrt(np.prod(s[1:])))
        blobs[f'{name}_w'] = np.asarray(fill(*shape), np.float32)
        if bias:
            size = bias_size or shape[0]
            blobs[f'{name}_b'] = (0.1 * np.random.randn(size)).astype(np.float32)

    def affine_conv(name, bn, *shape):
        layer(name, *shape, bias=False)
        blobs[f'{bn}_s'] = np.random.uniform(0.5, 1.5, shape[0]).astype(np.float32)
        blobs[f'{bn}_b'] = (0.1 * np.random.randn(shape[0])).astype(np.float32)

    affine_conv('conv1', 'res_conv1_bn', base, 3, 7, 7)
    seen = base
    for number, (stage, blocks, _) in enumerate(STAGES):
        inner = base * 2**number
        for block in range(blocks):
            stem = f'res{stage}_{block}_branch'
            if block == 0:
                affine_conv(f'{stem}1', f'{stem}1_bn', 4 * inner, seen, 1, 1)
            affine_conv(f'{stem}2a', f'{stem}2a_bn', inner, seen, 1, 1)
            affine_conv(f'{stem}2b', f'{stem}2b_bn', inner, inner, 3, 3)
            affine_conv(f'{stem}2c', f'{stem}2c_bn', 4 * inner, inner, 1, 1)
            seen = 4 * inner
        lateral = '' if stage == 5 else '_lateral'
        layer(f'fpn_inner_{TOPS[number]}{lateral}', dim, seen, 1, 1)
        layer(f'fpn_{TOPS[number]}', dim, dim, 3, 3)
    layer('conv_rpn_fpn2', dim, dim, 3, 3)
    layer('rpn_cls_logits_fpn2', 3, dim, 1, 1)
    layer('rpn_bbox_pred_fpn2', 12, dim, 1, 1)
    layer('fc6', hidden, dim * 49)
    layer('fc7', hidden, hidden)
    layer('cls_score', 9, hidden)
    layer('bbox_pred', 36, hidden)
    for number in range(1, 5):
        layer(f'_[mask]_fcn{number}', dim, dim, 3, 3)
    layer('conv5_mask', dim, dim, 2, 2)
    layer('mask_fcn_logits', 9, dim, 1, 1)
    return blobs


class Detectron:
    """Forward pass of the blobs."""

    def __init__(self, blobs):
        self.blobs = {name: torch.from_numpy(blob) for name, blob in blobs.items()}

    def conv(self, name, maps, **kwargs):
        return F.conv2d(maps, self.blobs[f'{name}_w'], self.blobs.get(f'{name}_b'), **kwargs)

    def fc(self, name, vectors):
        return F.linear(vectors, self.blobs[f'{name}_w'], self.blobs[f'{name}_b'])

    def affine_conv(self, name, bn, maps, **kwargs):
        scale, bias = self.blobs[f'{bn}_s'], self.blobs[f'{bn}_b']
        return self.conv(name, maps, **kwargs) * scale[:, None, None] + bias[:, None, None]

    def pyramid(self, image):
        maps = self.affine_conv('conv1', 'res_conv1_bn', image, stride=2, padding=3).relu()
        maps = F.max_pool2d(maps, 3, 2, 1)
        tops = []
        for stage, blocks, first_stride in STAGES:
            for block in range(blocks):
                stem, stride = f'res{stage}_{block}_branch', first_stride if block == 0 else 1
                shortcut = maps
                if block == 0:
                    shortcut = self.affine_conv(f'{stem}1', f'{stem}1_bn', maps, stride=stride)
                for letter, more in (('a', dict(stride=stride)), ('b', dict(padding=1)), ('c', {})):
                    name = f'{stem}2{letter}'
                    maps = self.affine_conv(name, f'{name}_bn', maps, **more)
                    maps = maps if letter == 'c' else maps.relu()
                maps = (maps + shortcut).relu()
            tops.append(maps)
        inner = self.conv(f'fpn_inner_{TOPS[3]}', tops[3])
        levels = [self.conv(f'fpn_{TOPS[3]}', inner, padding=1)]
        for top, name in zip(tops[2::-1], TOPS[2::-1]):
            inner = F.interpolate(inner, scale_factor=2) + self.conv(f'fpn_inner_{name}_lateral', top)
            levels.insert(0, self.conv(f'fpn_{name}', inner, padding=1))
        return levels + [levels[-1][..., ::2, ::2]]

    def rpn(self, level):
        maps = self.conv('conv_rpn_fpn2', level, padding=1).relu()
        return self.conv('rpn_cls_logits_fpn2', maps), self.conv('rpn_bbox_pred_fpn2', maps)

    def boxes(self, rois):
        vectors = self.fc('fc7', self.fc('fc6', rois.flatten(1)).relu()).relu()
        return self.fc('cls_score', vectors).softmax(1), self.fc('bbox_pred', vectors)

    def masks(self, rois):
        for number in range(1, 5):
            rois = self.conv(f'_[mask]_fcn{number}', rois, padding=1).relu()
        up = F.conv_transpose2d(rois, self.blobs['conv5_mask_w'], self.blobs['conv5_mask_b'], 2)
        return self.conv('mask_fcn_logits', up.relu())


def mask_rcnn(base=2, dim=4, hidden=6):
    register_all_modules(init_default_scope=False)
    cfg = Config.fromstring("_base_ = 'mmdet::_base_/models/mask-rcnn_r50_fpn.py'", '.py')
    cfg.merge_from_dict(dict(model=MMDET_SETTINGS))
    sizes = dict(
        backbone=dict(base_channels=base, stem_channels=base),
        neck=dict(in_channels=[base * 4 * 2**n for n in range(4)], out_channels=dim),
        rpn_head=dict(in_channels=dim, feat_channels=dim),
        roi_head=dict(
            bbox_roi_extractor=dict(out_channels=dim),
            bbox_head=dict(in_channels=dim, fc_out_channels=hidden),
            mask_roi_extractor=dict(out_channels=dim),
            mask_head=dict(in_channels=dim, conv_out_channels=dim),
        ),
    )
    cfg.merge_from_dict(dict(model=sizes))
    with DefaultScope.overwrite_default_scope('mmdet'):
        return DETECTORS.build(cfg.model).eval()


@pytest.fixture(scope='module')
def pair():
    """The original and the converted detector, small."""
    np.random.seed(0)
    blobs = detectron_blobs()
    model = mask_rcnn()
    model.load_state_dict(detectron_to_mmdet(blobs), strict=True)
    return Detectron(blobs), model


def test_the_published_sizes_fit_mmdets_model():
    blobs = detectron_blobs(64, 256, 1024, make=lambda *shape: np.zeros(shape, np.float32))
    with torch.device('meta'):
        expected = mask_rcnn(64, 256, 1024).state_dict()
    shapes = {name: value.shape for name, value in detectron_to_mmdet(blobs).items()}
    assert shapes == {name: value.shape for name, value in expected.items()}


@torch.no_grad()
def test_pyramid_and_rpn_compute_the_same(pair):
    theirs, ours = pair
    image = torch.randn(1, 3, 64, 96)
    expected = theirs.pyramid(image)
    levels = ours.extract_feat(image)
    assert [level.shape[-2:] for level in levels][0] == (16, 24) and len(levels) == 5
    for level, wanted in zip(levels, expected):
        torch.testing.assert_close(level, wanted, rtol=1e-5, atol=1e-5)
    for level, logits, deltas in zip(expected, *ours.rpn_head(levels)):
        wanted_logits, wanted_deltas = theirs.rpn(level)
        torch.testing.assert_close(logits, wanted_logits, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(deltas, wanted_deltas, rtol=1e-5, atol=1e-5)


def test_affine_channels_come_through_exactly(pair):
    theirs, ours = pair
    maps = torch.randn(2, 2, 5, 5)
    scale, bias = theirs.blobs['res_conv1_bn_s'], theirs.blobs['res_conv1_bn_b']
    expected = maps * scale[:, None, None] + bias[:, None, None]
    with torch.no_grad():
        torch.testing.assert_close(ours.backbone.bn1(maps), expected, rtol=1e-6, atol=1e-7)


def test_anchors_agree_in_order_and_center(pair):
    """Detectron's, by its formula: rounded at the size of a cell; mmdet's differ by their rounding."""
    anchors = pair[1].rpn_head.anchor_generator.base_anchors
    for level, stride in enumerate((4, 8, 16, 32, 64)):
        for ratio, box in zip((0.5, 1.0, 2.0), anchors[level].tolist()):
            width = np.round(math.sqrt(stride**2 / ratio))
            height = np.round(width * ratio)
            assert (box[0] + box[2]) / 2 == (box[1] + box[3]) / 2 == stride / 2
            assert box[2] - box[0] == pytest.approx(8 * width, rel=0.065)
            assert box[3] - box[1] == pytest.approx(8 * height, rel=0.065)


@torch.no_grad()
@pytest.mark.parametrize('reg_weights', [(10.0, 10.0, 5.0, 5.0), (1.0, 1.0, 1.0, 1.0)])
def test_boxes_and_scores_of_every_class_are_the_same(pair, reg_weights):
    theirs, ours = pair
    blobs = {name: value.numpy() for name, value in theirs.blobs.items()}
    ours.load_state_dict(detectron_to_mmdet(blobs, bbox_reg_weights=reg_weights))
    rois, boxes = torch.randn(5, 4, 7, 7), torch.tensor([[10.0, 20.0, 50.0, 100.0]] * 5)
    probabilities, deltas = theirs.boxes(rois)
    logits, outputs = ours.roi_head.bbox_head(rois)
    decoded = ours.roi_head.bbox_head.bbox_coder.decode(boxes, outputs).unflatten(1, (8, 4))
    torch.testing.assert_close(logits.softmax(1)[:, 8], probabilities[:, 0])
    for label, name in enumerate(LABELS):
        row = DETECTRON_CITYSCAPES_CLASSES.index(name)
        torch.testing.assert_close(logits.softmax(1)[:, label], probabilities[:, row])
        dx, dy, dw, dh = (deltas[:, 4 * row : 4 * row + 4] / torch.tensor(reg_weights)).unbind(1)
        center_x, center_y, width, height = 30 + 40 * dx, 60 + 80 * dy, 40 * dw.exp(), 80 * dh.exp()
        expected = (
            center_x - width / 2,
            center_y - height / 2,
            center_x + width / 2,
            center_y + height / 2,
        )
        torch.testing.assert_close(decoded[:, label], torch.stack(expected, 1), rtol=1e-5, atol=1e-4)


@torch.no_grad()
def test_masks_of_every_class_are_the_same(pair):
    theirs, ours = pair
    rois = torch.randn(3, 4, 14, 14)
    expected = theirs.masks(rois)
    masks = ours.roi_head.mask_head(rois)
    assert masks.shape == (3, 8, 28, 28)
    for label, name in enumerate(LABELS):
        row = DETECTRON_CITYSCAPES_CLASSES.index(name)
        torch.testing.assert_close(masks[:, label], expected[:, row], rtol=1e-5, atol=1e-6)


def test_other_classes_keep_their_order():
    assert class_order(DETECTRON_CITYSCAPES_CLASSES) == tuple(LABELS)
    assert class_order(['bg', 'tram', 'car']) == ('tram', 'car')
    blobs = detectron_blobs()
    classes = ['bg', *(f'c{n}' for n in range(8))]
    bias = detectron_to_mmdet(blobs, classes)['roi_head.bbox_head.fc_cls.bias']
    assert bias.tolist() == [*blobs['cls_score_b'][1:], blobs['cls_score_b'][0]]
    with pytest.raises(ValueError, match='fc_cls.weight has 9 rows.* 3 classes .* need 3'):
        detectron_to_mmdet(blobs, ['bg', 'tram', 'car'])


def test_missing_and_foreign_blobs_are_named():
    blobs = detectron_blobs()
    more = dict(blobs, conv1_w_momentum=np.zeros(1), fc1000_w=np.zeros(1), lr=np.zeros(1))
    assert set(detectron_to_mmdet(more)) == set(detectron_to_mmdet(blobs))
    with pytest.raises(ValueError, match='no place for .res4_6_branch2a_w.: .* deeper network'):
        detectron_to_mmdet(dict(blobs, res4_6_branch2a_w=np.zeros(1)))
    del blobs['_[mask]_fcn4_w']
    with pytest.raises(ValueError, match=r"'_\[mask\]_fcn4_w' .* is missing"):
        detectron_to_mmdet(blobs)


@pytest.mark.parametrize(
    'cfg, weights',
    [
        (None, (10, 10, 5, 5)),
        ('MODEL: {MASK_ON: true}', (1, 1, 1, 1)),  # of before the setting
        ('  BBOX_REG_WEIGHTS: !!python/tuple [10.0, 10.0, 5.0, 5.0]\n  A: 7', (10, 10, 5, 5)),
        (
            '  BBOX_REG_WEIGHTS: &id001 !!python/tuple\n  - 1.0\n  - 2.0\n  - 3\n  - 4.\n  B2: 9',
            (1, 2, 3, 4),
        ),
    ],
)
def test_box_weights_are_read_from_the_config(cfg, weights):
    assert bbox_reg_weights(cfg) == weights


def test_unclear_box_weights_are_refused():
    with pytest.raises(ValueError, match='should be four positive numbers, got'):
        bbox_reg_weights('BBOX_REG_WEIGHTS: *id001\nA: 1')


def test_a_pickle_of_python_2_is_read(tmp_path):
    blobs = detectron_blobs()
    with open(tmp_path / 'model_final.pkl', 'wb') as file:
        dump_python2(dict(blobs=dict(blobs, nothing=None), cfg='NUM_GPUS: 1\n' * 50), file)
    assert b'numpy.core.multiarray\n_reconstruct' in (tmp_path / 'model_final.pkl').read_bytes()
    read, cfg = read_detectron(tmp_path / 'model_final.pkl')
    assert cfg == 'NUM_GPUS: 1\n' * 50 and set(read) == set(blobs)
    for name, blob in blobs.items():
        np.testing.assert_array_equal(read[name], blob)
        assert type(read[name]) is np.ndarray


# F2F

CHANNELS, PAST = 2, 3
DILATIONS = (1, 2, 2, 4, 4, 2, 1)
KERNELS = (1, 3, 3, 3, 3, 3, 7)


def network(prefix, refiner=False, channels=CHANNELS, past=PAST, size=1):
    """State dict of one of the authors' networks."""
    sizes = [channels * (past + refiner), *[64 * size] * 3, *[32 * size] * 3, channels]
    state = OrderedDict()
    for number, kernel in enumerate(KERNELS):
        seen, given = sizes[number : number + 2]
        weight = torch.randn(given, seen, kernel, kernel) / math.sqrt(seen * kernel**2)
        state[f'{prefix}conv{number + 1}.weight'] = weight
        state[f'{prefix}conv{number + 1}.bias'] = 0.1 * torch.randn(given)
    return state


def run_network(state, prefix, maps):
    for number, (kernel, dilation) in enumerate(zip(KERNELS, DILATIONS), start=1):
        stem = f'{prefix}conv{number}'
        padding = dilation * (kernel // 2)
        maps = F.conv2d(maps, state[f'{stem}.weight'], state[f'{stem}.bias'], 1, padding, dilation)
        maps = maps if number == 7 else maps.relu()
    return maps


def forecast(model, past):
    return model(past, ForecastContext(frames=None, samples=[]))


def run_level(state, prefixes, maps):
    """The forecast of a level whose networks are given coarsest first."""
    coarsest, *finer = prefixes
    scales = [maps[..., :: 2**s, :: 2**s] for s in range(len(prefixes))]
    out = run_network(state, coarsest, scales[-1])
    for prefix, seen in zip(finer, scales[-2::-1]):
        up = F.interpolate(out, seen.shape[-2:], mode='bilinear', align_corners=True)
        out = up + run_network(state, prefix, torch.cat([seen, up], dim=1))
    return out


def whole(prefixes=None):
    """P5, P4, P3 and the three scales of P2, in this order; with the prefixes of each level."""
    prefixes = prefixes or [['0.m0.'], ['1.m0.'], ['2.m0.'], ['3.m0.', '3.m1.', '3.m2.']]
    state = OrderedDict()
    for level in prefixes:
        for number, prefix in enumerate(level):
            state.update(network(prefix, refiner=number > 0))
    return state, prefixes


def neck(num_scales, size_factor=1, channels=CHANNELS, past=PAST):
    return F2FPredictor(
        channels=channels,
        num_levels=len(num_scales),
        num_past=past,
        size_factor=size_factor,
        num_scales=num_scales,
    )


@torch.no_grad()
def test_the_whole_forecasts_as_the_original():
    state, prefixes = whole()
    model = neck((3, 1, 1, 1))
    model.load_state_dict(f2f_to_neck(state), strict=True)
    past = [torch.randn(2, PAST, CHANNELS, 16 >> n, 32 >> n) for n in range(4)]
    for future, level, given in zip(forecast(model, past), reversed(prefixes), past):
        expected = run_level(state, level, given.flatten(1, 2))
        torch.testing.assert_close(future[:, 0], expected, rtol=1e-5, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize('prefix', ['', 'module.', '0.models.0.'])
def test_a_single_level_forecasts_as_the_original(prefix):
    state, model = network(prefix), neck((1,))
    model.load_state_dict(f2f_to_neck(state), strict=True)
    past = torch.randn(1, PAST, CHANNELS, 5, 6)
    expected = run_network(state, prefix, past.flatten(1, 2))
    torch.testing.assert_close(forecast(model, [past])[0][:, 0], expected, rtol=1e-5, atol=1e-6)


def test_levels_are_told_by_their_names_or_the_caller():
    named, _ = whole([[f'fpn_{top}.0.'] for top in (TOPS[1], TOPS[3], TOPS[0])])
    first = {name: value for name, value in f2f_to_neck(named).items() if '0.0.conv.bias' in name}
    assert [int(name.split('.')[1]) for name in first] == [0, 1, 2]
    for level, top in enumerate((TOPS[0], TOPS[1], TOPS[3])):  # P2, P3, P5
        assert first[f'nets.{level}.scales.0.0.conv.bias'] is named[f'fpn_{top}.0.conv1.bias']
    unnamed, _ = whole([['a.'], ['b.']])
    with pytest.raises(ValueError, match=r'file has 2 levels of \[1, 1\] scales.*--levels'):
        f2f_to_neck(unnamed)
    converted = f2f_to_neck(unnamed, levels=('P2', 'P4'))
    assert converted['nets.1.scales.0.6.conv.bias'] is unnamed['b.conv7.bias']
    for levels in (('P2',), ('P2', 'P2'), ('P2', 'P7')):
        with pytest.raises(ValueError, match='must name each level of the file once'):
            f2f_to_neck(unnamed, levels)


def test_the_published_sizes_fit_the_paper():
    state = {}
    with torch.device('meta'):
        for level, scales in enumerate((1, 1, 1, 3)):
            for scale in range(scales):
                state.update(network(f'{level}.{scale}.', scale > 0, channels=256, past=4, size=8))
        model = F2FPredictor()
    converted = f2f_to_neck(state)
    assert sum(value.numel() for value in converted.values()) == 65_158_144
    assert sum(v.numel() for k, v in converted.items() if k.startswith('nets.3.')) == 10_816_000
    expected = {name: value.shape for name, value in model.state_dict().items()}
    assert {name: value.shape for name, value in converted.items()} == expected


@pytest.mark.parametrize(
    'change, match',
    [
        (lambda s: s.pop('m.conv3.bias'), "'m' has other layers .* conv3.bias missing"),
        (lambda s: s.update({'m.conv8.bias': torch.zeros(1)}), 'conv8.bias missing or too many'),
        (lambda s: s.update({'m.fc.weight': torch.zeros(1)}), "'m.fc.weight' is no weight of F2F"),
        (lambda s: s.update({'m.conv4.weight': torch.zeros(32, 64, 5, 5)}), r'conv4 .*\(32, 64, 3'),
        (lambda s: s.update(network('n.', channels=4)), r'predict \[2, 4\], but'),
        (lambda s: s.update(network('n.', past=5)), r'see \[6, 10\] channels and predict \[2\]'),
        (lambda s: s.clear(), 'The 0 networks see'),
    ],
)
def test_other_networks_are_refused(change, match):
    state = network('m.')
    change(state)
    with pytest.raises(ValueError, match=match):
        f2f_to_neck(state)


def test_a_file_that_starts_with_a_refiner_is_refused():
    state = OrderedDict(**network('fine.', refiner=True), **network('coarse.'))
    with pytest.raises(ValueError, match="starts with 'fine', a finer scale"):
        f2f_to_neck(state)


@pytest.mark.parametrize('wrap', [lambda s: s, lambda s: dict(epoch=3, model=s)])
def test_a_file_of_old_torch_and_python_2_is_read_in_its_order(tmp_path, wrap):
    state, _ = whole()
    path = tmp_path / 'F2F.net'
    torch.save(wrap(state), path, pickle_module=PYTHON2, _use_new_zipfile_serialization=False)
    read = read_f2f(path)
    assert list(read) == list(state)
    assert all(torch.equal(read[name], state[name]) for name in state)


# Levels trained one by one


def stage(num_scales=1, detector=0.0):
    state = {f'predictor.{k}': v for k, v in neck((num_scales,)).state_dict().items()}
    return {'encoder.detector.conv.weight': torch.full((2, 2), detector), **state}


def test_assembled_levels_forecast_as_they_did_alone():
    stages = dict(P5=stage(), P2=stage(num_scales=2))
    merged = assemble_levels(stages)
    assert torch.equal(merged.pop('encoder.detector.conv.weight'), torch.zeros(2, 2))
    model = neck((2, 1))
    model.load_state_dict({k.removeprefix('predictor.'): v for k, v in merged.items()})
    past = [torch.randn(1, PAST, CHANNELS, 8, 8), torch.randn(1, PAST, CHANNELS, 2, 2)]
    for level, (name, scales) in enumerate((('P2', 2), ('P5', 1))):
        alone = neck((scales,))
        alone.load_state_dict(
            {k.removeprefix('predictor.'): v for k, v in stages[name].items() if k.startswith('predictor.')}
        )
        assert torch.equal(forecast(model, past)[level], forecast(alone, [past[level]])[0])


def test_levels_of_different_detectors_are_not_assembled():
    with pytest.raises(ValueError, match='P2 and P4 were trained with different detectors: 1 '):
        assemble_levels(dict(P4=stage(), P2=stage(detector=1.0)))
    without = {k: v for k, v in stage().items() if k.startswith('predictor.')}
    with pytest.raises(ValueError, match='the first is encoder.detector.conv.weight'):
        assemble_levels(dict(P4=stage(), P5=without))


def test_only_single_levels_are_assembled():
    both = {f'predictor.{k}': v for k, v in neck((1, 1)).state_dict().items()}
    with pytest.raises(ValueError, match='P3 should have one net, predictor.nets.0, .* got 0, 1'):
        assemble_levels(dict(P2=stage(), P3=both))
