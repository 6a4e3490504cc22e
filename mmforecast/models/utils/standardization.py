"""Maps whose channels have zero mean and unit variance, by statistics that are measured once."""

from collections.abc import Iterable, Sequence

import torch
import torch.nn as nn
from torch import Tensor

from .pyramid import Pyramid

# Of the largest deviation: a channel that hardly ever changes isn't blown up to noise.
_LEAST_SHARE = 1e-3


def channel_sums(maps: Tensor) -> Tensor:
    """(3, C) float64: values of each channel of (..., C, h, w), their sum, and that of squares."""
    values = maps.double().movedim(-3, 0).flatten(1)
    return torch.stack((torch.full_like(values[:, 0], values.shape[1]), values.sum(1), values.square().sum(1)))


class ChannelStandardizer(nn.Module):
    """Subtracts a channel's mean and divides by its standard deviation, and back.

    Both are buffers, and so part of every checkpoint. They are zero until :meth:`set_statistics` sets them.

    Args:
        channels: C of the maps.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer('mean', torch.zeros(channels))
        self.register_buffer('std', torch.zeros(channels))

    @property
    def is_measured(self) -> bool:
        """Whether there are statistics; True without data, where only shapes are computed."""
        return self.std.is_meta or bool(self.std.any())

    def sums_of(self, maps: Tensor) -> Tensor:
        """What :meth:`set_statistics` takes, of maps (..., C, h, w)."""
        return channel_sums(maps)

    @torch.no_grad()
    def set_statistics(self, sums: Tensor) -> None:
        """Set mean and deviation of every channel.

        Args:
            sums: Of :func:`channel_sums`, added up over all maps.

        Raises:
            ValueError: There are no maps, or all their values are equal.
        """
        count, total, squares = sums
        if not count.all():
            raise ValueError('ChannelStandardizer: there are no maps to measure')
        mean = total / count
        std = (squares / count - mean.square()).clamp(min=0).sqrt()
        if not std.max() > 0:
            raise ValueError(
                'ChannelStandardizer: all maps hold the same values, so they have no standard deviation; '
                'check the weights of the encoder'
            )
        self.mean.copy_(mean)
        self.std.copy_(std.clamp(min=_LEAST_SHARE * float(std.max())))

    def forward(self, maps: Tensor) -> Tensor:
        """Standardized maps (..., C, h, w).

        Raises:
            ValueError: Nothing was measured.
        """
        self._require_statistics()
        return (maps - self.mean[:, None, None]) / self.std[:, None, None]

    def undo(self, maps: Tensor) -> Tensor:
        """The maps (..., C, h, w) that :meth:`forward` made these of."""
        return maps * self.std[:, None, None] + self.mean[:, None, None]

    def _require_statistics(self) -> None:
        if not self.is_measured:
            raise ValueError(
                'the statistics of the features were never measured; train with '
                "custom_hooks=[dict(type='FeatureStatisticsHook')], which measures them before the first "
                'iteration, or load a checkpoint that has them'
            )


def measure(standardizers: Sequence[ChannelStandardizer], pyramids: Iterable[Pyramid]) -> None:
    """Set the statistics of standardizers, one per level.

    Args:
        standardizers: One that stands for several levels is measured on all of them.
        pyramids: Of features.
    """
    sums: dict[ChannelStandardizer, Tensor] = {}
    for pyramid in pyramids:
        for part, maps in zip(standardizers, pyramid, strict=True):
            sums[part] = sums.get(part, 0) + part.sums_of(maps).cpu()
    if not sums:
        raise ValueError('ChannelStandardizer: there are no maps to measure')
    for part, total in sums.items():
        part.set_statistics(total)
