"""The configs of datasets of single images, and of the classifiers that are trained on them."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import HOOKS

from mmforecast.creative.datasets import BaseAttributeDataset
from mmforecast.creative.models.classifiers import AttributeClassifier
from mmforecast.registry import DATASETS, METRICS, MODELS, TRANSFORMS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CLASSIFIERS = sorted((CONFIGS / 'creative_gan').glob('attribute-classifier_*.py'))
DATA = ('clothing_64', 'fashion_mnist', 'garments_64', 'rtw_256', 'textures_64')


def build(cfg):
    model = cfg.model.to_dict()
    model['backbone'].pop('init_cfg', None)  # weights that aren't here
    with torch.device('meta'):
        return MODELS.build(model)


@pytest.mark.parametrize('path', CLASSIFIERS, ids=lambda p: p.stem)
def test_classifier_config_builds(path):
    assert len(path.read_text().splitlines()) < 27
    cfg = Config.fromfile(path)
    assert cfg.default_scope == 'mmforecast'
    model = build(cfg)
    assert isinstance(model, AttributeClassifier)
    with torch.device('meta'):
        logits = model.eval()(torch.zeros(2, 3, 64, 64), mode='tensor')
    assert {name: tuple(scores.shape) for name, scores in logits.items()} == {
        name: (2, classes) for name, classes in cfg.model.attributes.items()
    }
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        METRICS.build(evaluator.to_dict())
    for hook in cfg.default_hooks.values():
        HOOKS.build(hook.to_dict())
    assert cfg.train_cfg.max_iters % cfg.default_hooks.checkpoint.interval == 0


@pytest.mark.parametrize('name', DATA)
def test_data_config(name):
    cfg = Config.fromfile(CONFIGS / '_base_' / 'datasets' / f'{name}.py')
    for part in ('train', 'val', 'test'):
        dataset = cfg[f'{part}_dataloader'].dataset.to_dict()
        assert issubclass(DATASETS.get(dataset['type']), BaseAttributeDataset)
        assert dataset.get('test_mode', False) == (part != 'train')
        for transform in dataset['pipeline']:
            TRANSFORMS.build(transform)
        DATASETS.build(dict(dataset, lazy_init=True))  # its arguments are known


@pytest.mark.parametrize('name', ['textures', 'garments'])
def test_classifiers_of_made_data_fit_it(name):
    cfg = Config.fromfile(CONFIGS / f'creative_gan/attribute-classifier_tiny_{name}-64.py')
    splits = [
        DATASETS.build(dict(cfg[f'{part}_dataloader'].dataset.to_dict(), num_images=84))
        for part in ('train', 'val', 'test')
    ]
    for data in splits:
        found = {key: len(names) for key, names in data.attributes.items()}
        assert found == cfg.model.attributes.to_dict()
        assert data[5]['inputs'].shape == (3, 64, 64)
    first = [data[0]['inputs'] for data in splits[1:]]
    assert (first[0] != first[1]).any()


def test_narrow_classifier_has_the_stated_size():
    model = build(Config.fromfile(CONFIGS / 'creative_gan/attribute-classifier_tiny_clothing-64.py'))
    assert sum(p.numel() for p in model.parameters()) == 703_386
