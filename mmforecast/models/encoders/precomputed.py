"""Representations that the data pipeline read from disk."""

import torch
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseEncoder


@MODELS.register_module()
class PrecomputedEncoder(BaseEncoder):
    """Scores that ``LoadClipScores`` put into the samples, as float32.

    Args:
        num_channels: the channels that the store must hold.
    """

    from_rgb = False

    def __init__(self, num_channels: int):
        super().__init__()
        self.num_channels = num_channels

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        if not all('scores' in sample for sample in samples):
            raise ValueError(
                'PrecomputedEncoder: the clip carries no scores; add LoadClipScores to the data pipeline'
            )
        scores = torch.stack([sample.scores for sample in samples])
        if scores.shape[2] != self.num_channels:
            raise ValueError(
                f'PrecomputedEncoder: the store holds {scores.shape[2]} channels, the '
                f'model expects num_channels={self.num_channels}'
            )
        return [scores.float()]
