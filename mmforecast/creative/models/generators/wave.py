"""A generator of textures of any size: waves, noise and pixel-wise layers that a style modulates."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.creative.models.utils.gan_layers import SLOPE
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_at_least, check_integer, check_positive

from .base import BaseGenerator

_NOISE_SEED = 20180921  # of the fixed maps that noise is a combination of
_PERIODS = (3.0, 48.0)  # shortest and longest initial wave, in pixels


def wrapped_resize(maps: Tensor, height: int, width: int) -> Tensor:
    """Linear interpolation of (..., h, w) to (..., height, width), in which opposite edges adjoin."""
    for dim, size in ((-2, height), (-1, width)):
        cells = maps.shape[dim]
        if cells == size:
            continue
        place = (torch.arange(size, device=maps.device) + 0.5) * cells / size - 0.5
        low = place.floor().long()
        shape = (-1, 1) if dim == -2 else (-1,)
        share = (place - low).to(maps.dtype).reshape(shape)
        first = maps.index_select(dim, low % cells)
        maps = torch.lerp(first, maps.index_select(dim, (low + 1) % cells), share)
    return maps


class NoiseMaps(nn.Module):
    """Maps of white noise at several scales that are a linear function of z.

    Each map is ``sum_k z_k B_k / sqrt(noise_size)`` with fixed, random maps B_k, so that an image depends on
    its z alone, and changes continuously with it. Opposite edges adjoin.

    Args:
        noise_size: Of z.
        channels: Maps per scale.
        scales: Pixels per cell of white noise, by scale.
    """

    def __init__(self, noise_size: int, channels: int, scales: tuple[int, ...]):
        super().__init__()
        self.noise_size, self.channels, self.scales = noise_size, channels, scales
        self._kept: dict[tuple, list[Tensor]] = {}

    def forward(self, noise: Tensor, height: int, width: int, zoom: int = 1) -> Tensor:
        """(B, channels * number of scales, zoom * height, zoom * width), of about unit deviation on cells."""
        maps = []
        for basis in self._basis(height, width, noise):
            coarse = (noise @ basis.flatten(1)).view(len(noise), *basis.shape[1:])
            maps.append(wrapped_resize(coarse, zoom * height, zoom * width))
        return torch.cat(maps, dim=1)

    def _basis(self, height: int, width: int, like: Tensor) -> list[Tensor]:
        key = (height, width, like.device, like.dtype)
        if key not in self._kept:
            found = []
            for scale in self.scales:
                rows, cols = (max(1, round(side / scale)) for side in (height, width))
                generator = torch.Generator().manual_seed(_NOISE_SEED + scale)
                basis = torch.randn(self.noise_size, self.channels, rows, cols, generator=generator)
                found.append((basis / math.sqrt(self.noise_size)).to(like))
            self._kept = {key: found}  # of one size only
        return self._kept[key]

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_kept': {}}

    def __deepcopy__(self, memo: dict) -> 'NoiseMaps':
        return NoiseMaps(self.noise_size, self.channels, self.scales)


class ModulatedPixelwise(nn.Module):
    """A 1x1 convolution whose inputs an image's style scales, and whose weights are then normalized.

    Karras et al., "Analyzing and improving the image quality of StyleGAN", CVPR 2020, section 2.2.

    Args:
        inputs, outputs: Channels.
        style_size: Of the style.
        normalize: Whether the weights of each output are brought to unit length.
    """

    def __init__(self, inputs: int, outputs: int, style_size: int, normalize: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(outputs, 1))
        self.scale = nn.Linear(style_size, inputs)
        nn.init.normal_(self.scale.weight, 0, 1 / math.sqrt(style_size))
        nn.init.ones_(self.scale.bias)
        self.normalize = normalize

    def forward(self, pixels: Tensor, style: Tensor) -> Tensor:
        """(B, outputs, N) of (B, inputs, N) and (B, style_size)."""
        weight = self.weight * self.scale(style)[:, None]
        if self.normalize:
            weight = math.sqrt(2) * F.normalize(weight, dim=2)  # what leaky ReLU takes away
        return torch.baddbmm(self.bias, weight, pixels)


class WavePainter(nn.Module):
    """Textures of styles: sine waves and noise at each pixel, then pixel-wise layers.

    The style turns and stretches the waves, bends them by smooth noise, and scales the channels of the layers.
    No layer looks at neighbors, so that the size is free.

    Args:
        noise_size: Of z.
        style_size: Of a style.
        waves: Number of waves, each with a sine and a cosine; 0 for none.
        noise_channels: Noise maps per scale; 0 for none.
        width: Channels of a hidden layer.
        depth: Hidden layers.
    """

    scales = (1, 2, 4, 8, 16)

    def __init__(
        self, noise_size: int, style_size: int, waves: int, noise_channels: int, width: int, depth: int
    ):
        super().__init__()
        self.waves, self.noise_channels = waves, noise_channels
        generator = torch.Generator().manual_seed(_NOISE_SEED)
        period = torch.logspace(*(math.log10(p) for p in _PERIODS), max(waves, 1))
        angle = torch.rand(max(waves, 1), generator=generator) * math.pi
        self.frequencies = nn.Parameter(torch.stack([angle.cos(), angle.sin()], 1) / period[:, None])
        self.turn = nn.Linear(style_size, 2 * waves) if waves else None
        self.bend = nn.Linear(style_size, 2) if waves else None
        self.noise_maps = NoiseMaps(noise_size, max(noise_channels, 1), self.scales)
        self.warp_maps = NoiseMaps(noise_size, 2, (8, 24))
        inputs = 2 * waves + len(self.scales) * noise_channels
        sizes = [inputs, *[width] * depth]
        self.layers = nn.ModuleList(ModulatedPixelwise(a, b, style_size) for a, b in zip(sizes, sizes[1:]))
        self.colors = ModulatedPixelwise(width, 3, style_size, normalize=False)
        if waves:
            nn.init.normal_(self.turn.weight, 0, 1 / math.sqrt(style_size))
            nn.init.zeros_(self.turn.bias)
            nn.init.normal_(self.bend.weight, 0, 0.5 / math.sqrt(style_size))
            nn.init.zeros_(self.bend.bias)

    def forward(
        self, noise: Tensor, style: Tensor, height: int, width: int, tile: bool = False, zoom: int = 1
    ) -> Tensor:
        """Textures (B, 3, zoom * height, zoom * width) in [-1, 1].

        Args:
            noise: (B, noise_size).
            style: (B, style_size).
            height, width: In units of the pattern, which are pixels without ``zoom``.
            tile: Whether opposite edges adjoin.
            zoom: Pixels per unit: the same pattern in more detail.
        """
        parts = []
        if self.waves:
            parts.append(self._draw_waves(noise, style, height, width, tile, zoom))
        if self.noise_channels:
            parts.append(self.noise_maps(noise, height, width, zoom).flatten(2))
        pixels = torch.cat(parts, dim=1)
        for layer in self.layers:
            pixels = F.leaky_relu_(layer(pixels, style), SLOPE)
        return torch.tanh(self.colors(pixels, style)).view(-1, 3, zoom * height, zoom * width)

    def _draw_waves(
        self, noise: Tensor, style: Tensor, height: int, width: int, tile: bool, zoom: int
    ) -> Tensor:
        batch = len(noise)
        frequencies = self.style_frequencies(style)
        if tile:  # whole cycles over both sides
            sides = frequencies.new_tensor([width, height])
            frequencies = (frequencies * sides).round() / sides
        rows, cols = (
            # centers of pixels; without zoom they are whole numbers
            (torch.arange(zoom * side, device=noise.device, dtype=noise.dtype) + 0.5) / zoom - 0.5 - side / 2
            for side in (height, width)
        )
        place = torch.stack([cols.expand(zoom * height, -1), rows[:, None].expand(-1, zoom * width)])
        place = place + 32 * noise[:, :2, None, None]  # where the pattern begins
        warp = self.warp_maps(noise, height, width, zoom).view(batch, 2, 2, zoom * height, zoom * width)
        place = place + (4 * self.bend(style)[:, :, None, None, None] * warp).sum(1)
        phase = 2 * math.pi * torch.bmm(frequencies, place.flatten(2))
        return torch.cat([phase.sin(), phase.cos()], dim=1)

    def style_frequencies(self, style: Tensor) -> Tensor:
        """(B, waves, 2) cycles per pixel in x and y, at most half a cycle in length."""
        angle, stretch = self.turn(style).view(len(style), -1, 2).unbind(2)
        cos, sin = angle.cos(), angle.sin()
        x, y = self.frequencies.unbind(1)
        turned = torch.stack([cos * x - sin * y, sin * x + cos * y], dim=2)
        turned = turned * torch.exp(0.7 * torch.tanh(stretch))[..., None]
        return turned / turned.norm(dim=2, keepdim=True).mul(2).clamp(min=1)


class StyleNetwork(nn.Sequential):
    """Two layers from z, and what is put after it, to a style.

    Args:
        inputs: Of z and condition.
        style_size: Of the style.
    """

    def __init__(self, inputs: int, style_size: int):
        super().__init__(
            nn.Linear(inputs, style_size),
            nn.LeakyReLU(SLOPE),
            nn.Linear(style_size, style_size),
            nn.LeakyReLU(SLOPE),
        )
        for layer in (self[0], self[2]):
            nn.init.kaiming_normal_(layer.weight, SLOPE)
            nn.init.zeros_(layer.bias)


@MODELS.register_module()
class WaveTextureGenerator(BaseGenerator):
    """Textures from waves, noise at each pixel, and 1x1 layers that a style of z modulates.

    A texture looks alike everywhere, so that nothing needs to be drawn from coarse to fine; after the spatial
    GANs of Bergmann et al., "Learning texture manifolds with the periodic spatial GAN", ICML 2017, with
    pixel-wise layers as in Anokhin et al., "Image generators with conditionally-independent pixel synthesis",
    CVPR 2021. The exact network is ours. ``paint`` draws any size, and seamless tiles.

    Args:
        output_scale: Side of the images of ``forward``, at least 8.
        noise_size: Of z, at least 2.
        style_size: Of the style.
        waves: Number of waves; 0 for none.
        noise_channels: Noise maps at each of five scales; 0 for none.
        width: Channels of a hidden layer.
        depth: Hidden layers.
    """

    def __init__(
        self,
        output_scale: int = 64,
        noise_size: int = 100,
        style_size: int = 64,
        waves: int = 16,
        noise_channels: int = 2,
        width: int = 48,
        depth: int = 3,
    ):
        super().__init__(output_scale, noise_size)
        name = type(self).__name__
        check_integer(name, 8, output_scale=output_scale)
        check_integer(name, 2, noise_size=noise_size)
        check_positive(name, style_size=style_size, width=width, depth=depth)
        check_at_least(name, 0, waves=waves, noise_channels=noise_channels)
        if not waves and not noise_channels:
            raise ValueError(f'{name}: waves and noise_channels are both 0: nothing is left to paint with')
        self.style = StyleNetwork(noise_size, style_size)
        self.painter = WavePainter(noise_size, style_size, waves, noise_channels, width, depth)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.paint(noise, self.output_scale, self.output_scale)

    def paint(self, noise: Tensor, height: int, width: int, tile: bool = False, zoom: int = 1) -> Tensor:
        """Textures (B, 3, zoom * height, zoom * width) in [-1, 1].

        Args:
            noise: (B, noise_size).
            height, width: At least 1, in pixels of the size that was trained.
            tile: Whether copies side by side show no seam: waves are brought to whole cycles.
            zoom: Enlargement, at least 1: the same texture, drawn finer.
        """
        self.check_noise(noise)
        check_integer('paint', 1, height=height, width=width, zoom=zoom)
        return self.painter(noise, self.style(noise), height, width, tile, zoom)
