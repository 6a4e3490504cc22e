"""The weight of the adversarial loss by the gradients that it competes with."""

from collections.abc import Callable

import torch
import torch.nn as nn
from mmengine.dist import all_reduce
from torch import Tensor

from mmforecast.utils.checks import check_above, check_fraction


class AdversarialBalance(nn.Module):
    """Weights ``min(cap, r, mean of r)`` per scale, with ``r = ratio * |grad rec| / |grad adv|``.

    A fixed weight means what the gradients make of it: under a discriminator that tells all, the adversarial
    term outweighs the reconstruction many times, and under one at chance it is nothing. Here it has at most
    ``ratio`` times the reconstruction's gradient. A recipe of ours; the papers' weight is fixed.

    Args:
        num_scales: Scales that the discriminator judges.
        cap: The largest weight.
        ratio: Of the two gradients' norms, above 0.
        momentum: Of the running mean of r, in [0, 1): its share of the past.

    Attributes:
        average: (num_scales,), the running mean; 0 before the first step. Part of checkpoints.
    """

    def __init__(self, num_scales: int, cap: float, ratio: float = 0.1, momentum: float = 0.99):
        super().__init__()
        check_above('AdversarialBalance', 0, cap=cap, ratio=ratio)
        check_fraction('AdversarialBalance', momentum=momentum)
        self.cap = cap
        self.ratio = ratio
        self.momentum = momentum
        self.register_buffer('average', torch.zeros(num_scales))

    @torch.no_grad()
    def forward(self, reconstruction: Tensor, adversarial: Tensor) -> Tensor:
        """Weights (num_scales,) of one step, after it is counted in the running mean.

        Args:
            reconstruction, adversarial: (num_scales,), norms of the gradients with respect to the prediction
                at each scale, of the losses without this weight. In training on several processes the mean of
                r over them counts.
        """
        wanted = self.ratio * reconstruction / adversarial.clamp(min=1e-12)
        all_reduce(wanted, 'mean')
        wanted = wanted.clamp(max=1e6)
        past = torch.where(self.average > 0, self.average, wanted)
        self.average.copy_(self.momentum * past + (1 - self.momentum) * wanted)
        return torch.minimum(wanted, self.average).clamp(max=self.cap)


def gradient_norm(loss: Callable[[Tensor], Tensor], maps: Tensor) -> Tensor:
    """Euclidean norm of the gradient of a scalar ``loss`` of ``maps``; no weight gets a gradient."""
    with torch.enable_grad():
        leaf = maps.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(loss(leaf), leaf)
    return gradient.norm()
