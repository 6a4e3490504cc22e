"""Whether held-out images can stand for the training images: their KID against that of training halves."""

from dataclasses import dataclass

import numpy as np

from mmforecast.utils.checks import check_integer

from .feature_distances import kernel_distance

__all__ = ['ReferenceCheck', 'check_reference']


@dataclass(frozen=True)
class ReferenceCheck:
    """What :func:`check_reference` finds; KID is not multiplied by 1000.

    Attributes:
        distance: KID of the reference images to the training images.
        mean, deviation: Of KID between two random parts of the training images.
        limit: ``mean`` and as many deviations as are allowed.
    """

    distance: float
    mean: float
    deviation: float
    limit: float

    @property
    def fits(self) -> bool:
        """Whether the reference images may be of the distribution of the training images."""
        return self.distance <= self.limit

    def sentence(self, name: str) -> str:
        """A warning about the reference images called ``name``; '' where they fit."""
        if self.fits:
            return ''
        return (
            f'The images of {name} come from another distribution than the training images: their KID x1000 '
            f'to these is {1000 * self.distance:.1f}, that between two parts of the training images '
            f'{1000 * self.mean:.1f} ± {1000 * self.deviation:.1f}. A perfect generator would not score like '
            f'the row of {name}: divide the collection anew, such as with resplit of FashionDataset.'
        )


def check_reference(
    train: np.ndarray,
    reference: np.ndarray,
    draws: int = 8,
    deviations: float = 5.0,
    subsets: int = 10,
    seed: int = 0,
) -> ReferenceCheck:
    """Compare KID of reference to training images with that of training images to each other.

    Take features of a network that has not seen the training images; those of a classifier that has would
    separate them from any others.

    Args:
        train: Features (N, D), N >= 8.
        reference: Features (M, D), M >= 2.
        draws: Random partitions of ``train``, one part of which is as large as ``reference``, at most half.
        deviations: How many standard deviations above the mean are allowed.
        subsets: See :func:`~mmforecast.creative.evaluation.kernel_distance`.
        seed: Of the partitions.

    Raises:
        ImportError: Torchmetrics is missing.
        ValueError: Shapes don't fit.
    """
    check_integer('check_reference', 2, draws=draws)
    if len(train) < 8:
        raise ValueError(f'check_reference needs 8 or more training images, got {len(train)}')
    distance = kernel_distance(reference, train, subsets=subsets, seed=seed)
    size = min(len(reference), len(train) // 2)
    rng, own = np.random.default_rng(seed), []
    for draw in range(draws):
        order = rng.permutation(len(train))
        own.append(kernel_distance(train[order[:size]], train[order[size:]], subsets=subsets, seed=draw))
    mean, deviation = float(np.mean(own)), float(np.std(own, ddof=1))
    return ReferenceCheck(distance, mean, deviation, mean + deviations * deviation)
