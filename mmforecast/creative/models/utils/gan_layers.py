"""Building blocks of GANs: sizes, initial weights, conditions."""

import math

import torch.nn as nn
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmforecast.utils.checks import check_choice, check_shape

SLOPE = 0.2  # of every LeakyReLU here


def doublings(owner: str, argument: str, size: int, smallest: int, largest: int = 1024) -> int:
    """log2(size / 4) of a square image's side.

    Raises:
        ValueError: ``size`` is no power of two from ``smallest`` to ``largest``.
    """
    powers = [2**n for n in range(2, 11) if smallest <= 2**n <= largest]
    check_choice(owner, powers, **{argument: size})
    return int(math.log2(size // 4))


def init_dcgan(module: nn.Module) -> None:
    """DCGAN's initial weights, in place: N(0, 0.02), batch norm N(1, 0.02), biases 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, _BatchNorm):
            nn.init.normal_(layer.weight, 1.0, 0.02)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def activation(name: str) -> nn.Module:
    """'relu', 'lrelu' (slope 0.2) or 'tanh'."""
    return {'relu': nn.ReLU, 'tanh': nn.Tanh}[name]() if name != 'lrelu' else nn.LeakyReLU(SLOPE)


def block(layer: nn.Module, channels: int, act: str | None = 'relu', norm: bool = True) -> nn.Sequential:
    """A convolution, then batch norm and activation where wanted; one that is normalized has no bias."""
    parts: list[nn.Module] = [layer]
    if norm:
        parts.append(nn.BatchNorm2d(channels))
    if act is not None:
        parts.append(activation(act))
    return nn.Sequential(*parts)


def conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, act: str = 'relu', norm: bool = True
) -> nn.Sequential:
    """:func:`block` of a convolution that divides the side by ``stride``."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=not norm)
    return block(layer, outputs, act, norm)


def deconv(inputs: int, outputs: int, act: str = 'relu', norm: bool = True, kernel: int = 4) -> nn.Sequential:
    """:func:`block` of a transposed convolution that doubles the side."""
    extra = kernel % 2
    padding = (kernel - 2 + extra) // 2
    layer = nn.ConvTranspose2d(inputs, outputs, kernel, 2, padding, extra, bias=not norm)
    return block(layer, outputs, act, norm)


def mask_channel(owner: str, mask: Tensor | None, like: Tensor) -> Tensor:
    """A mask in [0, 1], (B, 1, H, W), as a channel in [-1, 1] for images (B, C, H, W)."""
    check_shape(f'{owner} needs masks as condition', (len(like), 1, *like.shape[-2:]), condition=mask)
    return 2 * mask.to(like.dtype) - 1
