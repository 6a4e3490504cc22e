"""A model and data that take milliseconds, with every kind of randomness that training has."""

import os
import random
import runpy
import signal
import sys

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, HOOKS, METRICS, MODELS
from torch import nn


@DATASETS.register_module()
class ToyDataset(BaseDataset):
    """``size`` signals; a draw crops, flips and disturbs one, each with another generator."""

    def __init__(self, size: int = 10, augment: bool = True, **kwargs):
        self.size, self.augment = size, augment and not kwargs.get('test_mode')
        super().__init__(serialize_data=False, **kwargs)

    def load_data_list(self):
        return [dict(number=number) for number in range(self.size)]

    def prepare_data(self, idx):
        signal_ = torch.sin(torch.arange(12.0) * (idx + 1))
        if self.augment:
            start = np.random.randint(5)
            signal_ = signal_[start : start + 8]
            if random.random() < 0.5:
                signal_ = signal_.flip(0)
            signal_ = signal_ + 0.1 * torch.randn(8)
        return dict(inputs=signal_[:8], data_samples=torch.tensor(float(idx)))


@MODELS.register_module()
class ToyModel(BaseModel):
    """Two layers and dropout; no batch norm."""

    def __init__(self, dropout: float = 0.3, width: int = 16):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, width), nn.Tanh(), nn.Dropout(dropout), nn.Linear(width, 1))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        output = self.layers(torch.stack(inputs))[:, 0]
        if mode == 'loss':
            return dict(loss=(output - torch.stack(data_samples)).square().mean())
        return list(output) if mode == 'predict' else output


@MODELS.register_module()
class ToyBaseline(BaseModel):
    """Nothing to learn."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return [signal_.mean() for signal_ in inputs]


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Mean absolute output; draws from the global generators, as sampling metrics do."""

    def process(self, data_batch, data_samples):
        np.random.rand(), torch.rand(1), random.random()
        self.results += [float(sample.abs()) for sample in data_samples]

    def compute_metrics(self, results):
        return dict(size=sum(results) / len(results))


@HOOKS.register_module()
class KillHook(Hook):
    """Ends the process by ``number`` (SIGKILL by default) where the environment says so.

    ``KILL_AT_ITER=n``: after n iterations. ``KILL_AT_WRITE=n``: halfway through writing the n-th
    file. Only before a first restart by torchrun.
    """

    priority = 'HIGH'

    def before_run(self, runner):
        from mmforecast.fileio import atomic

        at_write, writes, write = int(os.getenv('KILL_AT_WRITE', 0)), [], atomic._write

        def write_or_die(handle, data):
            writes.append(1)
            if len(writes) == at_write:
                handle.write(data[: len(data) // 2])
                handle.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            write(handle, data)

        if at_write:
            atomic._write = write_or_die

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        first = os.getenv('TORCHELASTIC_RESTART_COUNT', '0') == '0'
        if first and runner.iter + 1 == int(os.getenv('KILL_AT_ITER', 0)):
            os.kill(os.getpid(), getattr(signal, os.getenv('KILL_BY', 'SIGKILL')))


@HOOKS.register_module()
class SaveEveryStepHook(Hook):
    """Writes this process's weights to ``$STEPS/<iteration>_<rank>.pth`` after each iteration."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        folder = os.getenv('STEPS')
        if folder:
            model = getattr(runner.model, 'module', runner.model)
            torch.save(model.state_dict(), f'{folder}/{runner.iter + 1}_{runner.rank}.pth')


def run_tool(script, arguments, environment, log):
    """Run a command-line tool in this process; what it prints goes to the file ``log``."""
    os.environ.update(environment)
    with open(log, 'w') as handle:
        os.dup2(handle.fileno(), 1)
        os.dup2(handle.fileno(), 2)
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name='__main__')
