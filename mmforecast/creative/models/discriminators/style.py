"""The discriminator of S2-GAN's Style-GAN (Wang, Gupta, ECCV 2016), with branches."""

import torch.nn as nn

from mmforecast.creative.models.utils.gan_layers import conv, doublings, init_dcgan
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_fraction, check_positive

from .base import BaseDiscriminator


@MODELS.register_module()
class MaskStyleDiscriminator(BaseDiscriminator):
    """Convolutions 5x5 and 3x3, dropout in the back half, fully connected heads.

    S2-GAN's sees the condition beside the image; DeSIGN's, which is DCGAN's, doesn't.

    Args:
        input_scale: Side of the images, 64, 128 (S2-GAN's) or 256.
        base_channels: Of the first layer, S2-GAN's is 64; the widest has 8 times as many.
        dropout: Share of channels that are dropped after the third and the fourth layer, and of features
            before the heads.
        attributes, disc_sees_mask: See ``BaseDiscriminator``.
    """

    def __init__(
        self,
        input_scale: int = 128,
        base_channels: int = 64,
        dropout: float = 0.2,
        attributes: dict[str, int] | None = None,
        disc_sees_mask: bool = False,
    ):
        super().__init__(input_scale, attributes, disc_sees_mask)
        name, width = type(self).__name__, base_channels
        doublings(name, 'input_scale', input_scale, smallest=64, largest=256)
        check_positive(name, base_channels=width)
        check_fraction(name, dropout=dropout)
        self.trunk = nn.Sequential(
            conv(self.in_channels, width, 5, 2, act='lrelu', norm=False),
            conv(width, 2 * width, 5, 2, act='lrelu'),
            conv(2 * width, 4 * width, 3, 2, act='lrelu'),
            nn.Dropout2d(dropout),
            conv(4 * width, 8 * width, 3, 2, act='lrelu'),
            nn.Dropout2d(dropout),
            conv(8 * width, 2 * width, 3, act='lrelu'),
            nn.Flatten(),
            nn.Dropout(dropout),
        )
        features = 2 * width * (input_scale // 16) ** 2
        self.heads = nn.ModuleDict(
            {head: nn.Linear(features, logits) for head, logits in self.trunk_heads.items()}
        )
        init_dcgan(self)
