"""Cross-entropy between two maps of pre-softmax scores.

Not part of the S2S paper, which regresses the scores: a documented alternative that spends the
network's capacity on the decision between classes rather than on the value of every score.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_above


def score_cross_entropy(
    pred: Tensor, target: Tensor, temperature: float = 1.0, class_weight: Tensor | None = None
) -> Tensor:
    """Mean over pixels of ``-sum_c w_c softmax(target / t)_c log softmax(pred / t)_c``.

    Args:
        pred, target: (N, C, H, W) pre-softmax scores.
        temperature: Divides both; must be positive.
        class_weight: w, one weight per class; all 1 by default.
    """
    wanted = F.softmax(target / temperature, dim=1)
    if class_weight is not None:
        wanted = wanted * class_weight.view(1, -1, 1, 1)
    return -(wanted * F.log_softmax(pred / temperature, dim=1)).sum(dim=1).mean()


@MODELS.register_module()
class ScoreCrossEntropyLoss(nn.Module):
    """Module form of :func:`score_cross_entropy`, times ``loss_weight``.

    A pixel counts as class c where the predicted probability times ``w_c`` is largest. Weighting rare classes
    up moves the decision towards them, as a score that averages IoU over classes rewards.
    """

    def __init__(
        self,
        temperature: float = 1.0,
        class_weight: Sequence[float] | None = None,
        loss_weight: float = 1.0,
    ):
        super().__init__()
        check_above('ScoreCrossEntropyLoss', 0, temperature=temperature)
        self.temperature = temperature
        weight = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float)
        self.register_buffer('class_weight', weight, persistent=False)
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        return self.loss_weight * score_cross_entropy(pred, target, self.temperature, self.class_weight)
