"""What the runner of the tools refuses before a training."""

import pytest
from mmengine.config import Config

from mmforecast.engine import ForecastRunner, launch
from mmforecast.engine.runner import require_accelerator
from mmforecast.utils.loader_settings import drop_worker_settings


@pytest.fixture
def runner_of(toy_config, quick, tmp_path):
    """A runner as the tools build it, by options of the toy task."""

    def build(options):
        cfg = toy_config('epochs')
        cfg.merge_from_dict(options)
        cfg.work_dir, cfg.log_level, cfg.launcher = str(tmp_path), 'ERROR', 'none'
        runner = launch.build_runner(cfg)
        assert isinstance(runner, ForecastRunner)
        return runner

    return build


def test_baseline_is_not_trained(runner_of):
    with pytest.raises(ValueError, match='nothing to train: ToyBaseline has no weights of its own; score it'):
        runner_of({'model': dict(type='ToyBaseline', _delete_=True)}).train()


def test_frozen_model_is_not_trained(runner_of):
    runner = runner_of({})
    runner.model.requires_grad_(False)
    with pytest.raises(ValueError, match='nothing to train: all 4 weights of ToyModel are frozen'):
        runner.train()


def test_config_without_a_training_says_so(runner_of):
    nothing = dict(train_dataloader=None, train_cfg=None, optim_wrapper=None, param_scheduler=None)
    with pytest.raises(ValueError, match='The config has no training'):
        runner_of(nothing).train()


def test_mixed_precision_needs_an_accelerator(runner_of, monkeypatch):
    amp = {'optim_wrapper.type': 'AmpOptimWrapper'}
    with pytest.raises(ValueError, match='^optim_wrapper is an AmpOptimWrapper: mixed precision needs a GPU'):
        runner_of(amp).train()
    two = dict(constructor='M', generator=dict(type='mmengine.AmpOptimWrapper', optimizer=dict(type='SGD')))
    with pytest.raises(ValueError, match='^optim_wrapper.generator is an AmpOptimWrapper'):
        require_accelerator(two)
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    require_accelerator(two)


def test_a_config_with_mixed_precision_is_tested_without_a_gpu(runner_of):
    runner = runner_of({'optim_wrapper.type': 'AmpOptimWrapper'})
    assert 'size' in runner.test()


def test_loaders_without_workers_need_no_other_option(runner_of):
    options = {'persistent_workers': True, 'prefetch_factor': 4, 'timeout': 9, 'num_workers': 0}
    loaders = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    runner = runner_of({f'{loader}.{key}': value for loader in loaders for key, value in options.items()})
    assert 'size' in runner.test() and runner.train() is not None


def test_loaders_with_workers_keep_their_options():
    loader = Config(dict(a=dict(num_workers=1, persistent_workers=True))).a
    assert drop_worker_settings(loader) == dict(num_workers=1, persistent_workers=True)
