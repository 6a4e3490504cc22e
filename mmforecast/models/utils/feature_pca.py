"""Standardized features as coordinates in their principal components, and back."""

import torch
from torch import Tensor

from .standardization import ChannelStandardizer


class FeaturePCA(ChannelStandardizer):
    """Standardizes channels and projects them to the principal components, which ``undo`` does backwards.

    All of it is buffers, and so part of every checkpoint.

    Args:
        channels: C of the maps.
        num_components: K, at most C.

    Attributes:
        center: (C,) mean of the standardized channels, subtracted before the projection; 0 where it was
            measured here.
        components: (K, C), orthonormal rows, the strongest first; the largest entry of each is positive.
    """

    def __init__(self, channels: int, num_components: int):
        super().__init__(channels)
        if not 1 <= num_components <= channels:
            raise ValueError(
                f'num_components must lie in 1 to {channels}, the channels of the features, '
                f'got {num_components}'
            )
        self.register_buffer('center', torch.zeros(channels))
        self.register_buffer('components', torch.zeros(num_components, channels))

    def sums_of(self, maps: Tensor) -> Tensor:
        """(2 + C, C) float64: values of each channel of (..., C, h, w), their sum, and all products of two."""
        values = maps.double().movedim(-3, 0).flatten(1)
        counts = torch.full_like(values[:1, :1], values.shape[1]).expand(1, len(values))
        return torch.cat((counts, values.sum(1)[None], values @ values.t()))

    @torch.no_grad()
    def set_statistics(self, sums: Tensor) -> None:
        """Set mean, deviation and components.

        Args:
            sums: Of :meth:`sums_of`, added up over all maps.

        Raises:
            ValueError: There are no maps, or all their values are equal.
        """
        super().set_statistics(torch.stack((sums[0], sums[1], sums[2:].diagonal())))
        mean, std = self.mean.double(), self.std.double()
        covariance = sums[2:].to(mean) / sums[0, 0] - mean[:, None] * mean
        _, vectors = torch.linalg.eigh(covariance / (std[:, None] * std))
        rows = vectors.flip(1).t()[: len(self.components)]
        largest = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True))
        self.components.copy_(rows * largest.sign())
        self.center.zero_()

    def forward(self, maps: Tensor) -> Tensor:
        """(..., C, h, w) to coordinates (..., K, h, w)."""
        maps = super().forward(maps) - self.center[:, None, None]
        return torch.einsum('...chw,kc->...khw', maps, self.components)

    def undo(self, maps: Tensor) -> Tensor:
        """The inverse of :meth:`forward`, as far as the components go."""
        maps = torch.einsum('...khw,kc->...chw', maps, self.components)
        return super().undo(maps + self.center[:, None, None])
