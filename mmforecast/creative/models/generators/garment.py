"""A generator of garments on white: a shape, cloth that fills it, and shading, from a mix of classes."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.creative.models.utils.gan_layers import SLOPE, doublings
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_positive, check_shape

from .base import BaseGenerator
from .wave import StyleNetwork, WavePainter


class ShapeNetwork(nn.Module):
    """Silhouettes that are symmetric about the vertical axis: half of one is drawn, and mirrored.

    Resize-convolutions from a map of 4x2, batch norm, leaky ReLU.

    Args:
        inputs: Of z and condition.
        output_scale: Side in pixels.
        base_channels: Of the first map; each doubling of the side halves them, down to 16.
    """

    def __init__(self, inputs: int, output_scale: int, base_channels: int):
        super().__init__()
        ups = doublings('GarmentGenerator', 'output_scale', output_scale, smallest=32, largest=256)
        widths = [max(base_channels >> n, 16) for n in range(ups + 1)]
        self.first = nn.Linear(inputs, widths[0] * 8)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2),
                nn.Conv2d(wide, narrow, 3, padding=1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.LeakyReLU(SLOPE),
            )
            for wide, narrow in zip(widths, widths[1:])
        )
        self.last = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (B, 1, S, S) of (B, inputs)."""
        half = self.first(inputs).view(len(inputs), -1, 4, 2)
        for layer in self.layers:
            half = layer(half)
        half = self.last(half)
        return torch.cat([half, half.flip(3)], dim=3)


class ShadingNetwork(nn.Module):
    """How light the cloth is at each place of a silhouette: darker edges, seams.

    Args:
        style_size: Of a style.
        channels: Of a hidden layer.
    """

    def __init__(self, style_size: int, channels: int = 8):
        super().__init__()
        self.style = nn.Linear(style_size, channels)
        self.layers = nn.ModuleList(
            nn.Conv2d(inputs, channels, 3, padding=dilation, dilation=dilation)
            for inputs, dilation in ((3, 1), (channels, 2), (channels, 4))
        )
        self.last = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, mask: Tensor, style: Tensor) -> Tensor:
        """Factors (B, 1, S, S) in [0, 2] of masks (B, 1, S, S) and styles."""
        line = torch.linspace(-1, 1, mask.shape[-1], device=mask.device, dtype=mask.dtype)
        across = line.abs().expand_as(mask)
        down = line[:, None].expand_as(mask)
        maps = self.layers[0](torch.cat([mask, across, down], dim=1))
        maps = F.leaky_relu(maps + self.style(style)[:, :, None, None], SLOPE)
        for layer in self.layers[1:]:
            maps = F.leaky_relu(layer(maps), SLOPE)
        return 2 * torch.sigmoid(self.last(maps))


@MODELS.register_module()
class GarmentGenerator(BaseGenerator):
    """Garments on white from z and a mix of classes, in a drawn or in a given shape.

    ``white (1 - m) + m * shading * cloth``: the silhouette m is of a :class:`ShapeNetwork`, or a mask that is
    given; the cloth is a :class:`WavePainter`'s. So one network serves conditions on classes, on any mix of
    them and on masks. The network is ours.

    The condition is a mix of the classes of each attribute, (B, sum of classes): the shares of those of the
    first attribute, which sum to 1, then of the next. A class is a mix with the share 1.

    Args:
        attributes: Classes by attribute; the mix of all is an input of both shape and cloth.
        output_scale: Side of the images: 32, 64, 128 or 256.
        noise_size: Of z.
        base_channels: Of the shape network.
        style_size: Of the style of cloth and shading.
        waves, noise_channels, width, depth: Of the cloth, see :class:`WaveTextureGenerator`.
    """

    condition_kind = 'mix'

    def __init__(
        self,
        attributes: dict[str, int],
        output_scale: int = 64,
        noise_size: int = 100,
        base_channels: int = 128,
        style_size: int = 64,
        waves: int = 16,
        noise_channels: int = 2,
        width: int = 32,
        depth: int = 3,
    ):
        super().__init__(output_scale, noise_size)
        check_positive('GarmentGenerator', noise_size=noise_size, base_channels=base_channels)
        self.attributes = dict(attributes)
        inputs = noise_size + sum(self.attributes.values())
        self.shape = ShapeNetwork(inputs, output_scale, base_channels)
        self.style = StyleNetwork(inputs, style_size)
        self.painter = WavePainter(noise_size, style_size, waves, noise_channels, width, depth)
        self.shading = ShadingNetwork(style_size)

    def forward(
        self,
        noise: Tensor,
        condition: Tensor | None = None,
        mask: Tensor | None = None,
        zoom: int = 1,
    ) -> Tensor:
        """Images (B, 3, zoom * S, zoom * S) in [-1, 1].

        Args:
            noise: (B, noise_size).
            condition: (B, sum of classes), see above.
            mask: (B, 1, S, S) in [0, 1]; an image whose mask is empty gets a drawn shape. None for no masks.
            zoom: Enlargement, at least 1: the same garments, drawn finer.
        """
        self.check_noise(noise)
        width, side = sum(self.attributes.values()), self.output_scale
        if condition is None:
            raise ValueError(f'GarmentGenerator needs a mix of classes as condition, (B, {width})')
        check_shape('GarmentGenerator', (len(noise), width), condition=condition)
        inputs = torch.cat([noise, condition.to(noise.dtype)], dim=1)
        logits = self.shape(inputs)
        shape, fine = torch.sigmoid(logits), torch.sigmoid(zoom * _enlarged(logits, zoom))
        if mask is not None:
            check_shape('GarmentGenerator', (len(noise), 1, side, side), mask=mask)
            given = mask.to(shape.dtype)
            softened = F.avg_pool2d(F.pad(given, (1, 1, 1, 1), mode='replicate'), 3, 1)
            some = given.flatten(1).any(1)[:, None, None, None]
            shape = torch.where(some, softened, shape)
            crisp = (zoom * (_enlarged(softened, zoom) - 0.5) + 0.5).clamp(0, 1)
            fine = torch.where(some, crisp, fine)
        style = self.style(inputs)
        cloth = (self.painter(noise, style, side, side, zoom=zoom) + 1) / 2
        lit = (cloth * _enlarged(self.shading(shape, style), zoom)).clamp(max=1)
        return 2 * (1 - fine + fine * lit) - 1


def _enlarged(maps: Tensor, zoom: int) -> Tensor:
    if zoom == 1:
        return maps
    return F.interpolate(maps, scale_factor=zoom, mode='bilinear', align_corners=False)
