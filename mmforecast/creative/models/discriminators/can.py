"""The discriminator of creative adversarial networks (Elgammal et al. 2017)."""

import torch.nn as nn

from mmforecast.creative.models.utils.gan_layers import activation, conv, doublings, init_dcgan
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_integer, check_positive

from .base import REAL_FAKE, BaseDiscriminator


@MODELS.register_module()
class CANDiscriminator(BaseDiscriminator):
    """Strided 4x4 convolutions of 32, 64, 128, 256, 512, 512 channels; fully connected heads.

    The head of an attribute has three layers, of 1024, 512 and K.

    Args:
        input_scale: Side of the images, a power of two, 16 at least; CAN's is 256.
        base_channels: Of the first layer; each next one doubles them, up to 16 times.
        head_channels: Of the first layer of an attribute's head; the second has half.
        num_layers: convolutions; by default as many as lead to 4x4. Public code has five at 256.
        attributes, disc_sees_mask: See ``BaseDiscriminator``.
    """

    def __init__(
        self,
        input_scale: int = 256,
        base_channels: int = 32,
        head_channels: int = 1024,
        num_layers: int | None = None,
        attributes: dict[str, int] | None = None,
        disc_sees_mask: bool = False,
    ):
        super().__init__(input_scale, attributes, disc_sees_mask)
        name = type(self).__name__
        downs = doublings(name, 'input_scale', input_scale, smallest=16)
        num_layers = downs if num_layers is None else num_layers
        check_positive(
            name,
            base_channels=base_channels,
            head_channels=head_channels,
            num_layers=num_layers,
        )
        check_integer(f'{name} with input_scale={input_scale}', 1, downs, num_layers=num_layers)
        widths = [base_channels << min(n, 4) for n in range(num_layers)]
        layers = [conv(self.in_channels, widths[0], 4, 2, act='lrelu', norm=False)]
        layers += [conv(a, b, 4, 2, act='lrelu') for a, b in zip(widths, widths[1:])]
        self.trunk = nn.Sequential(*layers, nn.Flatten())
        features = widths[-1] * (input_scale >> num_layers) ** 2
        self.heads = nn.ModuleDict({REAL_FAKE: nn.Linear(features, 1)})
        for attribute, classes in self.attributes.items():
            self.heads[attribute] = nn.Sequential(
                nn.Linear(features, head_channels),
                activation('lrelu'),
                nn.Linear(head_channels, max(head_channels // 2, 1)),
                activation('lrelu'),
                nn.Linear(max(head_channels // 2, 1), classes),
            )
        init_dcgan(self)
