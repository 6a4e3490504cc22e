"""The copy-last baseline: the newest representation, repeated; and a blurred one, a control for sharpness."""

import torch
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.models.utils.blur import gaussian_blur
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_above, check_range

from .base import BasePredictor
from .context import ForecastContext


@MODELS.register_module()
class CopyLast(BasePredictor):
    """Repeats the newest representation."""

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        return [level[:, -1:] for level in past]


@MODELS.register_module()
class BlurredCopyLast(BasePredictor):
    """Repeats the newest representation, blended with its own blur; it is blurred once, whatever the horizon.

    A control: scores that reward a blur over the copy itself don't measure sharpness alone.

    Args:
        sigma: Standard deviation of the Gaussian in pixels.
        share: Of the blur in the blend.
    """

    def __init__(self, sigma: float = 1.0, share: float = 0.7, **kwargs):
        super().__init__(**kwargs)
        check_above('BlurredCopyLast', 0, sigma=sigma)
        check_range('BlurredCopyLast', 0, 1, share=share)
        self.sigma = sigma
        self.share = share

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        newest = [level[:, -1:] for level in past]
        if context.step > 0:  # the prediction that was fed back
            return newest
        return [torch.lerp(maps, self._blur(maps), self.share) for maps in newest]

    def _blur(self, maps: Tensor) -> Tensor:
        return gaussian_blur(maps.flatten(0, 1), self.sigma).view_as(maps)
