"""A plain stack of convolutions that keeps the resolution."""

from collections.abc import Sequence

import torch.nn as nn
from mmcv.cnn import ConvModule


def conv_stack(
    in_channels: int,
    widths: Sequence[int],
    kernels: Sequence[int],
    out_channels: int,
    dilations: Sequence[int] | None = None,
) -> nn.Sequential:
    """``len(kernels)`` convolutions with ReLU between them and none after the last.

    Args:
        in_channels: Of the first convolution.
        widths: Output channels of all but the last.
        kernels: Odd kernel sizes, one more than widths.
        out_channels: Of the last convolution.
        dilations: One per kernel; all 1 by default.
    """
    dilations = [1] * len(kernels) if dilations is None else list(dilations)
    if not len(kernels) == len(widths) + 1 == len(dilations):
        raise ValueError(
            f'{len(widths)} widths need {len(widths) + 1} kernels and dilations, got '
            f'kernels={list(kernels)}, dilations={dilations}'
        )
    if any(k % 2 == 0 for k in kernels):
        raise ValueError(f'kernels must be odd to keep the resolution, got {list(kernels)}')
    channels = [in_channels, *widths, out_channels]
    last = len(kernels) - 1
    return nn.Sequential(
        *(
            ConvModule(
                channels[i],
                channels[i + 1],
                kernel,
                padding=dilation * (kernel // 2),
                dilation=dilation,
                act_cfg=None if i == last else dict(type='ReLU'),
            )
            for i, (kernel, dilation) in enumerate(zip(kernels, dilations))
        )
    )
