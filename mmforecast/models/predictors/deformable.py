"""Deformable convolutions that start as plain ones (Dai et al., ICCV 2017)."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import constant_init
from torch import Tensor

from mmforecast.utils.checks import check_positive


class DeformableConv(nn.Module):
    """Deformable convolution (v1, one group of offsets) with a bias, of stride 1, that keeps the resolution.

    A plain convolution on its input gives the offset of every cell of the kernel. It starts at zero, and so
    this is a plain convolution until it is trained. mmcv's ``DeformConv2dPack`` is the same without a bias.

    Args:
        in_channels: Of the input.
        out_channels: Of the output.
        kernel: Odd side of the kernel.
        dilation: Of the kernel.
        deformable: False makes it a plain convolution for good, with the same names of weights.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 3, dilation: int = 1, deformable: bool = True
    ):
        super().__init__()
        check_positive('DeformableConv', kernel=kernel, dilation=dilation)
        if kernel % 2 == 0:
            raise ValueError(f'DeformableConv: kernel must be odd to keep the resolution, got {kernel}')
        self.padding, self.dilation = dilation * (kernel // 2), dilation
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        nn.init.kaiming_normal_(self.weight, mode='fan_in', nonlinearity='relu')
        self.offset = None
        if deformable:
            self.offset = nn.Conv2d(
                in_channels, 2 * kernel**2, kernel, padding=self.padding, dilation=dilation
            )
        self.reset_offset()

    def reset_offset(self) -> None:
        """Make it a plain convolution."""
        if self.offset is not None:
            constant_init(self.offset, 0)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, in_channels, h, w) to (B, out_channels, h, w)."""
        if self.offset is None:
            return self.plain(maps)
        from mmcv.ops import deform_conv2d

        # On a GPU, the batch is processed in parts of this size, which must divide it.
        part = math.gcd(len(maps), 32)
        height, width = maps.shape[-2:]
        # mmcv refuses maps that are smaller than the kernel. Zeros outside change nothing.
        kernel = self.weight.shape[-1]
        padding = (0, max(kernel - width, 0), 0, max(kernel - height, 0))
        offset = F.pad(self.offset(maps), padding)
        out = deform_conv2d(
            F.pad(maps, padding), offset, self.weight, 1, self.padding, self.dilation, 1, 1, False, part
        )
        return out[..., :height, :width] + self.bias[:, None, None]

    def plain(self, maps: Tensor) -> Tensor:
        """As ``forward``, with all offsets zero."""
        return F.conv2d(maps, self.weight, self.bias, padding=self.padding, dilation=self.dilation)


def deformable_unit(
    in_channels: int, out_channels: int, kernel: int = 3, deformable: bool = True
) -> nn.Sequential:
    """Batch norm, ReLU and a deformable convolution; arguments as of ``DeformableConv``."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=False),
        DeformableConv(in_channels, out_channels, kernel, deformable=deformable),
    )


def reset_offsets(network: nn.Module) -> None:
    """Make all deformable convolutions of a network plain ones."""
    for module in network.modules():
        if isinstance(module, DeformableConv):
            module.reset_offset()
