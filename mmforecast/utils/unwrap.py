"""Models and what wraps them."""

from mmengine.model import is_model_wrapper
from torch import nn

__all__ = ['unwrap']


def unwrap(model: nn.Module) -> nn.Module:
    """What a wrapper such as DistributedDataParallel holds; any other model as it is."""
    return model.module if is_model_wrapper(model) else model
