"""DCGAN's discriminator with branches (DeSIGN, Sbai et al. 2018)."""

import torch.nn as nn

from mmforecast.creative.models.utils.gan_layers import conv, doublings, init_dcgan
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_positive

from .base import BaseDiscriminator


@MODELS.register_module()
class DCGANDiscriminator(BaseDiscriminator):
    """Strided 4x4 convolutions down to 4x4, then each head is one 4x4 convolution.

    LeakyReLU of slope 0.2, batch norm but for the first layer.

    Args:
        input_scale: Side of the images, a power of two, 8 at least.
        base_channels: Of the first layer; each next one doubles them. DCGAN's is 64; at 256, 32 keeps the size
            of 128.
        max_channels: No layer has more.
        attributes, disc_sees_mask: See ``BaseDiscriminator``.
    """

    def __init__(
        self,
        input_scale: int = 64,
        base_channels: int = 64,
        max_channels: int = 1024,
        attributes: dict[str, int] | None = None,
        disc_sees_mask: bool = False,
    ):
        super().__init__(input_scale, attributes, disc_sees_mask)
        name = type(self).__name__
        downs = doublings(name, 'input_scale', input_scale, smallest=8)
        check_positive(name, base_channels=base_channels, max_channels=max_channels)
        widths = [min(base_channels << n, max_channels) for n in range(downs)]
        layers = [conv(self.in_channels, widths[0], 4, 2, act='lrelu', norm=False)]
        layers += [conv(a, b, 4, 2, act='lrelu') for a, b in zip(widths, widths[1:])]
        self.trunk = nn.Sequential(*layers)
        self.heads = nn.ModuleDict(
            {head: nn.Conv2d(widths[-1], logits, 4) for head, logits in self.trunk_heads.items()}
        )
        init_dcgan(self)
