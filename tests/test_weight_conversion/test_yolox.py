"""Converted YOLOX computes in mmdet what a forward pass, written here, computes of Megvii's file."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmforecast.fileio import find_model
from mmforecast.weight_conversion import read_yolox, yolox_config, yolox_to_mmdet

WEIGHTS = Path(__file__).resolve().parents[3] / 'shared/data/weights/yolox_nano_coco_mmdet.pth'
NUM_CLASSES = 80


class Shapes(dict):
    """Shapes of a YOLOX's weights under Megvii's names.

    Args:
        width: Channels of the stem.
        depth: Bottlenecks of the first stage.
        depthwise: Whether 3x3 convolutions are depthwise separable.
    """

    def __init__(self, width, depth, depthwise):
        super().__init__()
        self.depthwise = depthwise
        two, four, eight, sixteen = (factor * width for factor in (2, 4, 8, 16))
        self.base('backbone.backbone.stem.conv', 12, width, 3)
        for name, seen, given, blocks in (
            ('dark2', width, two, depth),
            ('dark3', two, four, 3 * depth),
            ('dark4', four, eight, 3 * depth),
            ('dark5', eight, sixteen, depth),
        ):
            self.conv(f'backbone.backbone.{name}.0', seen, given)
            self.csp(f'backbone.backbone.{name}.{2 if name == "dark5" else 1}', given, given, blocks)
        self.base('backbone.backbone.dark5.1.conv1', sixteen, eight)
        self.base('backbone.backbone.dark5.1.conv2', 4 * eight, sixteen)
        self.base('backbone.lateral_conv0', sixteen, eight)
        self.csp('backbone.C3_p4', sixteen, eight, depth)
        self.base('backbone.reduce_conv1', eight, four)
        self.csp('backbone.C3_p3', eight, four, depth)
        self.conv('backbone.bu_conv2', four, four)
        self.csp('backbone.C3_n3', eight, eight, depth)
        self.conv('backbone.bu_conv1', eight, eight)
        self.csp('backbone.C3_n4', sixteen, sixteen, depth)
        for level, seen in enumerate((four, eight, sixteen)):
            self.base(f'head.stems.{level}', seen, four)
            for branch in ('cls_convs', 'reg_convs'):
                for layer in range(2):
                    self.conv(f'head.{branch}.{level}.{layer}', four, four)
            for branch, given in (('cls_preds', NUM_CLASSES), ('reg_preds', 4), ('obj_preds', 1)):
                self[f'head.{branch}.{level}.weight'] = given, four, 1, 1
                self[f'head.{branch}.{level}.bias'] = (given,)

    def base(self, name, seen, given, kernel=1):
        self[f'{name}.conv.weight'] = given, seen, kernel, kernel
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            self[f'{name}.bn.{part}'] = (given,)
        self[f'{name}.bn.num_batches_tracked'] = ()

    def conv(self, name, seen, given):
        if not self.depthwise:
            return self.base(name, seen, given, 3)
        self.base(f'{name}.dconv', 1, seen, 3)
        self.base(f'{name}.pconv', seen, given)

    def csp(self, name, seen, given, blocks):
        hidden = given // 2
        self.base(f'{name}.conv1', seen, hidden)
        self.base(f'{name}.conv2', seen, hidden)
        self.base(f'{name}.conv3', 2 * hidden, given)
        for block in range(blocks):
            self.base(f'{name}.m.{block}.conv1', hidden, hidden)
            self.conv(f'{name}.m.{block}.conv2', hidden, hidden)


def random_state(*sizes):
    state = {}
    for name, shape in Shapes(*sizes).items():
        noise = torch.randn(shape)
        state[name] = noise / noise[0].numel() ** 0.5 if len(shape) > 1 else 0.1 * noise
        if name.endswith(('bn.weight', 'running_var')):
            state[name] = 1 + noise.abs()
        if name.endswith('num_batches_tracked'):
            state[name] = torch.tensor(7)
    return state


class Forward:
    """The forward pass of a YOLOX, of weights under Megvii's names."""

    def __init__(self, state):
        self.state = state

    def base(self, x, name, stride=1):
        weight = self.state[f'{name}.conv.weight']
        x = F.conv2d(
            x, weight, stride=stride, padding=weight.shape[-1] // 2, groups=x.shape[1] // weight.shape[1]
        )
        parts = [self.state[f'{name}.bn.{part}'] for part in ('running_mean', 'running_var', 'weight', 'bias')]
        return F.silu(F.batch_norm(x, *parts, eps=1e-3))

    def conv(self, x, name, stride=1):
        if f'{name}.conv.weight' in self.state:
            return self.base(x, name, stride)
        return self.base(self.base(x, f'{name}.dconv', stride), f'{name}.pconv')

    def csp(self, x, name, shortcut=False):
        main, block = self.base(x, f'{name}.conv1'), 0
        while f'{name}.m.{block}.conv1.conv.weight' in self.state:
            new = self.conv(self.base(main, f'{name}.m.{block}.conv1'), f'{name}.m.{block}.conv2')
            main, block = main + new if shortcut else new, block + 1
        return self.base(torch.cat([main, self.base(x, f'{name}.conv2')], 1), f'{name}.conv3')

    def pyramid(self, image):
        pixels = [image[..., y::2, x::2] for x, y in ((0, 0), (0, 1), (1, 0), (1, 1))]
        x, seen = self.base(torch.cat(pixels, 1), 'backbone.backbone.stem.conv'), []
        for stage in ('dark2', 'dark3', 'dark4'):
            x = self.conv(x, f'backbone.backbone.{stage}.0', 2)
            x = self.csp(x, f'backbone.backbone.{stage}.1', shortcut=True)
            seen.append(x)
        x = self.base(self.conv(x, 'backbone.backbone.dark5.0', 2), 'backbone.backbone.dark5.1.conv1')
        x = torch.cat([x, *(F.max_pool2d(x, size, 1, size // 2) for size in (5, 9, 13))], 1)
        x = self.csp(self.base(x, 'backbone.backbone.dark5.1.conv2'), 'backbone.backbone.dark5.2')
        _, fine, middle = seen
        top = self.base(x, 'backbone.lateral_conv0')
        x = self.csp(torch.cat([F.interpolate(top, scale_factor=2), middle], 1), 'backbone.C3_p4')
        side = self.base(x, 'backbone.reduce_conv1')
        fine = self.csp(torch.cat([F.interpolate(side, scale_factor=2), fine], 1), 'backbone.C3_p3')
        middle = self.csp(torch.cat([self.conv(fine, 'backbone.bu_conv2', 2), side], 1), 'backbone.C3_n3')
        coarse = self.csp(torch.cat([self.conv(middle, 'backbone.bu_conv1', 2), top], 1), 'backbone.C3_n4')
        return fine, middle, coarse

    def heads(self, image):
        """Scores of classes, boxes and objectness, by level."""
        out = []
        for level, features in enumerate(self.pyramid(image)):
            stem = self.base(features, f'head.stems.{level}')
            branches = {}
            for branch in ('cls', 'reg'):
                x = stem
                for layer in range(2):
                    x = self.conv(x, f'head.{branch}_convs.{level}.{layer}')
                branches[branch] = x
            out.append(
                [
                    F.conv2d(
                        branches[branch],
                        self.state[f'head.{kind}_preds.{level}.weight'],
                        self.state[f'head.{kind}_preds.{level}.bias'],
                    )
                    for kind, branch in (('cls', 'cls'), ('reg', 'reg'), ('obj', 'reg'))
                ]
            )
        return list(zip(*out))


def detector(config):
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(Config.fromfile(find_model(config).config).model).eval()


@torch.no_grad()
def assert_same(model, state):
    image = 255 * torch.rand(1, 3, 64, 96).double()
    found = model.double().bbox_head(model.extract_feat(image))
    double = {name: value.double() for name, value in state.items()}
    for mine, other in zip(found, Forward(double).heads(image), strict=True):
        for a, b in zip(mine, other, strict=True):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize('size, sizes', [('nano', (16, 1, True)), ('tiny', (24, 1, False))])
def test_every_weight_is_taken_and_computes_the_same(size, sizes):
    state = random_state(*sizes)
    converted = yolox_to_mmdet({f'module.{name}': value for name, value in state.items()})
    assert yolox_config(converted) == f'yolox_{size}_8xb8-300e_coco'
    model = detector(yolox_config(converted))
    model.load_state_dict(converted, strict=True)
    assert_same(model, state)


def test_published_weights():
    if not WEIGHTS.is_file():
        pytest.skip(f'no weights at {WEIGHTS}')
    weights = torch.load(WEIGHTS, weights_only=True)
    weights = weights.get('state_dict', weights)
    ours = {name: next(iter(yolox_to_mmdet({name: None}))) for name in Shapes(16, 1, True)}
    state = {name: weights[other] for name, other in ours.items()}
    converted = yolox_to_mmdet(state)
    assert converted.keys() == weights.keys()
    assert all(torch.equal(converted[name], value) for name, value in weights.items())
    model = detector(yolox_config(converted))
    model.load_state_dict(converted, strict=True)
    assert_same(model, state)


def test_file_of_the_trainer_is_read(tmp_path):
    state = random_state(16, 1, True)
    torch.save(dict(model=state, optimizer=dict(state={}), start_epoch=300), tmp_path / 'yolox_nano.pth')
    read = read_yolox(tmp_path / 'yolox_nano.pth')
    assert read.keys() == state.keys()


def test_sizes_that_mmdet_has_no_config_of():
    assert yolox_config(yolox_to_mmdet(random_state(8, 1, False))) is None


def test_other_weights_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'backbone.backbone.stem.0.conv.weight is no weight of .* Darknet53'):
        yolox_to_mmdet({'backbone.backbone.stem.0.conv.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match=r'folded into the convolutions \(backbone.stem.conv.conv.bias\)'):
        yolox_to_mmdet({'backbone.backbone.stem.conv.conv.bias': torch.zeros(1)})
    torch.save(dict(epoch=1), tmp_path / 'empty.pth')
    with pytest.raises(ValueError, match=r"empty.pth holds no weights: expected them in its entry 'model'"):
        read_yolox(tmp_path / 'empty.pth')
    (tmp_path / 'net.onnx').write_bytes(b'\x08\x06')
    with pytest.raises(ValueError, match='net.onnx is no file of torch'):
        read_yolox(tmp_path / 'net.onnx')
