"""DeformF2F: one coarse feature map of a future frame, by deformable convolutions.

Šarić, Oršić, Antunović, Vražić, Šegvić, "Single level feature-to-feature forecasting with deformable
convolutions", GCPR 2019. There is no code of the authors. Two readings of the network are known from other
implementations, and both are here.
"""

from collections.abc import Sequence

import torch.nn as nn
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_at_least, check_choice

from .deformable import DeformableConv, deformable_unit, reset_offsets
from .direct import DirectPredictor

LAYOUTS = ('units', 'convs')


@MODELS.register_module()
class DeformF2FPredictor(DirectPredictor):
    """Forecasts each level by ``num_layers`` convolutions on the concatenated maps of the window.

    For 128 channels and 4 past maps, 8 layers have 1,247,872 parameters as 'units' and 1,394,888 as 'convs';
    5 units have 742,090, and 8 'convs' that are not deformable (ConvF2F) 1,311,872.

    Args:
        channels, num_past, num_levels: See ``BasePredictor``.
        lead: See ``DirectPredictor``.
        num_layers: The N of DeformF2F-N; at least 2, and 4 for 'convs'.
        layout: The paper's text leaves the order of layers open. 'units': batch norm, ReLU, deformable
            convolution, N times, with a 1x1 kernel first and 3x3 after it. 'convs': plain 1x1 to 2C and 3x3
            to C, N - 4 deformable 3x3, two plain 3x3; ReLU between them, no batch norm. 'units' is the
            default, because the later F2MF consists of them.
        deformable: False gives the rigid twin (ConvF2F).
        dilations: One per layer, all 1 by default, of 'convs' alone; the paper's dilated twin dilates the
            second and the third layer by 2, and isn't deformable.
        kwargs: See ``BasePredictor``.
    """

    def __init__(
        self,
        channels: int,
        num_past: int = 4,
        num_levels: int = 1,
        lead: int = 1,
        num_layers: int = 8,
        layout: str = 'units',
        deformable: bool = True,
        dilations: Sequence[int] | None = None,
        **kwargs,
    ):
        super().__init__(lead, num_past=num_past, channels=channels, num_levels=num_levels, **kwargs)
        owner = 'DeformF2FPredictor'
        check_choice(owner, LAYOUTS, layout=layout)
        check_at_least(owner, 2 if layout == 'units' else 4, num_layers=num_layers)
        if dilations is not None and (layout != 'convs' or len(dilations) != num_layers):
            raise ValueError(
                f"{owner}: dilations are of layout='convs', one for each of its num_layers={num_layers}, got "
                f'{tuple(dilations)} with layout={layout!r}'
            )
        given = channels * num_past
        self.nets = nn.ModuleList(
            _units(given, channels, num_layers, deformable)
            if layout == 'units'
            else _convs(given, channels, num_layers, deformable, dilations or [1] * num_layers)
            for _ in range(num_levels)
        )

    def apply_own_start(self) -> None:
        reset_offsets(self)

    def forecast(self, past: Pyramid) -> list[Tensor]:
        return [net(maps.flatten(1, 2)) for net, maps in zip(self.nets, past, strict=True)]


def _units(given: int, channels: int, count: int, deformable: bool) -> nn.Sequential:
    first = deformable_unit(given, channels, 1, deformable)
    return nn.Sequential(
        first, *(deformable_unit(channels, channels, 3, deformable) for _ in range(count - 1))
    )


def _convs(given: int, channels: int, count: int, deformable: bool, dilations: Sequence[int]) -> nn.Sequential:
    widths = [given, 2 * channels, *[channels] * (count - 1)]
    layers = []
    for index, dilation in enumerate(dilations):
        moves = deformable and 2 <= index < count - 2
        kernel = 3 if index else 1
        layers += [DeformableConv(widths[index], widths[index + 1], kernel, dilation, moves), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
