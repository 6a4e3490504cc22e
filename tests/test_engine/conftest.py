"""The toy task of tests/toy_task, trained in this process."""

import sys
import uuid
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

TOY_TASK = Path(__file__).parents[1] / 'toy_task'


class Stopped(Exception):
    """What ends a run in its middle, as a crash would."""


class StopHook(Hook):
    """Raises ``Stopped`` after ``iters`` iterations."""

    priority = 'HIGH'  # before the checkpoint hook

    def __init__(self, iters):
        self.iters = iters

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iters:
            raise Stopped


@pytest.fixture
def quick(monkeypatch):
    """Spare what takes most of a toy run's time and what no test here is about."""
    monkeypatch.setattr('mmforecast.fileio.atomic.os.fsync', lambda descriptor: None)
    monkeypatch.setattr(Config, 'pretty_text', 'text = "of the config"')
    monkeypatch.setattr(Runner, '_log_env', lambda self, env_cfg: None)


@pytest.fixture
def toy_config():
    """Config of the toy task by the name of its file."""
    if str(TOY_TASK) not in sys.path:
        sys.path.append(str(TOY_TASK))
    return lambda name: Config.fromfile(TOY_TASK / f'{name}.py')


@pytest.fixture
def toy_runner(toy_config, quick, tmp_path):
    """Build a runner: ``toy_runner('epochs', 'folder', {'dotted.option': ...}, hooks=[...])``."""

    def build(name, folder='run', options=None, hooks=()):
        cfg = toy_config(name)
        cfg.merge_from_dict(options or {})
        cfg.work_dir = str(tmp_path / folder)
        cfg.log_level = 'ERROR'
        # By default named by the second, so that two runs of one test would share their message
        # hub.
        cfg.experiment_name = uuid.uuid4().hex
        runner = Runner.from_cfg(cfg)
        for hook in hooks:
            runner.register_hook(hook)
        return runner

    return build


@pytest.fixture
def train_until(toy_runner):
    """Train and stop hard after some iterations: ``train_until(iters, name, ...)``."""

    def train(iters, *args, hooks=(), **kwargs):
        with pytest.raises(Stopped):
            toy_runner(*args, hooks=[*hooks, StopHook(iters)], **kwargs).train()

    return train
