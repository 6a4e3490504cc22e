"""Classes of pixels whose places are uncertain."""

import math

import torch
from torch import Tensor

from .blur import variable_blur

_LEAST = 1e-6  # probability
_ROUNDS, _SHRINK, _MOST = 16, 0.8, 3.0  # of the search for weights; steps shrink, in logarithms
_COLUMNS = 160  # areas are counted on a grid of at most so many
_WIDTH = 640  # of wider maps, classes are decided on a grid of about so many columns


def spread_classes(scores: Tensor, deviation: Tensor) -> Tensor:
    """Scores of classes after a motion that is known only up to an error.

    If the error is normally distributed, the probability of a class is the blurred map of where it scores
    best. The most probable class alone would erase whatever is smaller than the error, poles and people
    first. So each class is weighted until it covers as many pixels as before.

    Args:
        scores: (B, C, h, w).
        deviation: (B,) standard deviation of the error in pixels.

    Returns:
        The same scores; where another class is the best now, the two have exchanged their values.
    """
    best, before = scores.max(dim=1, keepdim=True)
    found = _found_classes(before, scores.shape[1], deviation)
    other = scores.gather(1, found)
    return scores.scatter(1, before, other).scatter(1, found, best)


def _found_classes(labels: Tensor, num_classes: int, deviation: Tensor) -> Tensor:
    """(B, 1, h, w) classes as above, from those before."""
    stride = max(1, round(labels.shape[-1] / _WIDTH))
    if stride == 1:
        return _decide_among_seen(labels, num_classes, deviation)
    coarse = labels[..., ::stride, ::stride].contiguous()
    found = _decide_among_seen(coarse, num_classes, deviation / stride)
    found, changed = (
        maps.repeat_interleave(stride, dim=-2).repeat_interleave(stride, dim=-1)
        for maps in (found, found != coarse)
    )
    height, width = labels.shape[-2:]
    return torch.where(changed[..., :height, :width], found[..., :height, :width], labels)


def _decide_among_seen(labels: Tensor, num_classes: int, deviation: Tensor) -> Tensor:
    """:func:`_decide` without the classes that are nowhere; in a graph, whose shapes are fixed, with all."""
    if torch.compiler.is_exporting():
        return _decide(labels, num_classes, deviation)
    seen = torch.bincount(labels.flatten(), minlength=num_classes) > 0
    classes, index = seen.nonzero()[:, 0], seen.cumsum(0) - 1
    return classes[_decide(index[labels], len(classes), deviation)]


def _decide(labels: Tensor, num_classes: int, deviation: Tensor) -> Tensor:
    maps = (labels == torch.arange(num_classes, device=labels.device).view(-1, 1, 1)).float()
    likely = variable_blur(maps, deviation)
    stride = math.ceil(labels.shape[-1] / _COLUMNS)
    sample = likely[..., ::stride, ::stride].flatten(2).transpose(1, 2).contiguous()  # (B, pixels, C)
    area = _areas(labels[..., ::stride, ::stride].flatten(1), num_classes) + _LEAST
    weight = torch.zeros_like(area)
    for step in range(_ROUNDS):
        covered = _areas((sample * weight.exp()[:, None]).argmax(dim=2), num_classes) + _LEAST
        weight = weight + _SHRINK**step * (area / covered).log().clamp(-1, 1)
        weight = weight.clamp(-_MOST, _MOST)
    return (likely * weight.exp()[..., None, None]).max(dim=1, keepdim=True).indices


def _areas(labels: Tensor, num_classes: int) -> Tensor:
    """(B, C) shares of the labels (B, pixels)."""
    return (labels[..., None] == torch.arange(num_classes, device=labels.device)).float().mean(dim=1)
