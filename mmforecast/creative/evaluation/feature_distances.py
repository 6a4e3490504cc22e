"""FID and KID between two sets of features, computed by torchmetrics."""

import warnings

import numpy as np
import torch

__all__ = ['frechet_distance', 'kernel_distance', 'require_torchmetrics']


class _Features(torch.nn.Module):
    """In the place of a network: what comes in is features already.

    Args:
        num_features: D.
    """

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features


def require_torchmetrics():
    """The module ``torchmetrics.image``; ImportError with the command that installs it."""
    try:
        import torchmetrics.image.fid  # noqa: F401
        import torchmetrics.image.kid  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'FID and KID are computed by torchmetrics, which is not installed: pip install torchmetrics'
        ) from error
    return torchmetrics.image


def frechet_distance(features: np.ndarray, reference: np.ndarray) -> float:
    """The Frechet distance of two Gaussians fitted to features (Heusel et al. 2017, arXiv 1706.08500).

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``, with covariances over n - 1. Called FID where the
    features are Inception's. It is biased by the number of images: compare sets of one size only.

    Args:
        features: (N, D), N >= 2.
        reference: (M, D), M >= 2.

    Raises:
        ImportError: Torchmetrics is missing.
        ValueError: Shapes don't fit.
    """
    one, two = _tensors(features, reference)
    metric = (
        require_torchmetrics()
        .fid.FrechetInceptionDistance(feature=_Features(one.shape[1]))
        .set_dtype(torch.float64)
    )
    metric.update(two, real=True)
    metric.update(one, real=False)
    return float(metric.compute())


def kernel_distance(
    features: np.ndarray,
    reference: np.ndarray,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> float:
    """The squared maximum mean discrepancy with the kernel ``(x.y / D + 1)^3`` (Binkowski et al. 2018).

    Unbiased, so that it may be below 0 and sets of different sizes compare. Called KID where the features are
    Inception's. The mean over random subsets.

    Args:
        features: (N, D), N >= 2.
        reference: (M, D), M >= 2.
        subsets: How many are drawn.
        subset_size: Of each; the size of the smaller set if that is less.
        seed: Of the draw.

    Raises:
        ImportError: Torchmetrics is missing.
        ValueError: Shapes don't fit.
    """
    one, two = _tensors(features, reference)
    size = min(subset_size, len(one), len(two))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that it keeps all features
        metric = (
            require_torchmetrics()
            .kid.KernelInceptionDistance(feature=_Features(one.shape[1]), subsets=subsets, subset_size=size)
            .set_dtype(torch.float64)
        )
    metric.update(two, real=True)
    metric.update(one, real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return float(metric.compute()[0])


def _tensors(features: np.ndarray, reference: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    one, two = np.asarray(features, np.float64), np.asarray(reference, np.float64)
    if one.ndim != 2 or two.ndim != 2 or one.shape[1] != two.shape[1] or min(map(len, (one, two))) < 2:
        raise ValueError(
            'features and reference must be (N, D) and (M, D) with at least two rows, got '
            f'{one.shape} and {two.shape}'
        )
    return torch.from_numpy(one), torch.from_numpy(two)
