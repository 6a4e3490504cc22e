"""Freeze a sub-network for good: no gradients, and eval mode that survives ``model.train()``."""

import torch.nn as nn


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
