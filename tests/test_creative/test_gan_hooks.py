from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import HOOKS

from mmforecast.creative.hooks import GANHealthHook, SampleGridHook


def warnings_of(values, iterations=10, **kwargs):
    """What is warned of while the same values are logged in each iteration."""
    said = []
    runner = SimpleNamespace(iter=0, logger=SimpleNamespace(warning=said.append))
    hook = GANHealthHook(interval=5, **kwargs)
    for runner.iter in range(iterations):
        hook.after_train_iter(runner, 0, outputs={k: torch.tensor(v) for k, v in values.items()})
    return said


@pytest.mark.parametrize(
    'values, sentence',
    [
        (
            dict(d_accuracy=1.0),
            'the discriminator was right on 100.0% of the images: the generator',
        ),
        (
            dict(d_accuracy=0.0),
            'the discriminator was right on 0.0% of the images: it learns nothing',
        ),
        (dict(diversity=0.05), 'were 5% as different from each other as real ones'),
    ],
)
def test_collapse_is_told_once_per_interval(values, sentence):
    said = warnings_of(values)
    assert len(said) == 2
    assert said[1].startswith('Over the last 5 iterations, up to 10, ') and sentence in said[1]
    assert warnings_of(values, iterations=4) == []


@pytest.mark.parametrize('values', [dict(d_accuracy=0.98, diversity=0.5), dict(loss=3.0), {}])
def test_health_is_silent(values):
    assert warnings_of(values) == []


def test_the_mean_is_judged():
    said = []
    runner = SimpleNamespace(iter=0, logger=SimpleNamespace(warning=said.append))
    hook = GANHealthHook(interval=4)
    for runner.iter, accuracy in enumerate([1.0, 1.0, 1.0, 0.9, 1.0, 1.0, 1.0, 1.0]):
        hook.after_train_iter(runner, 0, outputs=dict(d_accuracy=accuracy))
    assert len(said) == 1 and 'up to 8' in said[0]  # the second four; the first are 0.975


@pytest.mark.parametrize(
    'cfg, sentence',
    [
        (dict(type='GANHealthHook', interval=0), 'interval must be an integer >= 1, got 0'),
        (
            dict(type='GANHealthHook', min_accuracy=0.9, max_accuracy=0.5),
            r'min_accuracy must lie in \[0, 0.5\), got 0.9',
        ),
        (dict(type='SampleGridHook', columns=0), 'columns must be an integer >= 1, got 0'),
        (dict(type='SampleGridHook', scale=1.5), 'scale must be an integer >= 1, got 1.5'),
    ],
)
def test_hooks_refuse(cfg, sentence):
    with pytest.raises(ValueError, match=f'{cfg["type"]}: .*{sentence}'):
        HOOKS.build(dict(cfg, type=f'mmforecast.{cfg["type"]}'))


def test_grids_need_a_model_that_samples():
    runner = SimpleNamespace(model=torch.nn.Linear(1, 1))
    with pytest.raises(TypeError, match='method sample of the model, which a Linear has not'):
        SampleGridHook().before_train(runner)
