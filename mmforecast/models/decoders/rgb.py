"""The decoder of video prediction: RGB in [-1, 1] to frames."""

import torch.nn.functional as F

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid, unit_to_rgb
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseDecoder


@MODELS.register_module()
class RGBDecoder(BaseDecoder):
    """Frames in [0, 255], clipped, resampled (bilinear) to the size of the clip's frames."""

    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``pred_frames`` (n, 3, H, W) into each sample.

        Args:
            future: One level (B, n, 3, h, w) in [-1, 1].
            samples, context: See ``BaseDecoder``.
            target: 'pred'. For 'ref' nothing is written: the reference is the clip's own frames.
        """
        if target != 'pred':
            return samples
        (maps,) = future
        for sample, frames in zip(samples, unit_to_rgb(maps.float())):
            size = tuple(sample.get('img_shape', frames.shape[-2:]))
            if tuple(frames.shape[-2:]) != size:
                frames = F.interpolate(frames, size=size, mode='bilinear', align_corners=False)
            sample.pred_frames = frames
        return samples
