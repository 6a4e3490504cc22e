"""The generator of creative adversarial networks (Elgammal et al. 2017)."""

import torch.nn as nn
from torch import Tensor

from mmforecast.creative.models.utils.gan_layers import block, conv, deconv, doublings, init_dcgan
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_choice, check_multiple, check_positive

from .base import BaseGenerator

_UPSAMPLES = ('deconv', 'resize')


@MODELS.register_module()
class CANGenerator(BaseGenerator):
    """Noise to 4x4x1024, 8x8x1024, then each layer doubles the side and halves the channels, to 3x256x256.

    Layers are those of public code: 5x5, batch norm, LeakyReLU.

    Args:
        output_scale: Side of the images, a power of two, 16 at least; CAN's is 256.
        base_channels: Of the 4x4 and the 8x8 map.
        noise_size: Of z.
        upsample: 'deconv', transposed convolutions; 'resize', nearest neighbors, then a convolution.
    """

    def __init__(
        self,
        output_scale: int = 256,
        base_channels: int = 1024,
        noise_size: int = 100,
        upsample: str = 'deconv',
    ):
        super().__init__(output_scale, noise_size)
        ups = doublings('CANGenerator', 'output_scale', output_scale, smallest=16)
        check_positive('CANGenerator', base_channels=base_channels, noise_size=noise_size)
        check_choice('CANGenerator', _UPSAMPLES, upsample=upsample)
        owner = f'CANGenerator with output_scale={output_scale}'
        check_multiple(owner, 2 ** (ups - 2), base_channels=base_channels)

        def up(inputs: int, outputs: int, act: str = 'lrelu', norm: bool = True) -> nn.Sequential:
            if upsample == 'deconv':
                return deconv(inputs, outputs, act, norm, kernel=5)
            return nn.Sequential(nn.Upsample(scale_factor=2), conv(inputs, outputs, 5, act=act, norm=norm))

        first = nn.ConvTranspose2d(noise_size, base_channels, 4, bias=False)
        widths = [base_channels, *(base_channels >> n for n in range(ups - 1))]
        self.layers = nn.Sequential(
            block(first, base_channels, 'lrelu'),
            *(up(wide, narrow) for wide, narrow in zip(widths, widths[1:])),
            up(widths[-1], 3, act='tanh', norm=False),
        )
        init_dcgan(self)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        self.check_noise(noise)
        return self.layers(noise[..., None, None])
