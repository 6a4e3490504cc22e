"""Every config file parses, and its model, transforms, metric and hooks can be built."""

from pathlib import Path

import pytest
import yaml
from mmengine.config import Config
from mmengine.registry import HOOKS, VISUALIZERS

from mmforecast.datasets import BaseSequenceDataset
from mmforecast.datasets.representation_store import StoreError
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.registry import DATASETS, METRICS, MODELS, TRANSFORMS

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
FILES = sorted(p for p in CONFIGS.rglob('*.py') if '_base_' not in p.parts)


def test_there_are_configs():
    assert len(FILES) >= 20
    assert {p.parent.name for p in FILES} >= {'s2s', 'baselines'}


def without_checkpoints(cfg):
    """Weights are not in the repository; nothing else is taken out."""
    if isinstance(cfg, dict):
        return {
            k: without_checkpoints(v)
            for k, v in cfg.items()
            if not (k == 'checkpoint' and isinstance(v, str))
        }
    if isinstance(cfg, (list, tuple)):
        return type(cfg)(without_checkpoints(v) for v in cfg)
    return cfg


@pytest.mark.parametrize('path', FILES, ids=lambda p: f'{p.parent.name}/{p.stem}')
def test_config_builds(path):
    cfg = Config.fromfile(path)
    assert cfg.default_scope == 'mmforecast'
    model = MODELS.build(without_checkpoints(cfg.model.to_dict()))
    assert isinstance(model, BaseForecaster)
    for part in ('train', 'val', 'test'):
        check_data(cfg[f'{part}_dataloader'].dataset, model, part)
    for part in ('val', 'test'):
        METRICS.build(cfg[f'{part}_evaluator'].to_dict())
    for hook in cfg.default_hooks.values():
        HOOKS.build(hook.to_dict())
    VISUALIZERS.build(dict(cfg.visualizer.to_dict(), vis_backends=None))
    assert cfg.train_cfg.type == 'IterBasedTrainLoop'


def check_data(dataset, model, part):
    """The data set's class exists, its pipeline builds, and its clips fit the model."""
    assert issubclass(DATASETS.get(dataset.type), BaseSequenceDataset)
    assert dataset.num_past == model.num_past
    steps = model.train_steps if part == 'train' else model.test_steps
    assert dataset.num_future == steps
    for transform in dataset.pipeline:
        try:
            TRANSFORMS.build(transform.to_dict())
        except StoreError as error:  # the stored scores of Cityscapes aren't here
            assert transform.type == 'LoadClipScores' and transform.store in str(error)


@pytest.mark.parametrize(
    'name, parameters',
    [
        ('s2s_2scale_cityscapes', 1_654_950),
        ('s2s_2scale_ar-ft_cityscapes', 1_654_950),
        ('s2s_2scale_tiny_synthetic', 1_654_950),
        ('s2s_1scale_cityscapes', 699_795),
    ],
)
def test_paper_configs_have_the_paper_size(name, parameters):
    cfg = Config.fromfile(CONFIGS / 's2s' / f'{name}.py')
    model = MODELS.build(without_checkpoints(cfg.model.to_dict()))
    assert sum(p.numel() for p in model.predictor.parameters()) == parameters


@pytest.mark.parametrize('path', sorted((CONFIGS / 's2s').glob('*ar-ft*.py')), ids=lambda p: p.stem)
def test_fine_tuning_is_a_short_config_by_inheritance(path):
    lines = path.read_text().splitlines()
    assert len(lines) < 15 and any(line.startswith('_base_') for line in lines)
    cfg = Config.fromfile(path)
    assert cfg.model.train_cfg.rollout_steps == 3 and cfg.load_from


def test_metafiles_name_existing_configs():
    index = yaml.safe_load((CONFIGS.parent / 'model-index.yml').read_text())['Import']
    assert sorted(index) == sorted(
        str(p.relative_to(CONFIGS.parent)) for p in CONFIGS.rglob('metafile.yml')
    )
    for name in index:
        content = yaml.safe_load((CONFIGS.parent / name).read_text())
        collections = {entry['Name'] for entry in content['Collections']}
        for entry in content['Models']:
            assert entry['In Collection'] in collections
            path = CONFIGS.parent / entry['Config']
            assert path.stem == entry['Name'] and path in FILES
            given = entry.get('Metadata', {}).get('Parameters')
            if given is not None:
                model = MODELS.build(without_checkpoints(Config.fromfile(path).model.to_dict()))
                assert given == sum(p.numel() for p in model.predictor.parameters())
