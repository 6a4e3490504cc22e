"""Gradient accumulation with several optimizers, and across a resumed run.

mmengine counts the backward passes of a single optimizer: it steps after every ``accumulative_counts`` of
them, and after the last of a training. Several optimizers in an ``OptimWrapperDict`` aren't counted, and
gradients that wait for their step aren't in its checkpoints.
"""

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from mmforecast.utils.unwrap import unwrap

from .optimizers import trained_parameters

__all__ = ['CountingOptimWrapperDict', 'pending_gradients', 'resume_accumulation']


class CountingOptimWrapperDict(OptimWrapperDict):
    """An ``OptimWrapperDict`` whose optimizers step after the last iteration, and count on when resumed.

    A model with several backward passes of one network in an iteration says so in a method
    ``backward_passes(name)``.
    """

    def initialize_count_status(self, model: nn.Module, cur_iter: int, max_iters: int) -> None:
        """Start counting the backward passes of each optimizer.

        Args:
            model: The whole model, perhaps in its wrapper for several processes.
            cur_iter: Iterations done.
            max_iters: Iterations of the whole training.
        """
        passes = getattr(unwrap(model), 'backward_passes', lambda name: 1)
        for name, wrapper in self.items():
            per_iteration = passes(name)
            wrapper.initialize_count_status(model, 0, max_iters * per_iteration)
            # Given above, it would warn of lost gradients, which resume_accumulation brings back.
            wrapper._inner_count = cur_iter * per_iteration


def pending_gradients(model: nn.Module, wrappers: Mapping[str, OptimWrapper]) -> dict[str, dict[str, Any]]:
    """Return the gradients that wait for an optimizer's step, by network.

    Args:
        model: Whose parameters are named.
        wrappers: By the name of the network.

    Returns:
        For each optimizer inside an accumulation: ``count``, its backward passes so far;
        ``accumulative_counts``; and ``gradients`` on the CPU, by the parameter's name.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    pending = {}
    for network, wrapper in wrappers.items():
        if wrapper.should_update():
            continue
        parameters = trained_parameters(wrapper.optimizer)
        pending[network] = dict(
            count=wrapper.inner_count,
            accumulative_counts=wrapper._accumulative_counts,
            gradients={names[id(p)]: p.grad.detach().cpu().clone() for p in parameters if p.grad is not None},
        )
    return pending


def resume_accumulation(
    runner: Any, wrappers: Mapping[str, OptimWrapper], pending: Mapping[str, Mapping[str, Any]]
) -> None:
    """Put the gradients of :func:`pending_gradients` back, and warn where they are missing.

    Args:
        runner: About to train, from the iteration of the checkpoint.
        wrappers: By the name of the network.
        pending: Of the checkpoint.
    """
    parameters: dict[str, Tensor] = dict(unwrap(runner.model).named_parameters())
    lost = []
    for network, wrapper in wrappers.items():
        if wrapper.should_update():
            continue
        saved = pending.get(network, {})
        here = wrapper.inner_count, wrapper._accumulative_counts
        if (saved.get('count'), saved.get('accumulative_counts')) != here:
            lost.append(network or 'the model')
            continue
        for name, gradient in saved['gradients'].items():
            parameters[name].grad = gradient.to(parameters[name])
    if lost:
        runner.logger.warning(
            f'The run resumes within the gradient accumulation of {", ".join(lost)}, and the checkpoint lacks '
            'the gradients: the next optimizer step differs from that of an uninterrupted run.'
        )
    elif pending:
        runner.logger.info('The gradients accumulated before the interruption are restored; none is lost.')
