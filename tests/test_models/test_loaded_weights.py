"""Weights that a part loads from a file are still that file's, bit for bit, after a Runner has trained."""

import copy
import re

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.runner import Runner

from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.utils.load_network import load_network
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
        type='MultiScalePredictor', channels=channels, num_past=2, widths=widths, kernels=((3, 3), (3, 3)),
        losses=dict(l1=dict(type='mmdet.L1Loss')),
    )  # fmt: skip
    return dict(type='S2SForecaster', num_past=2, encoder=encoder, predictor=predictor)


def f2f(encoder):
    predictor = dict(
        type='F2FPredictor', channels=16, num_levels=4, num_past=2, size_factor=1, num_scales=(1,) * 4,
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
@pytest.mark.parametrize('whole', [False, True])
def test_a_frozen_network_keeps_the_weights_of_its_file(name, whole, small_detector, tmp_path):
    """Also where the forecaster's own init_cfg reaches every convolution of the model."""
    model, state = frozen_case(name, small_detector, tmp_path)
    if whole:
        model['init_cfg'] = dict(type='Kaiming', layer='Conv2d')
    assert_weights(train(model, tmp_path).encoder.network, state)


def test_a_given_network_keeps_its_weights(small_detector):
    detector = DetectorEncoder(small_detector('mask-rcnn')).detector
    state = {name: value.clone() for name, value in detector.state_dict().items()}
    encoder = DetectorEncoder(detector)
    encoder.init_weights()
    assert_weights(encoder.network, state)


def test_weights_of_an_init_cfg_are_there_without_training(small_detector, tmp_path):
    """Prediction calls no init_weights, and the checkpoint of a predictor has no detector."""
    model, state = frozen_case('DetectorEncoder, init_cfg', small_detector, tmp_path)
    model = MODELS.build(model)
    own = {name: value for name, value in model.state_dict().items() if not name.startswith('encoder.')}
    model.load_state_dict(own, strict=False)
    assert_weights(model.encoder.network, state)


def test_the_checkpoint_of_a_run_wins_over_init_cfg(small_detector, tmp_path):
    model, state = frozen_case('DetectorEncoder, init_cfg', small_detector, tmp_path)
    other = MODELS.build(copy.deepcopy(model)).state_dict()
    for name, value in other.items():
        if name.startswith('encoder.') and value.is_floating_point():
            value.add_(0.5)
    torch.save(dict(state_dict=other, meta={}), tmp_path / 'run.pth')
    trained = train(model, tmp_path / 'out', load_from=str(tmp_path / 'run.pth'))
    prefix = 'encoder.detector.'
    expected = {name[len(prefix) :]: value for name, value in other.items() if name.startswith(prefix)}
    assert_weights(trained.encoder.network, expected)
    assert not torch.equal(expected['backbone.conv1.weight'], state['backbone.conv1.weight'])


def gan(stage1, checkpoint):
    generator = dict(
        type='StackGANGenerator', stage1=stage1, checkpoint=checkpoint, base_channels=8, num_blocks=1
    )
    return dict(
        type='CreativeGAN',
        generator=generator,
        discriminator=dict(type='DCGANDiscriminator', input_scale=64, base_channels=4),
        ema_config=dict(type='ExponentialMovingAverage', momentum=0.5),
        init_cfg=dict(type='Constant', layer=['Conv2d', 'ConvTranspose2d'], val=0.5),
    )


def test_the_first_stage_of_stackgan_keeps_the_weights_of_its_file(tmp_path):
    """In the generator and in its average."""
    stage1 = dict(type='DCGANGenerator', output_scale=16, base_channels=16, noise_size=8)
    path, state = written(stage1, 'mmforecast', tmp_path / 'stage1.pth')
    torch.save(dict(state_dict={f'generator.{name}': value for name, value in state.items()}), path)
    wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
    optimizer = dict(constructor='MultiOptimWrapperConstructor', generator=wrapper, discriminator=wrapper)
    trained = train(gan(stage1, path), tmp_path, Images(), optimizer=optimizer)
    assert_weights(trained.generator.stage1, state)
    assert_weights(trained.generator_ema.module.stage1, state)


def test_the_average_of_a_model_has_the_frozen_weights_of_the_file(small_detector, tmp_path):
    model, state = frozen_case('SegmentorEncoder', small_detector, tmp_path)
    train(model, tmp_path, hooks=[dict(type='EMAHook'), dict(type='mmengine.CheckpointHook', by_epoch=False)])
    saved = torch.load(tmp_path / 'iter_1.pth', weights_only=False)
    for weights, prefix in ((saved['state_dict'], ''), (saved['ema_state_dict'], 'module.')):
        for name, value in state.items():
            assert torch.equal(weights[f'{prefix}encoder.segmentor.{name}'], value), name


def test_weights_that_are_not_there_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = f'there is no file {tmp_path}/work_dirs/a.pth with the weights of Linear: train it first, or'
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        load_network(torch.nn.Linear(1, 1), 'work_dirs/a.pth')
