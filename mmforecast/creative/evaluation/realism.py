"""Scores of single images: how near to a training image, and how much among them."""

import numpy as np
import torch

from mmforecast.utils.checks import check_integer, check_shape

__all__ = ['RealismScale']


class RealismScale:
    """Distances of images to training images, in the scale of these.

    Args:
        real: Features (N, D) of the training images, N > k.
        k: A training image's radius is the distance to its k-th nearest one.
    """

    def __init__(self, real: np.ndarray, k: int = 5):
        check_shape('RealismScale', ('N', 'D'), real=real)
        check_integer(f'RealismScale of {len(real)} images', 1, len(real) - 1, k=k)
        self._real = torch.from_numpy(np.asarray(real, np.float32))
        near = torch.cat(
            [
                torch.cdist(part, self._real).topk(k + 1, dim=1, largest=False)[0]
                for part in self._real.split(1024)
            ]
        )
        self._radii = near[:, k].clamp(min=1e-12)
        self._unit = float(near[:, 1].median())

    def score(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each image its nearest training image, the distance to it, and the realism.

        The distance is in units of the median distance from a training image to its nearest other one. The
        realism is that of Kynkaanniemi et al., "Improved precision and recall metric for assessing generative
        models", NeurIPS 2019, equation 3, without discarding radii: the largest ratio of a training image's
        radius to the distance from it; 1 or more is among the training images.

        Args:
            features: (M, D).

        Returns:
            int (M,), float (M,) and float (M,).
        """
        check_shape('RealismScale.score', ('M', self._real.shape[1]), features=features)
        distances = torch.cdist(torch.from_numpy(np.asarray(features, np.float32)), self._real)
        nearest, numbers = distances.min(dim=1)
        realism = (self._radii / distances.clamp(min=1e-12)).amax(dim=1)
        return numbers.numpy(), (nearest / max(self._unit, 1e-12)).numpy(), realism.numpy()
