"""Weights that a part loads from a file are still that file's, bit for bit, after a Runner has trained."""

import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.runner import Runner

from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

SIZE = (64, 64)


class Clips(torch.utils.data.Dataset):
    """Two clips of three noisy frames with a car in each."""

    metainfo: dict = {}
    full_init = lambda self: None  # noqa: E731

    def __len__(self):
        return 2

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        frames = torch.randint(0, 256, (3, 3, *SIZE), dtype=torch.uint8, generator=generator)
        return dict(inputs=frames, data_samples=ForecastDataSample(metainfo=dict(img_shape=SIZE, num_past=2)))


class Images(Clips):
    """As many images."""

    def __getitem__(self, index):
        clip = super().__getitem__(index)
        return dict(inputs=clip['inputs'][0], data_samples=ForecastDataSample())


def train(model, folder, data=None, load_from=None, hooks=None, optimizer=None):
    """The model of a config after one iteration of a Runner."""
    optimizer = optimizer or dict(optimizer=dict(type='SGD', lr=0.1))
    runner = Runner(
        model=ConfigDict(model),
        work_dir=str(folder),
        train_dataloader=dict(
            dataset=data or Clips(),
            batch_size=2,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='pseudo_collate'),
        ),
        train_cfg=dict(by_epoch=False, max_iters=1),
        optim_wrapper=optimizer,
        custom_hooks=hooks,
        load_from=load_from,
        default_scope='mmforecast',
        experiment_name=str(folder).replace('/', '_'),
        log_level='ERROR',
    )
    return runner.train()


def segmentor_config():
    norm = dict(type='BN', requires_grad=True)
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[127.5] * 3, std=[64.0] * 3, bgr_to_rgb=True),
        backbone=dict(
            type='ResNetV1c', depth=18, stem_channels=8, base_channels=8, norm_cfg=norm,
            init_cfg=dict(type='Kaiming', layer='Conv2d'),
        ),
        decode_head=dict(
            type='FCNHead', in_channels=64, channels=8, num_convs=1, num_classes=5, norm_cfg=norm,
            align_corners=False, loss_decode=dict(type='CrossEntropyLoss'),
        ),
        test_cfg=dict(mode='whole'),
    )  # fmt: skip


def written(config, scope, path):
    """Write random weights of a network, batch norm's statistics too; returns the path and the weights."""
    network = MODELS.build(ConfigDict(copy.deepcopy({'_scope_': scope, **config})))
    state = network.state_dict()
    for value in state.values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) * 0.1 + 0.01)
    torch.save(dict(state_dict=state, meta={}), path)
    return str(path), {name: value.clone() for name, value in state.items()}


def s2s(encoder, channels):
    widths = ((4,), (4,))
    predictor = dict(
        type='MultiScalePredictor', in_channels=channels, num_past=2, widths=widths, kernels=((3, 3), (3, 3)),
        losses=dict(l1=dict(type='mmdet.L1Loss')),
    )  # fmt: skip
    return dict(type='S2SForecaster', num_past=2, encoder=encoder, predictor=predictor)


def f2f(encoder):
    predictor = dict(
        type='F2FNeck', channels=16, num_levels=4, num_past=2, size_factor=1, num_scales=(1,) * 4,
        losses=dict(mse=dict(type='mmdet.MSELoss')),
    )  # fmt: skip
    return dict(type='F2FForecaster', num_past=2, encoder=encoder, predictor=predictor)


def assert_weights(network, state):
    found = network.state_dict()
    assert found.keys() == state.keys()
    changed = [name for name in state if not torch.equal(found[name], state[name])]
    assert not changed, f'{len(changed)} of {len(state)}: {changed[:3]}'
    assert not any(module.training for module in network.modules())


def frozen_case(name, small_detector, folder):
    """The config of a forecaster over a frozen network, and the state that the network was given."""
    if 'Segmentor' in name:
        path, state = written(segmentor_config(), 'mmseg', folder / 'segmentor.pth')
        encoder = dict(type='SegmentorEncoder', segmentor=segmentor_config(), checkpoint=path)
        if name == 'CachedEncoder(SegmentorEncoder)':
            encoder = dict(type='CachedEncoder', encoder=encoder)
        return s2s(encoder, 5), state
    detector = small_detector('mask-rcnn')
    path, state = written(detector, 'mmdet', folder / 'detector.pth')
    encoder = dict(detector=detector, checkpoint=path)
    if name == 'DetectorEncoder, init_cfg':
        return f2f(
            dict(
                type='DetectorEncoder',
                detector={**detector, 'init_cfg': dict(type='Pretrained', checkpoint=path)},
            )
        ), state
    if name == 'DetectorEncoder':
        return f2f(dict(type=name, **encoder)), state
    if name == 'CachedEncoder(DetectorMapEncoder)':
        return s2s(dict(type='CachedEncoder', encoder=dict(type='DetectorMapEncoder', **encoder)), 9), state
    if name == 'DistanceMapEncoder':
        predictor = dict(
            type='D2DPredictor', channels=9, num_past=2, losses=dict(l1=dict(type='mmdet.L1Loss'))
        )
        return dict(
            type='D2DForecaster', num_past=2, encoder=dict(type=name, **encoder), predictor=predictor
        ), state
    return s2s(dict(type=name, **encoder), 9), state


@pytest.mark.parametrize(
    'name',
    [
        'SegmentorEncoder',
        'CachedEncoder(SegmentorEncoder)',
        'DetectorEncoder',
        'DetectorEncoder, init_cfg',
        'DetectorMapEncoder',
        'CachedEncoder(DetectorMapEncoder)',
        'DistanceMapEncoder',
    ],
)
@pytest.mark.parametrize('whole', [False])
def test_a_frozen_network_keeps_the_weights_of_its_file(name, whole, small_detector, tmp_path):
    """Also where the forecaster's own init_cfg reaches every convolution of the model."""
    model, state = frozen_case(name, small_detector, tmp_path)
    if whole and 'init_cfg' in name:
        pytest.skip('two initialisations of one network')
    if whole:
        model['init_cfg'] = dict(type='Kaiming', layer='Conv2d')
    assert_weights(train(model, tmp_path).encoder.network, state)


def test_the_average_of_a_model_has_the_frozen_weights_of_the_file(small_detector, tmp_path):
    model, state = frozen_case('SegmentorEncoder', small_detector, tmp_path)
    train(model, tmp_path, hooks=[dict(type='EMAHook'), dict(type='mmengine.CheckpointHook', by_epoch=False)])
    saved = torch.load(tmp_path / 'iter_1.pth', weights_only=False)
    for weights, prefix in ((saved['state_dict'], ''), (saved['ema_state_dict'], 'module.')):
        for name, value in state.items():
            assert torch.equal(weights[f'{prefix}encoder.segmentor.{name}'], value), name
