"""DCGAN's generator. Radford, Metz, Chintala, "Unsupervised representation learning with deep convolutional
generative adversarial networks", ICLR 2016."""

import torch.nn as nn
from torch import Tensor

from mmforecast.creative.models.utils.gan_layers import block, deconv, doublings, init_dcgan
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_multiple, check_positive

from .base import BaseGenerator, LabelEmbedding


@MODELS.register_module()
class DCGANGenerator(BaseGenerator):
    """Transposed 4x4 convolutions: noise to 4x4, then each doubles the side and halves the channels.

    Args:
        output_scale: Side of the images, a power of two, 8 at least; 64, 128 or 256 in DeSIGN's setting.
        base_channels: Of the 4x4 map; DCGAN's is 1024. A multiple of what the halvings divide by.
        noise_size: Of z.
        num_classes: Of the attribute that is asked for; None generates unconditionally.
        embedding_size: Of the label's vector, which is put after z.
    """

    def __init__(
        self,
        output_scale: int = 64,
        base_channels: int = 1024,
        noise_size: int = 100,
        num_classes: int | None = None,
        embedding_size: int = 100,
    ):
        super().__init__(output_scale, noise_size)
        name = type(self).__name__
        ups = doublings(name, 'output_scale', output_scale, smallest=8)
        check_positive(name, base_channels=base_channels, noise_size=noise_size, embedding_size=embedding_size)
        owner = f'{name} with output_scale={output_scale}'
        check_multiple(owner, 2 ** (ups - 1), base_channels=base_channels)
        inputs = noise_size
        self.embedding = None
        if num_classes is not None:
            check_positive(name, num_classes=num_classes)
            self.condition_kind, self.num_classes = 'label', num_classes
            self.embedding = LabelEmbedding(num_classes, embedding_size)
            inputs += embedding_size
        first = nn.ConvTranspose2d(inputs, base_channels, 4, bias=False)
        layers = [block(first, base_channels)]
        widths = [base_channels >> n for n in range(ups)]
        layers += [deconv(wide, narrow) for wide, narrow in zip(widths, widths[1:])]
        layers.append(deconv(widths[-1], 3, act='tanh', norm=False))
        self.layers = nn.Sequential(*layers)
        init_dcgan(self)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        self.check_noise(noise)
        if self.embedding is not None:
            noise = self.embedding(noise, condition)
        return self.layers(noise[..., None, None])
