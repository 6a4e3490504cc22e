"""A model as it is, where several processes only test it."""

from typing import Any

from torch import nn

from mmforecast.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class Unwrapped:
    """Stands where a config names a wrapper, and gives the model itself.

    Tests need no gradients of other processes, and DistributedDataParallel refuses models without
    trainable weights, such as baselines.
    """

    def __new__(cls, module: nn.Module, **kwargs: Any) -> nn.Module:
        return module
