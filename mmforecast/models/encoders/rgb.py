"""The identity encoder of video prediction: RGB in [-1, 1]."""

import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid, rgb_to_unit
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseEncoder


@MODELS.register_module()
class RGBEncoder(BaseEncoder):
    """Frames as they are, scaled to [-1, 1].

    Args:
        size: (h, w) of the representation; by default the frames' own. Shrinking averages.
    """

    channels = 3
    from_rgb = True
    num_levels = 1

    def __init__(self, size: tuple[int, int] | None = None):
        super().__init__()
        self.size = size

    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        self.require_frames(frames)
        frames = rgb_to_unit(frames)
        if self.size is not None:
            shape = frames.shape[:2]
            frames = F.interpolate(frames.flatten(0, 1), size=self.size, mode='area')
            frames = frames.unflatten(0, shape)
        return [frames]
