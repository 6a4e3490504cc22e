"""Deviation of a classifier's answer from the uniform one: the mathematics of the creativity losses.

Elgammal et al., "CAN: Creative adversarial networks", 2017; Sbai et al., "DeSIGN: Design inspiration from
generative networks", ECCV Workshops 2018 (CAN in its binary and its holistic form; the second version of the
preprint adds the family of Sharma and Mittal). All logarithms are natural. u is the uniform distribution over
the K classes, p the softmax of the logits.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_NEAR = 1e-4  # alpha and beta this near to a limit are taken as the limit


def can_loss(logits: Tensor, prob: str = 'softmax') -> Tensor:
    """Binary form: every class is asked for with probability 1/K. Mean over the batch, sum over classes.

    ``-sum_k [1/K log s_k + (K-1)/K log(1 - s_k)]``. Its smallest value is ``K H(1/K)``, with H the entropy of
    a coin.

    Args:
        logits: (B, K).
        prob: 'softmax' takes s = p, clamped to at most 1 - 1e-6: smallest where p is uniform. 'sigmoid', the
            form of DeSIGN, takes each class by itself: smallest where *every* logit is ``-ln(K - 1)``. It
            leaks: softmax, which the head was trained with, doesn't see a shift of all logits of an image, but
            this does, so that a generator lowers it by shifting them, without making the class less certain.
    """
    classes = logits.shape[1]
    if prob == 'sigmoid':
        target = torch.full_like(logits, 1 / classes)
        terms = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
        return terms.sum(dim=1).mean()
    logp = F.log_softmax(logits, dim=1)
    rest = torch.log1p(-logp.exp().clamp(max=1 - 1e-6))
    return -(logp / classes + (1 - 1 / classes) * rest).sum(dim=1).mean()


def holistic_loss(logits: Tensor) -> Tensor:
    """Multi-class form, CAN(H), also MCE: ``-1/K sum_k log p_k = KL(u||p) + ln K``. Mean over the batch.

    Its gradient by the logits of an image is p - u; its smallest value, at p = u, is ln K.
    """
    return -F.log_softmax(logits, dim=1).mean(dim=1).mean()


def sharma_mittal(logits: Tensor, alpha: float, beta: float) -> Tensor:
    """Divergence of Sharma and Mittal of p from u, mean over the batch; 0 where p is uniform, else above.

    ``[T^((1-beta)/(1-alpha)) - 1] / (beta - 1)`` with ``T = sum_k p_k^alpha u_k^(1-alpha)``. Within 1e-4 of a
    limit it is the limit: beta to 1, Renyi, ``ln T / (alpha - 1)``; alpha to 1,
    ``[exp((beta-1) KL(p||u)) - 1] / (beta - 1)``; both to 1, ``KL(p||u)``. beta = alpha is Tsallis,
    ``(T - 1)/(alpha - 1)``. Computed from ln T.

    Args:
        logits: (B, K).
        alpha: Above 0.
        beta: Any number.
    """
    log_u = -math.log(logits.shape[1])
    logp = F.log_softmax(logits, dim=1)
    if abs(alpha - 1) < _NEAR:
        exponent = (beta - 1) * (logp.exp() * (logp - log_u)).sum(dim=1)
        if abs(beta - 1) < _NEAR:
            return (logp.exp() * (logp - log_u)).sum(dim=1).mean()
        return (torch.expm1(exponent) / (beta - 1)).mean()
    log_t = torch.logsumexp(alpha * logp + (1 - alpha) * log_u, dim=1)
    if abs(beta - 1) < _NEAR:
        return (log_t / (alpha - 1)).mean()
    return (torch.expm1((1 - beta) / (1 - alpha) * log_t) / (beta - 1)).mean()


def normalized_entropy(logits: Tensor) -> Tensor:
    """``H(p) / ln K`` of each image, (B,): 1 where any class is as likely, 0 where one is certain."""
    logp = F.log_softmax(logits, dim=1)
    return -(logp.exp() * logp).sum(dim=1) / math.log(logits.shape[1])
