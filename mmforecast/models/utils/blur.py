"""Gaussian blur, and averages whose width may differ from clip to clip or from pixel to pixel."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_LEVELS = 5
_NEAR = 0.5  # variance up to which neighbors are averaged
_VARIANCES = (0.25, 1.0, 4.0, 16.0, 64.0, 256.0)  # of the blurs that pixels choose from


def gaussian_blur(maps: Tensor, sigma: float) -> Tensor:
    """Maps blurred by a Gaussian, which is cut off at three standard deviations; borders go on.

    Args:
        maps: (N, C, h, w).
        sigma: Standard deviation in pixels, above 0.
    """
    radius = math.ceil(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, device=maps.device, dtype=maps.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(maps.shape[1], 1, 1, -1)
    padded = F.pad(maps, (radius,) * 4, mode='replicate')
    rows = F.conv2d(padded, kernel, groups=maps.shape[1])
    return F.conv2d(rows, kernel.transpose(2, 3), groups=maps.shape[1])


def variable_blur(maps: Tensor, deviation: Tensor) -> Tensor:
    """Maps blurred about as by a Gaussian, as much as each clip asks for.

    Three neighbors are averaged, which can give a variance of up to a half. For more, the maps are halved
    several times, and blended level by level on the way back. Halving ``l`` times and doubling again,
    bilinearly, averages with a variance of ``(4^l - 1) / 3``; two neighboring levels are blended so that the
    variance is right. A wider blur costs no more, and no shape depends on values, so that it can be exported.

    Args:
        maps: (B, C, h, w).
        deviation: (B,) standard deviation in pixels; 0 leaves a clip as it is, more than 18 is taken as 18.
    """
    variance = deviation.to(maps) ** 2
    near = variance.clamp(max=_NEAR)
    return _blend(_halved(_average_neighbors(maps, near / 2)), variance - near)


def pixelwise_blur(maps: Tensor, deviation: Tensor) -> Tensor:
    """Maps blurred about as by a Gaussian, as much as each pixel asks for.

    A pixel is a blend of the two of several blurs whose variances are next to the one that it asks for.

    Args:
        maps: (B, C, h, w).
        deviation: (B, 1, h, w) standard deviation in pixels; 0 leaves a pixel as it is, more than 16 is taken
            as 16.
    """
    variance = deviation.to(maps) ** 2
    alike = variance.new_ones(len(maps))
    levels = _halved(_average_neighbors(maps, alike * _NEAR / 2))  # of all but the least blur
    blended, low = maps, 0.0
    for high in _VARIANCES:
        near = high <= _NEAR
        blurred = (
            _average_neighbors(maps, alike * high / 2) if near else _blend(levels, alike * (high - _NEAR))
        )
        share = ((variance - low) / (high - low)).clamp(0, 1)
        blended, low = torch.lerp(blended, blurred, share), high
    return blended


def _average_neighbors(maps: Tensor, share: Tensor) -> Tensor:
    """Maps with ``share`` (B,) of each of the two neighbors, in rows and in columns."""
    line = torch.stack([share, 1 - 2 * share, share], dim=1)
    kernels = line[:, :, None] * line[:, None]
    kernels = kernels.repeat_interleave(maps.shape[1], dim=0)[:, None]
    padded = F.pad(maps, (1, 1, 1, 1), mode='replicate').flatten(0, 1)[None]
    return F.conv2d(padded, kernels, groups=len(kernels))[0].unflatten(0, maps.shape[:2])


def _halved(maps: Tensor) -> list[Tensor]:
    """Maps halved 0, 1, ... times."""
    levels = [maps]
    for _ in range(_LEVELS):
        levels.append(F.avg_pool2d(levels[-1], 2, ceil_mode=True, count_include_pad=False))
    return levels


def _blend(levels: list[Tensor], variance: Tensor) -> Tensor:
    """Maps of the finest level, blended so that each clip is averaged with its variance (B,)."""
    shares = _level_shares(variance)
    blended = shares[-1] * levels[-1]
    for level, share in zip(levels[-2::-1], shares[-2::-1]):
        doubled = F.interpolate(blended, scale_factor=2, mode='bilinear', align_corners=False)
        blended = doubled[..., : level.shape[-2], : level.shape[-1]] + share * level
    return blended


def _level_shares(variance: Tensor) -> list[Tensor]:
    """(B, 1, 1, 1) per level, from 0 on: how much of it is in the blend; they sum to 1."""
    widths = [(4**level - 1) / 3 for level in range(_LEVELS + 1)]
    above = [((variance - low) / (high - low)).clamp(0, 1) for low, high in zip(widths, widths[1:])]
    above = [torch.ones_like(variance), *above, torch.zeros_like(variance)]
    return [(more - most).view(-1, 1, 1, 1) for more, most in zip(above, above[1:])]
