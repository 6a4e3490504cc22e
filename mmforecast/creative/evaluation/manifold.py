"""Density and coverage: whether images lie where real ones do, and whether all real ones are met."""

import numpy as np
import torch

from mmforecast.utils.checks import check_integer, check_shape

__all__ = ['Manifold']

_CHUNK = 1024


class Manifold:
    """Balls around real images, each as wide as the distance to its k-th nearest real image.

    Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, equations 4
    and 5.

    Args:
        real: Features (N, D), N > k.
        k: The paper's is 5.
    """

    def __init__(self, real: np.ndarray, k: int = 5):
        check_shape('Manifold', ('N', 'D'), real=real)
        check_integer(f'Manifold of {len(real)} images', 1, len(real) - 1, k=k)
        self.k = k
        self._real = torch.from_numpy(np.asarray(real, np.float64))
        # the nearest of all is the image itself
        distances = [
            self._to_real(part).topk(k + 1, dim=1, largest=False)[0][:, -1] for part in self._parts(real)
        ]
        self._radii = torch.cat(distances)

    @staticmethod
    def _parts(features: np.ndarray) -> list[torch.Tensor]:
        return list(torch.from_numpy(np.asarray(features, np.float64)).split(_CHUNK))

    def _to_real(self, part: torch.Tensor) -> torch.Tensor:
        return torch.cdist(part, self._real, compute_mode='donot_use_mm_for_euclid_dist')

    def counts(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """In how many balls each image lies, (M,), and whether each ball holds an image, bool (N,)."""
        check_shape('Manifold.counts', ('M', self._real.shape[1]), features=features)
        within = [self._to_real(part) < self._radii for part in self._parts(features)]
        balls = torch.cat([inside.sum(1) for inside in within]).numpy()
        return balls, torch.stack([inside.any(0) for inside in within]).any(0).numpy()

    def density_and_coverage(self, features: np.ndarray) -> tuple[float, float]:
        """Mean number of balls around an image over k, and the share of balls that hold an image.

        Both are near 1 for images of the same distribution; density may exceed 1.
        """
        balls, met = self.counts(features)
        return float(balls.mean() / self.k), float(met.mean())
