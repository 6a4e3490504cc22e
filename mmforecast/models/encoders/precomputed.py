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
        channels: The channels that the store must hold.
    """

    from_rgb = False
    num_levels = 1

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        if not all('scores' in sample for sample in samples):
            raise ValueError(
                'PrecomputedEncoder: the clip carries no scores; add LoadClipScores to the data pipeline'
            )
        scores = torch.stack([sample.scores for sample in samples])
        if scores.shape[2] != self.channels:
            raise ValueError(
                f'PrecomputedEncoder: the store holds {scores.shape[2]} channels, the '
                f'model expects channels={self.channels}'
            )
        return [scores.float()]
