"""A style generator over a shape mask, after the Style-GAN of S2-GAN (Wang, Gupta, ECCV 2016)."""

import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.creative.models.utils.gan_layers import (
    block,
    conv,
    deconv,
    doublings,
    init_dcgan,
    mask_channel,
)
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_positive

from .base import BaseGenerator


@MODELS.register_module()
class MaskStyleGenerator(BaseGenerator):
    """Fills a shape mask with a style: mask and noise are each brought to 32x32, then decoded together.

    DeSIGN's "StyleGAN", not that of Karras et al. Batch norm in all layers but the last, ReLU in the front
    half, LeakyReLU in the back half. At 256 one more layer halves the mask and one more doubles the image.

    Args:
        output_scale: Side of images and masks: 64, 128 (S2-GAN's) or 256.
        base_channels: Of the narrowest layer, S2-GAN's is 64; the widest has 8 times as many.
        noise_size: Of z.
    """

    condition_kind = 'mask'

    def __init__(self, output_scale: int = 128, base_channels: int = 64, noise_size: int = 100):
        super().__init__(output_scale, noise_size)
        name, width = 'MaskStyleGenerator', base_channels
        halvings = doublings(name, 'output_scale', output_scale, smallest=64, largest=256) - 3
        check_positive(name, base_channels=width, noise_size=noise_size)
        factors = {1: (2,), 2: (1, 2), 3: (1, 2, 2)}[halvings]
        downs = [1, *(width * factor for factor in factors)]
        self.mask_path = nn.Sequential(
            *(conv(inputs, outputs, 5, stride=2) for inputs, outputs in zip(downs, downs[1:]))
        )
        first = nn.ConvTranspose2d(noise_size, width, 8, bias=False)
        self.noise_path = nn.Sequential(block(first, width), deconv(width, width), deconv(width, width))
        ups = [8 * width, 4 * width, 2 * width, width, max(width // 2, 1)][: halvings + 2]
        self.decoder = nn.Sequential(
            conv(3 * width, 4 * width, 3),
            conv(4 * width, 8 * width, 3, stride=2),
            conv(8 * width, 8 * width, 3),
            *(deconv(wide, narrow, 'lrelu') for wide, narrow in zip(ups, ups[1:])),
            conv(ups[-1], 3, 5, act='tanh', norm=False),
        )
        init_dcgan(self)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        self.check_noise(noise)
        side = self.output_scale
        like = noise.new_empty(len(noise), 1, side, side)
        mask = self.mask_path(mask_channel('MaskStyleGenerator', condition, like))
        style = self.noise_path(noise[..., None, None])
        return self.decoder(torch.cat([mask, style], dim=1))
