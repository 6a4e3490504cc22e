"""A warning where training has come to a standstill."""

from collections import Counter
from functools import partial
from typing import Any

import torch
from mmengine.hooks import Hook

from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_above, check_positive

from ..optimizers import optim_wrappers, trained_parameters

__all__ = ['VanishingGradientHook']


@HOOKS.register_module()
class VanishingGradientHook(Hook):
    """Warns, once for each optimizer, when its gradients are as good as zero for a while.

    A saturated output or a loss that is cut off does this: the loss stays where it is, no error is raised,
    and the run ends with weights that learned nothing. The largest gradient is looked at in every
    ``interval``-th step of an optimizer.

    Args:
        interval: Steps from one look to the next.
        patience: Looks in a row that find nothing.
        least: Largest absolute value of a gradient that counts as nothing: the default is Adam's ``eps``,
            below which its steps shrink.
    """

    def __init__(self, interval: int = 50, patience: int = 3, least: float = 1e-8):
        check_positive('VanishingGradientHook', interval=interval, patience=patience)
        check_above('VanishingGradientHook', 0, least=least)
        self.interval = interval
        self.patience = patience
        self.least = least
        self._handles: list[Any] = []

    def before_train(self, runner: Any) -> None:
        """Watch the steps of every optimizer."""
        self._runner = runner
        self._steps: Counter = Counter()
        self._in_a_row: Counter = Counter()
        self._warned: set[str] = set()
        self._handles = [
            wrapper.optimizer.register_step_pre_hook(partial(self._before_step, name))
            for name, wrapper in optim_wrappers(runner).items()
        ]

    def after_train(self, runner: Any) -> None:
        """Stop watching."""
        while self._handles:
            self._handles.pop().remove()

    def _before_step(self, name: str, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        self._steps[name] += 1
        if name in self._warned or self._steps[name] % self.interval:
            return
        largest = _largest_gradient(optimizer)
        self._in_a_row[name] = self._in_a_row[name] + 1 if largest <= self.least else 0
        if self._in_a_row[name] < self.patience:
            return
        self._warned.add(name)
        self._runner.logger.warning(
            f'Iteration {self._runner.iter + 1}: the largest gradient{f" of the {name}" if name else ""} was '
            f'at most {self.least:g} in {self.patience} looks in a row, {self.interval} steps apart (now '
            f'{largest:.3g}), so it learns nothing any more. Look at the range of its inputs and targets, at '
            'outputs that saturate (out_act) and at losses that are cut off, or lower the learning rate'
        )


def _largest_gradient(optimizer: torch.optim.Optimizer) -> float:
    """Largest absolute value of all gradients; 0 where there are none."""
    gradients = [
        p.grad.detach() for p in trained_parameters(optimizer) if p.grad is not None and p.grad.numel()
    ]
    if not gradients:
        return 0.0
    return float(torch.stack(torch._foreach_norm(gradients, float('inf'))).max())
