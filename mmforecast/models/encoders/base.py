"""The contract of encoders: frames in, a pyramid of representations out."""

import warnings
from abc import ABC, abstractmethod

import torch
import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.structures import ForecastDataSample


class BaseEncoder(BaseModule, ABC):
    """Turns the frames of a clip into what the predictor works on.

    Attributes:
        channels: Channels C of the (only or every) level.
        from_rgb: True when ``encode`` can be run on any RGB frames, predicted ones included; False
            when the representation comes with the sample (labels, precomputed scores).
        num_levels: Levels of the representation; by default as many as ``level_names``, and None, unknown,
            where there are none.
        level_names: Names of the levels, finest first, where they can be stored ahead of training.
        has_depth: Whether the last channel of a map of scores is depth, in [0, 1].
        network: The frozen network whose weights decide the representation; a store of it is known by
            their fingerprint. Encoders without ``network`` have nothing worth storing.
    """

    channels: int
    from_rgb: bool
    level_names: tuple[str, ...]
    has_depth: bool = False
    network: nn.Module

    def __init__(self, init_cfg: dict | list[dict] | None = None):
        super().__init__(init_cfg)
        self._map_sizes: dict[tuple[int, int], tuple[int, int]] = {}

    @property
    def num_levels(self) -> int | None:
        names = getattr(self, 'level_names', None)
        return None if names is None else len(names)

    @property
    def num_channels(self) -> int:
        """Former name of ``channels``."""
        warnings.warn('num_channels of an encoder is called channels now', DeprecationWarning, stacklevel=2)
        return self.channels

    @num_channels.setter
    def num_channels(self, value: int) -> None:
        warnings.warn('num_channels of an encoder is called channels now', DeprecationWarning, stacklevel=2)
        self.channels = value

    @abstractmethod
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        """Representations of all T frames.

        Args:
            frames: (B, T, 3, H, W) RGB in [0, 255].
            samples: The B samples of the clips.

        Returns:
            One (B, T, C, h, w) tensor per level, finest first.
        """

    def map_size(self, frames: Tensor, samples: list[ForecastDataSample]) -> tuple[int, int]:
        """(h, w) of the finest level; arguments as of :meth:`encode`.

        Where an encoder cannot tell it from the size of the frames, one frame of each size is encoded, once.
        """
        size = (int(frames.shape[-2]), int(frames.shape[-1]))
        if size not in self._map_sizes:
            with torch.no_grad():
                finest = self.encode_raw(frames[:1, :1], samples and samples[:1])[0]
            self._map_sizes[size] = (finest.shape[-2], finest.shape[-1])
        return self._map_sizes[size]

    def encode_raw(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        """As ``encode``, before any standardization: what is stored and what statistics are of."""
        return self.encode(frames, samples)

    def forward(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        return self.encode(frames, samples)

    def require_frames(self, frames: Tensor) -> None:
        """Raise a ValueError when the pipeline loaded no frames."""
        if frames.numel() == 0:
            raise ValueError(
                f'{type(self).__name__} works on RGB frames, but the clip has none: '
                'add LoadClipFrames to the data pipeline'
            )
