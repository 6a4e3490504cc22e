"""Handling of losses and gradients that become NaN or infinite."""

import io
import os
from collections import Counter
from typing import Any

import torch
from mmengine.dist import all_gather_object, all_reduce, barrier, get_dist_info, is_main_process
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from torch import Tensor, nn

from mmforecast.fileio.atomic import write_atomically
from mmforecast.fileio.plain_state import to_plain
from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_choice, check_positive
from mmforecast.utils.unwrap import unwrap

from ..divergence import (
    DivergenceError,
    Losses,
    all_finite,
    describe_samples,
    loss_terms,
    named_gradients,
    not_finite,
    what_diverged,
)
from ..optimizers import optim_wrappers, trained_parameters

__all__ = ['DivergenceHook']

_ADVICE = (
    'Look at these samples, lower the learning rate, clip gradients '
    "(optim_wrapper.clip_grad=dict(max_norm=...)), or set default_hooks.divergence.action='skip'"
)


@HOOKS.register_module()
class DivergenceHook(Hook):
    """Refuses optimizer steps whose loss or gradients hold NaN or infinity, and names what they came from.

    Looks between the backward pass and the step, of every optimizer, the two of adversarial training too,
    and over all batches that a step accumulates. So weights, optimizer states and running statistics are
    those of before the step. All processes decide alike.

    Steps that the loss scaler of mixed precision leaves out are its way to find its scale, and no
    divergence, unless it leaves out ``max_scaler_skips`` in a row.

    Args:
        action: 'stop' raises a DivergenceError, after writing two files to the work dir:
            ``divergence_iter_<n>.pth``, a small dict of what is known (losses by name, samples, parameters
            with bad gradients, learning rates, by process), and ``before_iter_<n>.pth``, a checkpoint from
            before the step. 'skip' logs a warning and continues with the next batch.
        max_skips: This many skipped steps in a row, of one optimizer, stop too.
        max_scaler_skips: Likewise of the loss scaler.
    """

    priority = 'VERY_HIGH'  # restores running statistics before others read them

    def __init__(self, action: str = 'stop', max_skips: int = 10, max_scaler_skips: int = 100):
        check_choice('DivergenceHook', ('stop', 'skip'), action=action)
        check_positive('DivergenceHook', max_skips=max_skips, max_scaler_skips=max_scaler_skips)
        self.action = action
        self.max_skips = max_skips
        self.max_scaler_skips = max_scaler_skips
        self.skipped = 0
        self._in_a_row: Counter = Counter()
        self._by_scaler: Counter = Counter()
        self._losses: list[Losses] = []
        self._stepped: set = set()
        self._handles: list[Any] = []
        self._buffers: list[Tensor] | None = None

    def before_train(self, runner: Any) -> None:
        """Watch the model's losses and every optimizer's steps."""
        self._runner = runner
        self._model = unwrap(runner.model)
        self._buffers = None
        self._handles = [self._model.register_forward_hook(self._record_losses, with_kwargs=True)]
        for name, wrapper in optim_wrappers(runner).items():

            def look(optimizer: Any, args: Any, kwargs: Any, name: str = name) -> None:
                self._before_step(name, optimizer)

            self._handles.append(wrapper.optimizer.register_step_pre_hook(look))

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Forget the losses of steps that are done, and remember the running statistics."""
        if all(wrapper.should_update() for wrapper in optim_wrappers(runner).values()):
            self._losses.clear()
        self._stepped.clear()
        if self._buffers is None:
            modules = [module for module in self._model.modules() if module.training]
            self._buffers = [buffer for m in modules for buffer in m.buffers(recurse=False)]
            self._copies = [buffer.clone() for buffer in self._buffers]
        elif self._buffers:
            torch._foreach_copy_(self._copies, self._buffers)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Count the steps that loss scalers left out."""
        for name, wrapper in optim_wrappers(runner).items():
            if isinstance(wrapper, AmpOptimWrapper) and wrapper.should_update():
                left_out = name not in self._stepped
                self._by_scaler[name] = self._by_scaler[name] + 1 if left_out else 0
                if self._by_scaler[name] > self.max_scaler_skips:
                    scale = wrapper.loss_scaler.get_scale()
                    raise DivergenceError(
                        f'The loss scaler left out {self._by_scaler[name]} steps in a row, up to '
                        f'iteration {runner.iter + 1}, and its scale is down to {scale:g}: the '
                        'gradients are not finite at any scale. Resume an earlier checkpoint '
                        "with a lower learning rate, or with dtype='bfloat16' in the optim_wrapper"
                    )

    def after_train(self, runner: Any) -> None:
        """Stop watching, and say how often steps were skipped."""
        while self._handles:
            self._handles.pop().remove()
        if self.skipped:
            runner.logger.warning(f'{self.skipped} diverging steps were skipped in this run.')

    def _record_losses(self, model: nn.Module, args: tuple, kwargs: dict, output: Any) -> None:
        if model.training and torch.is_grad_enabled() and isinstance(output, dict):
            inputs = kwargs.get('inputs')
            self._losses.append(
                Losses(
                    iteration=self._runner.iter + 1,
                    terms=loss_terms(output),
                    samples=_as_list(kwargs.get('data_samples')),
                    inputs=inputs if torch.is_tensor(inputs) else None,
                )
            )

    def _before_step(self, name: str, optimizer: torch.optim.Optimizer) -> None:
        """Remove the gradients of a step that must not be made: it then changes nothing."""
        losses, self._losses = self._losses, []
        self._stepped.add(name)
        parameters = trained_parameters(optimizer)
        gradients = [p.grad for p in parameters if p.grad is not None]
        finite = all_finite(losses, gradients)
        if finite is not None and get_dist_info()[1] > 1:
            all_reduce(finite, 'min')
        if finite is None or bool(finite):
            self._in_a_row[name] = 0
            return
        report = self._report(name, optimizer, losses, parameters)
        for parameter in parameters:
            parameter.grad = None
        with torch.no_grad():
            for buffer, copy in zip(self._buffers or [], getattr(self, '_copies', [])):
                buffer.copy_(copy)
        self.skipped += 1
        self._in_a_row[name] += 1
        self._act(report, self._in_a_row[name])

    def _report(
        self, name: str, optimizer: Any, losses: list[Losses], parameters: list[nn.Parameter]
    ) -> dict[str, Any]:
        """What is known, in plain containers, of all processes."""
        gradients = named_gradients(self._model, parameters)
        steps = [
            dict(
                iteration=entry.iteration,
                losses={key: float(value) for key, value in entry.terms.items()},
                samples=to_plain(describe_samples(entry), []),
            )
            for entry in losses
        ]
        return dict(
            iteration=self._runner.iter + 1,
            epoch=self._runner.epoch,
            network=name,
            steps=[step for of_process in all_gather_object(steps) for step in of_process],
            bad_gradients=not_finite(gradients),
            num_gradients=len(gradients),
            bad_weights=not_finite(dict(self._model.named_parameters())),
            learning_rates=[float(group['lr']) for group in optimizer.param_groups],
        )

    def _act(self, report: dict[str, Any], in_a_row: int) -> None:
        sentence = what_diverged(report)
        if self.action == 'skip' and in_a_row < self.max_skips:
            self._runner.logger.warning(
                f'{sentence}. Its step is skipped, number {in_a_row} in a row of at most {self.max_skips}.'
            )
            return
        if self.action == 'skip':
            sentence += f'; this is number {in_a_row} in a row'
        raise DivergenceError(f'{sentence}. {self._dump(report)} {_ADVICE}')

    def _dump(self, report: dict[str, Any]) -> str:
        runner, number = self._runner, report['iteration']
        dump = os.path.join(runner.work_dir, f'divergence_iter_{number}.pth')
        before = f'before_iter_{number}.pth'
        try:
            if is_main_process():
                buffer = io.BytesIO()
                torch.save(report, buffer)
                write_atomically(dump, buffer.getvalue())
            runner.save_checkpoint(
                runner.work_dir,
                before,
                by_epoch=False,
                meta=dict(epoch=runner.epoch, iter=runner.iter),
                backend_args=dict(backend='atomic_local'),
            )
        except OSError as error:
            return f'The step was not made, but its dump could not be written ({error}).'
        finally:
            barrier()  # who raises first has the others ended
        return (
            f'The step was not made: {os.path.join(runner.work_dir, before)} is from before it, and '
            f'{dump} says what is known.'
        )


def _as_list(samples: Any) -> list:
    return list(samples) if isinstance(samples, (list, tuple)) else []
