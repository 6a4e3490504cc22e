"""The configs of creative GANs: they build, and the variants of one dataset differ in a few lines."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import HOOKS

from mmforecast.creative.datasets import BaseAttributeDataset
from mmforecast.creative.models import CreativeGAN
from mmforecast.engine import MultiOptimWrapperConstructor
from mmforecast.registry import DATASETS, MODEL_WRAPPERS, MODELS, TRANSFORMS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/creative_gan'
FILES = [p for p in sorted(CONFIGS.glob('*.py')) if not p.stem.startswith('attribute-classifier')]
# On data generated on the fly; that of the others is not in the repository.
MADE = [p for p in FILES if p.stem.endswith(('textures-64', 'garments-64'))]


def build(cfg):
    settings = cfg.model.to_dict()
    settings['generator'].pop('checkpoint', None)  # of a first stage; not in the repository
    with torch.device('meta'):
        return MODELS.build(settings)


@pytest.mark.parametrize('path', FILES, ids=lambda p: p.stem)
def test_config_builds(path):
    cfg = Config.fromfile(path)
    assert cfg.default_scope == 'mmforecast'
    model = build(cfg)
    assert isinstance(model, CreativeGAN)
    dataset = cfg.train_dataloader.dataset.to_dict()
    assert issubclass(DATASETS.get(dataset['type']), BaseAttributeDataset)
    DATASETS.build(dict(dataset, lazy_init=True))
    for transform in dataset['pipeline']:
        TRANSFORMS.build(transform)
    for hook in [*cfg.default_hooks.values(), *cfg.custom_hooks]:
        HOOKS.build(hook.to_dict())
    assert cfg.train_cfg.max_iters % cfg.default_hooks.checkpoint.interval == 0
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size
    assert MODEL_WRAPPERS.get(cfg.model_wrapper_cfg.type)
    assert all(
        cfg.get(f'{part}_{what}') is None
        for part in ('val', 'test')
        for what in ('dataloader', 'cfg', 'evaluator')
    )
    settings = cfg.optim_wrapper.to_dict()
    assert settings.pop('constructor') == 'MultiOptimWrapperConstructor'
    optimizers = MultiOptimWrapperConstructor(settings)(model)
    assert {name for name in optimizers.keys()} == {'generator', 'discriminator'}


@pytest.mark.parametrize('tiny', ['', '_tiny'])
@pytest.mark.parametrize('data, attribute', [('clothing', 'shape'), ('textures', 'texture')])
@pytest.mark.parametrize('variant', ['can', 'can-h', 'sharma-mittal'])
def test_variants_are_the_baseline_and_a_few_lines(tiny, data, attribute, variant):
    path = CONFIGS / f'{variant}{tiny}_{attribute}_{data}-64.py'
    assert len(path.read_text().splitlines()) < 10
    cfg, baseline = Config.fromfile(path), Config.fromfile(CONFIGS / f'dcgan{tiny}_{data}-64.py')
    ours, theirs = cfg.to_dict(), baseline.to_dict()
    model, plain = ours.pop('model'), theirs.pop('model')
    assert ours == theirs
    assert set(model['discriminator'].pop('attributes')) == {attribute}
    losses = model.pop('loss_config')
    assert {k: losses[k] for k in losses if 'auxiliary' not in k} == plain.pop('loss_config')
    assert model == plain
    mode = losses['gen_auxiliary_loss']['mode']
    assert mode == variant.replace('can-h', 'can_h').replace('-', '_')


@pytest.mark.parametrize('path', MADE, ids=lambda p: p.stem)
def test_made_data_has_the_attributes_of_the_discriminator(path):
    cfg = Config.fromfile(path)
    dataset = cfg.train_dataloader.dataset.to_dict()
    data = DATASETS.build(dict(dataset, num_images=42))
    counts = {name: len(classes) for name, classes in data.attributes.items()}
    wanted = cfg.model.to_dict()['discriminator'].get('attributes', {})
    assert wanted.items() <= counts.items()
    generator = build(cfg).generator
    assert data[0]['inputs'].shape == (3, generator.output_scale, generator.output_scale)


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    'name, generator, discriminator',
    [
        ('dcgan_clothing-64', 12_658_435, 2_765_633),
        ('dcgan_tiny_clothing-64', 1_100_227, 694_689),
        ('can-h_both_rtw-256', 12_817_859, 11_425_199),
        ('can_wikiart-256', 45_271_619, 15_920_572),
    ],
)
def test_networks_have_the_stated_sizes(name, generator, discriminator):
    model = build(Config.fromfile(CONFIGS / f'{name}.py'))
    assert parameters(model.generator) == generator
    assert parameters(model.discriminator) == discriminator


def test_second_stage_takes_the_last_checkpoint_of_the_first():
    second = Config.fromfile(CONFIGS / 'stackgan-s2_can-h_texture_rtw-256.py')
    first = Config.fromfile(CONFIGS / 'stackgan-s1_can-h_texture_rtw-64.py')
    expected = f'work_dirs/stackgan-s1_can-h_texture_rtw-64/iter_{first.train_cfg.max_iters}.pth'
    assert second.model.generator.checkpoint == expected
    assert second.model.generator.stage1 == first.model.generator
