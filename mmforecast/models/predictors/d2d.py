"""The network of D2D: distance maps of past frames to those of the next.

Couprie, Luc, Verbeek, "Joint future semantic and instance segmentation prediction", ECCVW 2018. Its size,
about 0.8 M parameters, is the authors'; the list of layers is ours.
"""

from collections.abc import Sequence

from mmengine.model import constant_init

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS

from .base import BasePredictor
from .context import ForecastContext
from .conv_stack import conv_stack
from .copy_start import check_copy_start, newest_map, start_as_linear_map


@MODELS.register_module()
class D2DPredictor(BasePredictor):
    """One stack of dilated convolutions at one scale, on the maps of the window, oldest first.

    With the defaults 3x3 convolutions of 128, 256, 128, 128 and C channels and dilations 1, 2, 4, 2, 1, ReLU
    between them: 784,008 parameters at C = 8, 789,769 at C = 9, 847,379 at C = 19. A pixel sees 21x21.

    Args:
        channels, num_past: See ``BasePredictor``.
        widths: Hidden channels.
        dilations: One per convolution, one more than widths.
        residual: Add the prediction to the newest map; the last convolution starts at zero, so that the
            untrained network is the copy-last baseline.
        value_range: (low, high) that the window is clamped to, those of the maps that the encoder makes.
            So it changes nothing but predictions that are fed back. None doesn't clamp.
        init, init_bound: As for ``MultiScalePredictor``; with 'copy' the untrained network returns the
            newest map. Only without ``residual``, with which it does so anyway.
        kwargs: See ``BasePredictor``.
    """

    num_levels = 1

    def __init__(
        self,
        channels: int = 9,
        num_past: int = 4,
        widths: Sequence[int] = (128, 256, 128, 128),
        dilations: Sequence[int] = (1, 2, 4, 2, 1),
        residual: bool = False,
        value_range: tuple[float, float] | None = (-1.0, 1.0),
        init: str | None = None,
        init_bound: float | None = None,
        **kwargs,
    ):
        super().__init__(num_past, channels, **kwargs)
        if value_range is not None and not value_range[0] < value_range[1]:
            raise ValueError(
                f'D2DPredictor: value_range must be (low, high) with low < high, or None, got {value_range!r}'
            )
        check_copy_start('D2DPredictor', init, init_bound)
        if residual and init is not None:
            raise ValueError(
                f'D2DPredictor: residual=True starts as a copy of the newest map; drop init={init!r}'
            )
        self.residual = residual
        self.init = init
        self.init_bound = init_bound
        self.value_range = value_range
        kernels = [3] * (len(widths) + 1)
        self.net = conv_stack(channels * num_past, widths, kernels, channels, dilations)
        self.apply_own_start()

    def apply_own_start(self) -> None:
        if self.init == 'copy':
            matrix = newest_map(self.num_past, self.channels)
            start_as_linear_map('D2DPredictor', self.net, matrix, bound=self.init_bound)
        if self.residual:
            constant_init(self.net[-1].conv, 0)

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        self.check_window(past)
        (maps,) = past
        if self.value_range is not None:
            maps = maps.clamp(*self.value_range)
        out = self.net(maps.flatten(1, 2))
        return [(maps[:, -1] + out if self.residual else out)[:, None]]
