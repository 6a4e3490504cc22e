"""Focal loss, which weighs down what is classified well, and its gradients.

Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    'sigmoid_focal_loss_backward',
    'sigmoid_focal_loss_forward',
    'softmax_focal_loss_backward',
    'softmax_focal_loss_forward',
]

# Logarithms are taken of no less: the least normal float32.
TINY = torch.finfo(torch.float32).tiny


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Write the loss of independent classes.

    Args:
        input: (N,C) logits.
        target: (N,) int64: the class, C for background.
        weight: (C,) a factor by the target's class, or empty.
        output: (N,C), written.
        gamma: Exponent of the focus.
        alpha: Weight of the positive class; the negative has 1 - alpha.
    """
    p = input.sigmoid()
    positive = (1 - p).pow(gamma) * p.clamp(min=TINY).log()
    negative = p.pow(gamma) * (1 - p).clamp(min=TINY).log()
    _write_sigmoid(positive, negative, target, weight, output, alpha)


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Write the derivative of each loss by its logit; arguments as in the forward pass."""
    p = input.sigmoid()
    positive = (1 - p).pow(gamma) * (1 - p - gamma * p * p.clamp(min=TINY).log())
    negative = p.pow(gamma) * (gamma * (1 - p) * (1 - p).clamp(min=TINY).log() - p)
    _write_sigmoid(positive, negative, target, weight, grad_input, alpha)


def _write_sigmoid(
    positive: Tensor, negative: Tensor, target: Tensor, weight: Tensor, output: Tensor, alpha: float
) -> None:
    classes = torch.arange(positive.shape[1], device=target.device)
    output.copy_(-torch.where(target[:, None] == classes, alpha * positive, (1 - alpha) * negative))
    if weight.numel():
        # background has no weight of its own
        output *= F.pad(weight, (0, 1), value=1)[target][:, None]


def softmax_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Write the loss of exclusive classes.

    Args:
        input: (N,C) probabilities, after the softmax.
        target: (N,) int64: the class; negative to be ignored.
        weight: (C,) a factor by the target's class, or empty.
        output: (N,), written.
        gamma: Exponent of the focus.
        alpha: Weight of the loss.
    """
    p, factor = _of_target(input, target, weight)
    output.copy_(-alpha * (1 - p).pow(gamma) * p.clamp(min=TINY).log() * factor)


def softmax_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, buff: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Write the derivative of each loss by its logits.

    Args:
        input: (N,C) probabilities, after the softmax.
        target: (N,) int64.
        weight: (C,) or empty.
        buff: (N,), written: the derivative by the logarithm of the target's probability.
        grad_input: (N,C), written.
        gamma: Exponent of the focus.
        alpha: Weight of the loss.
    """
    p, factor = _of_target(input, target, weight)
    focus = gamma * (1 - p).pow(gamma - 1) * p * p.clamp(min=TINY).log()
    buff.copy_(alpha * (focus - (1 - p).pow(gamma)) * factor)
    classes = torch.arange(input.shape[1], device=target.device)
    grad_input.copy_(buff[:, None] * ((target[:, None] == classes).to(input.dtype) - input))


def _of_target(input: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The probability of each target, and its weight: 0 for a target that is ignored."""
    kept = target >= 0
    chosen = target.clamp(min=0)
    factor = weight[chosen] if weight.numel() else torch.ones_like(chosen, dtype=input.dtype)
    return input.gather(1, chosen[:, None]).squeeze(1), factor * kept
