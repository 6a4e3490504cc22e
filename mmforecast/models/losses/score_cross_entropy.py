"""Cross-entropy between two maps of pre-softmax scores.

Not part of the S2S paper, which regresses the scores: a documented alternative that spends the
network's capacity on the decision between classes rather than on the value of every score.
"""
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.registry import MODELS


def score_cross_entropy(pred: Tensor, target: Tensor, temperature: float = 1.0) -> Tensor:
    """Mean over pixels of ``-sum_c softmax(target / t)_c log softmax(pred / t)_c``.

    Args:
        pred, target: (N, C, H, W) pre-softmax scores.
        temperature: divides both; must be positive.
    """
    log_prob = F.log_softmax(pred / temperature, dim=1)
    return -(F.softmax(target / temperature, dim=1) * log_prob).sum(dim=1).mean()


@MODELS.register_module()
class ScoreCrossEntropyLoss(nn.Module):
    """Module form of :func:`score_cross_entropy`, times ``loss_weight``."""

    def __init__(self, temperature: float = 1.0, loss_weight: float = 1.0):
        super().__init__()
        if temperature <= 0:
            raise ValueError(
                f'ScoreCrossEntropyLoss: temperature must be positive, got {temperature!r}')
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        return self.loss_weight * score_cross_entropy(pred, target, self.temperature)
