"""Nearest training images in a feature space, and whether images are copies of them."""

import numpy as np
import torch

from mmforecast.utils.checks import check_between, check_integer, check_not_empty, check_shape

__all__ = ['copied_share', 'nearest']

_CHUNK = 1024


def nearest(
    features: np.ndarray, reference: np.ndarray, k: int = 10, exclude_self: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of ``reference`` by Euclidean distance.

    DeSIGN's novelty (arXiv 1804.00921) is the mean of the k = 10 distances, in pooled features of a ResNet-18.

    Args:
        features: (N, D).
        reference: (M, D), with M >= k, or M > k with ``exclude_self``.
        k: How many.
        exclude_self: ``features`` are ``reference``, and a row is no neighbor of itself.

    Returns:
        Distances (N, k) float64, ascending, and row numbers (N, k) in ``reference``.

    Raises:
        ValueError: Shapes or ``k`` don't fit.
    """
    one, two = (torch.from_numpy(np.asarray(array, np.float64)) for array in (features, reference))
    check_shape('nearest', ('N', 'D'), features=one)
    check_shape('nearest', ('M', one.shape[1]), reference=two)
    if exclude_self and one.shape != two.shape:
        raise ValueError('exclude_self needs features that are the reference')
    most = len(two) - int(exclude_self)
    check_integer(f'nearest of {most} reference images', 1, most, k=k)
    distances, numbers = np.empty((len(one), k)), np.empty((len(one), k), np.int64)
    for start in range(0, len(one), _CHUNK):
        part = slice(start, start + _CHUNK)
        # exact: the product form loses the small distances of copies
        found = torch.cdist(one[part], two, compute_mode='donot_use_mm_for_euclid_dist')
        if exclude_self:
            rows = torch.arange(len(found))
            found[rows, start + rows] = torch.inf
        distances[part], numbers[part] = found.topk(k, dim=1, largest=False)
    return distances, numbers


def copied_share(generated: np.ndarray, held_out: np.ndarray, quantile: float = 0.05) -> float:
    """The share of generated images nearer to a training image than real images are at a quantile.

    Real images that no training has seen come that near with a share of ``quantile``; a clearly larger
    share means that training images are copied.

    Args:
        generated: (N,), distances to the nearest training image.
        held_out: (M,), the same of real held-out images.
        quantile: In (0, 1).

    Returns:
        In [0, 1].

    Raises:
        ValueError: ``quantile`` is out of range, or an array is empty.
    """
    check_between('copied_share', 0, 1, quantile=quantile)
    generated, held_out = np.asarray(generated, float), np.asarray(held_out, float)
    check_not_empty('copied_share', generated=generated, held_out=held_out)
    return float((generated < np.quantile(held_out, quantile)).mean())
