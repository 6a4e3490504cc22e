"""Frozen sub-networks: no gradients, and eval mode that survives ``model.train()``."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch.nn as nn
from mmcv.cnn.bricks import DropPath
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd


def freeze(module: nn.Module) -> nn.Module:
    """Put ``module`` in eval mode, without gradients, and return it."""
    module.eval()
    for param in module.parameters():
        param.requires_grad_(False)
    return module


class KeepFrozen(nn.Module):
    """Mixin: the children named in ``frozen_children`` stay in eval mode through ``train()``.

    ``freeze`` alone isn't enough, because the runner calls ``model.train()`` before every epoch,
    which would put batch norm and dropout of the frozen part back to training mode.
    """

    frozen_children: tuple = ()

    def train(self, mode: bool = True):
        super().train(mode)
        for name in self.frozen_children:
            child = getattr(self, name)
            if child is not None:
                child.eval()
        return self


@contextmanager
def loss_mode(network: nn.Module) -> Iterator[nn.Module]:
    """Inside, a network computes the losses it is trained with, but nothing random or running changes.

    Heads of detectors compute other things in eval mode. So all modules are in training mode, except those
    with running statistics or dropout (attention has its own), which are in eval mode. Afterwards each is as
    it was.
    """
    modes = [(module, module.training) for module in network.modules()]
    for module, _ in modes:
        # set as it is: some backbones freeze stages in their own train()
        module.training = not isinstance(module, (_NormBase, _DropoutNd, DropPath, nn.MultiheadAttention))
    try:
        yield network
    finally:
        for module, mode in modes:
            module.training = mode
