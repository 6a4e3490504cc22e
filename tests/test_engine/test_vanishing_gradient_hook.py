"""Training that stands still is noticed."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import MODELS

from mmforecast.engine import VanishingGradientHook

HOOK = {'default_hooks.vanishing': dict(type='mmforecast.VanishingGradientHook', interval=2, patience=3)}


@pytest.fixture
def saturating(toy_config):
    """The toy model, whose loss is cut off from some iteration on, by its number from 1."""
    toy_config('epochs')
    import toy_task

    @MODELS.register_module(force=True)
    class SaturatingModel(toy_task.ToyModel):
        def __init__(self, dead=()):
            super().__init__(dropout=0)
            self.dead, self.calls = dead, 0

        def forward(self, inputs, data_samples=None, mode='tensor'):
            losses = super().forward(inputs, data_samples, mode)
            if mode == 'loss':
                self.calls += 1
                factor = 0.0 if self.calls in self.dead else 1.0
                losses = {name: factor * loss for name, loss in losses.items()}
            return losses

    return dict(type='SaturatingModel', _delete_=True)


def warnings_of(toy_runner, model):
    runner, warnings = toy_runner('iters', options={'model': model, **HOOK}), []
    runner.logger.warning = warnings.append
    runner.train()
    return [text for text in warnings if 'learns nothing' in text]


def test_a_run_without_gradients_is_told_once(toy_runner, saturating):
    (warning,) = warnings_of(toy_runner, dict(saturating, dead=range(5, 100)))
    # looked at in steps 2, 4, 6, ...; nothing is found in 6, 8 and 10
    assert warning.startswith('Iteration 10: the largest gradient was at most 1e-08 in 3 looks in a row')
    assert '(now 0)' in warning


def test_a_run_that_learns_is_not(toy_runner, saturating):
    assert not warnings_of(toy_runner, saturating)
    assert not warnings_of(toy_runner, dict(saturating, dead=(4, 5, 6, 7)))


@pytest.fixture
def watched():
    """A weight, its optimizer as that of a generator, a runner, and the warnings of the runner."""
    weight, warnings = torch.nn.Parameter(torch.ones(3)), []
    optimizer = torch.optim.SGD([weight], lr=1.0)
    wrapper = OptimWrapperDict(generator=OptimWrapper(optimizer))
    runner = SimpleNamespace(iter=4, optim_wrapper=wrapper, logger=SimpleNamespace(warning=warnings.append))
    return weight, optimizer, runner, warnings


def test_the_largest_gradient_decides(watched):
    weight, optimizer, runner, messages = watched
    hook = VanishingGradientHook(interval=1, patience=1, least=0.5)
    hook.before_train(runner)
    weight.grad = torch.tensor([0.0, -0.6, 0.1])
    optimizer.step()
    assert not messages
    weight.grad = torch.tensor([0.0, -0.5, 0.1])
    optimizer.step()
    assert len(messages) == 1 and '(now 0.5)' in messages[0] and 'of the generator' in messages[0]
    hook.after_train(runner)


def test_parameters_without_gradients_count_as_nothing(watched):
    _, optimizer, runner, messages = watched
    hook = VanishingGradientHook(interval=1, patience=1)
    hook.before_train(runner)
    optimizer.step()
    assert len(messages) == 1 and '(now 0)' in messages[0]
    hook.after_train(runner)
    fresh = VanishingGradientHook(interval=1, patience=2)
    fresh.before_train(runner)
    optimizer.step()
    assert len(messages) == 1


def test_bad_settings():
    for settings in (dict(interval=0), dict(patience=0), dict(least=0)):
        with pytest.raises(ValueError, match='VanishingGradientHook'):
            VanishingGradientHook(**settings)
