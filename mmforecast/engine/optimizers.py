"""The optimizers of a run, and what they train."""

from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn
from torch.optim import Optimizer

__all__ = ['optim_wrappers', 'trained_parameters']


def optim_wrappers(runner: Any) -> dict[str, OptimWrapper]:
    """The optimizer wrappers by the network that they are for; '' where there is one for all."""
    wrapper = runner.optim_wrapper
    return dict(wrapper.items()) if isinstance(wrapper, OptimWrapperDict) else {'': wrapper}


def trained_parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    """The parameters of all groups, in the optimizer's order."""
    return [parameter for group in optimizer.param_groups for parameter in group['params']]
