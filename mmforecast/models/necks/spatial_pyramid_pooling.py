"""The pooling on top of a segmentor's backbone, in the segmentors whose features F2MF forecasts."""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_not_empty


@MODELS.register_module()
class SpatialPyramidPooling(BaseModule):
    """Spatial pyramid pooling of the coarsest map of a backbone (Krešo et al., "Ladder-style DenseNets").

    Batch norm, ReLU and 1x1 convolutions, to ``out_channels``; averages over grids of the result, each with
    ``out_channels // number of grids`` channels, resampled (bilinear) and set beside it; and to
    ``out_channels`` again. It is the neck of an mmseg segmentor without lateral connections, and its output
    is all that the head reads.

    Args:
        in_channels: Of the backbone's last map.
        out_channels: Of the output; the papers' is 128.
        grids: Rows of the grids; columns follow from the aspect ratio of the map.
        init_cfg: See mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 128,
        grids: Sequence[int] = (8, 4, 2),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        check_not_empty('SpatialPyramidPooling', grids=grids)
        self.grids = tuple(grids)
        level = out_channels // len(grids)
        self.reduce = _unit(in_channels, out_channels)
        self.levels = nn.ModuleList(_unit(out_channels, level) for _ in grids)
        self.fuse = _unit(out_channels + level * len(grids), out_channels)

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor]:
        """One map (N, out_channels, h, w), from those of a backbone, the coarsest last."""
        top = self.reduce(maps[-1])
        height, width = top.shape[-2:]
        parts = [top]
        for rows, level in zip(self.grids, self.levels):
            columns = max(1, round(rows * width / height))
            pooled = level(F.adaptive_avg_pool2d(top, (rows, columns)))
            parts.append(F.interpolate(pooled, (height, width), mode='bilinear', align_corners=False))
        return (self.fuse(torch.cat(parts, dim=1)),)


def _unit(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(in_channels), nn.ReLU(), nn.Conv2d(in_channels, out_channels, 1, bias=False)
    )
