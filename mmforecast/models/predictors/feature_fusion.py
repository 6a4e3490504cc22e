"""The predictor of Mask H2F, a detector that is trained to output the future (F2F, ECCV 2018)."""

import torch
import torch.nn as nn
from mmengine.model import constant_init

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS

from .base import BasePredictor
from .context import ForecastContext


@MODELS.register_module()
class FeatureFusion(BasePredictor):
    """Per level, one 1x1 convolution over the channels of all past maps.

    It starts as a copy of the newest map, so that the untrained forecast is the copy-last baseline, and is
    trained by the detector's own losses together with the detector (``train_cfg.detector_loss`` and
    ``encoder.frozen=False`` of ``F2FForecaster``). Luc et al. (ECCV 2018) compare with a Mask R-CNN that
    was fine-tuned to see past frames and output the future, "Mask H2F". Their paper says little of how it
    was built; where and how the frames are joined is our choice.

    Args:
        channels, num_levels, num_past: See ``BasePredictor``.
        kwargs: See ``BasePredictor``; the paper's variant has no ``losses`` of its own.
    """

    def __init__(self, channels: int, num_levels: int = 4, num_past: int = 4, **kwargs):
        super().__init__(num_past, channels, num_levels, **kwargs)
        self.fusions = nn.ModuleList(nn.Conv2d(channels * num_past, channels, 1) for _ in range(num_levels))
        self.apply_own_start()

    @torch.no_grad()
    def apply_own_start(self) -> None:
        for layer in self.fusions:
            constant_init(layer, 0)
            layer.weight[:, -self.channels :, 0, 0] = torch.eye(self.channels)

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        self.check_window(past)
        return [layer(maps.flatten(1, 2))[:, None] for layer, maps in zip(self.fusions, past)]
