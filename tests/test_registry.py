"""Registries: own parts under the default scope of another library, and no warnings at the start of a run."""

import logging
import re
import subprocess
import sys
from collections import OrderedDict

import pytest
from mmengine.config import ConfigDict
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope, Registry
from torch import nn

from mmforecast.engine.log_filter import concerns_user
from mmforecast.registry import DATASETS, HOOKS, LOOPS, METRICS, MODELS, TRANSFORMS, VISUALIZERS

# One that the library has too, by the same name.
SHARED = dict(type='FPN', in_channels=[4], out_channels=4, num_outs=1)


@pytest.mark.parametrize('scope', ['mmdet', 'mmseg', 'mmengine'])
@pytest.mark.parametrize(
    'registry, cfg',
    [
        (MODELS, dict(type='SemSegDecoder')),
        (MODELS, dict(type='ForecastDataPreprocessor')),
        (MODELS, dict(type='GANLoss')),
        (TRANSFORMS, dict(type='PackForecastInputs')),
        (METRICS, dict(type='FutureSemSegMetric')),
        (HOOKS, dict(type='DivergenceHook')),
    ],
    ids=lambda value: value['type'] if isinstance(value, dict) else value.name,
)
def test_own_types_are_built_in_any_scope(scope, registry, cfg):
    with DefaultScope.overwrite_default_scope(scope):
        built = registry.build(ConfigDict(cfg))
        assert type(built).__module__.startswith('mmforecast.')
        assert cfg['type'] == type(built).__name__  # the config is as it was


def test_the_default_scope_comes_first():
    with DefaultScope.overwrite_default_scope('mmdet'):
        assert type(MODELS.build(dict(SHARED))).__module__.startswith('mmdet.')
    with DefaultScope.overwrite_default_scope('mmseg'):
        assert type(MODELS.build(dict(SHARED))).__module__.startswith('mmseg.')


def test_package_of_ones_own_is_the_default_scope(tmp_path, monkeypatch):
    (tmp_path / 'my_forecasts').mkdir()
    (tmp_path / 'my_forecasts/__init__.py').touch()
    (tmp_path / 'my_forecasts/registry.py').write_text(
        'from mmengine.registry import MODELS as ROOT, Registry\n'
        "MODELS = Registry('model', parent=ROOT, scope='my_forecasts')\n"
        '@MODELS.register_module()\n'
        'class Mine:\n    pass\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with DefaultScope.overwrite_default_scope('my_forecasts'):
        assert type(MODELS.build(dict(type='Mine'))).__name__ == 'Mine'
        assert type(MODELS.build(dict(type='SemSegDecoder'))).__name__ == 'SemSegDecoder'
        with pytest.raises(KeyError, match='Nothing is not in the'):
            MODELS.build(dict(type='Nothing'))


@pytest.mark.parametrize('scope', ['mmdet', 'mmforecast'])
def test_optimizers_by_network_are_built_in_any_scope(scope):
    model = nn.Sequential(OrderedDict(generator=nn.Linear(1, 1)))
    cfg = dict(constructor='MultiOptimWrapperConstructor', generator=dict(optimizer=dict(type='SGD', lr=1.0)))
    with DefaultScope.overwrite_default_scope(scope):
        assert list(build_optim_wrapper(model, cfg).keys()) == ['generator']


def test_every_registry_builds_own_types():
    for registry in (DATASETS, HOOKS, LOOPS, METRICS, MODELS, TRANSFORMS, VISUALIZERS):
        assert type(registry).build is not Registry.build


@pytest.mark.slow
def test_a_run_starts_without_warnings(repository, street_root, tmp_path):
    """Through the real tool: nothing in the log that a user can't act on."""
    options = ['train_cfg.max_iters=1', 'train_cfg.val_interval=1', 'train_dataloader.batch_size=1']
    for loader in ('train', 'val'):
        options += [
            f'{loader}_dataloader.num_workers=0',
            f'{loader}_dataloader.dataset.data_root={street_root}',
        ]
    config = repository / 'configs/s2s/s2s_last_tiny_synthetic.py'
    done = subprocess.run(
        [
            *(sys.executable, repository / 'tools/train.py', config),
            *('--work-dir', tmp_path, '--cfg-options', *options),
        ],
        cwd=repository,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    lines = done.stdout.splitlines()
    assert [line for line in lines if re.search(r'\bWARNING\b|Warning:', line)] == []


def test_other_warnings_pass_the_filter():
    logger = MMLogger.get_instance('test_registry_filter')
    logger.addFilter(concerns_user)
    for text, passes in (('"FileClient" will be deprecated in future.', False), ('A disk is full', True)):
        record = logging.LogRecord('name', logging.WARNING, 'path', 1, text, (), None)
        assert bool(logger.filter(record)) == passes
