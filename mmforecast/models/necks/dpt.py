"""The fusion of layers of a vision transformer in a dense prediction transformer (DPT)."""

from collections.abc import Sequence

import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmforecast.registry import MODELS


class ResidualUnit(nn.Module):
    """ReLU, 3x3 convolution, batch norm, twice; added to the input.

    Args:
        channels: In and out.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            *(
                layer
                for _ in range(2)
                for layer in (nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels))
            )
        )

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.layers(maps)


class FusionBlock(nn.Module):
    """Adds a finer map to a coarser one, and goes to the size of the next.

    Args:
        channels: Of all maps.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.skip = ResidualUnit(channels)  # of the coarsest block, without use
        self.unit = ResidualUnit(channels)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, maps: Tensor, finer: Tensor | None, size: Sequence[int]) -> Tensor:
        maps = maps if finer is None else maps + self.skip(finer)
        maps = F.interpolate(self.unit(maps), size=tuple(size), mode='bilinear', align_corners=True)
        return self.out(maps)


@MODELS.register_module()
class DPTNeck(BaseModule):
    """One map, eight times as fine, from four layers of a vision transformer (Ranftl et al., ICCV 2021).

    The layers, all of one size, are brought to 4, 2, 1 and 1/2 of their resolution and fused from the coarsest
    on. As the neck of an mmseg segmentor, with an ``FCNHead`` of one convolution behind it, it is the head of
    DINO-Foresight: 17,519,123 parameters together for 768 channels, 256 features and 19 classes.

    Args:
        in_channels: Of each of the layers.
        channels: Of the output, and of all maps that are fused.
        widths: Channels of the layers at their four resolutions, finest first.
        init_cfg: See mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 256,
        widths: Sequence[int] = (128, 256, 512, 512),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        if len(widths) != 4:
            raise ValueError(f'DPTNeck: widths must name four layers, got {tuple(widths)}')
        first, second, _, last = widths
        self.projects = nn.ModuleList(nn.Conv2d(in_channels, width, 1) for width in widths)
        self.resizes = nn.ModuleList(
            (
                nn.ConvTranspose2d(first, first, 4, stride=4),
                nn.ConvTranspose2d(second, second, 2, stride=2),
                nn.Identity(),
                nn.Conv2d(last, last, 3, stride=2, padding=1),
            )
        )
        self.reduces = nn.ModuleList(nn.Conv2d(width, channels, 3, padding=1, bias=False) for width in widths)
        self.fusions = nn.ModuleList(FusionBlock(channels) for _ in widths)

    def forward(self, layers: Sequence[Tensor]) -> tuple[Tensor]:
        """Four maps (N, in_channels, h, w) to one (N, channels, 8h, 8w)."""
        if len(layers) != 4:
            raise ValueError(f'DPTNeck fuses four layers of a backbone, got {len(layers)}')
        parts = zip(self.projects, self.resizes, self.reduces, layers, strict=True)
        levels = [reduce(resize(project(maps))) for project, resize, reduce, maps in parts]
        fused = None
        for index in (3, 2, 1, 0):
            finest = index == 0
            size = [2 * side for side in levels[0].shape[-2:]] if finest else levels[index - 1].shape[-2:]
            given = (levels[index], None) if fused is None else (fused, levels[index])
            fused = self.fusions[index](*given, size)
        return (fused,)
