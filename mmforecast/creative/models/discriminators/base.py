"""The contract of discriminators."""

import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.creative.models.utils.gan_layers import mask_channel
from mmforecast.utils.checks import check_positive

REAL_FAKE = 'real_fake'


class BaseDiscriminator(nn.Module):
    """``forward(images, condition)`` gives logits: ``real_fake`` (B, 1), and (B, K) of each attribute.

    A class of it sets ``trunk`` and ``heads``, a head by name, ``real_fake`` among them; ``trunk_heads`` gives
    the names. Initial weights are set on construction.

    Args:
        input_scale: Side of the images, which are (B, 3, input_scale, input_scale) in [-1, 1].
        attributes: Classes by attribute, e.g. ``dict(shape=7, texture=7)``; each at least 2.
        disc_sees_mask: Whether the shape mask, (B, 1, H, W) in [0, 1], is a fourth channel.
    """

    def __init__(
        self,
        input_scale: int,
        attributes: dict[str, int] | None = None,
        disc_sees_mask: bool = False,
    ):
        super().__init__()
        name, attributes = type(self).__name__, dict(attributes or {})
        for attribute, classes in attributes.items():
            # Attributes name modules, and values in the log, which adds up what has 'loss' in its name.
            if attribute == REAL_FAKE or '.' in attribute or 'loss' in attribute:
                raise ValueError(f'{name}: {attribute!r} cannot be the name of an attribute')
            check_positive(name, **{f'attributes.{attribute}': classes})
            if classes < 2:
                raise ValueError(
                    f'{name}: attribute {attribute!r} has {classes} class, which leaves nothing to tell '
                    'apart; give it at least 2, or leave it out of attributes'
                )
        self.input_scale = input_scale
        self.attributes: dict[str, int] = attributes
        self.disc_sees_mask = disc_sees_mask

    @property
    def in_channels(self) -> int:
        """Of the first layer."""
        return 3 + self.disc_sees_mask

    @property
    def trunk_heads(self) -> dict[str, int]:
        """Logits by head."""
        return {REAL_FAKE: 1, **self.attributes}

    def forward(self, images: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        side = self.input_scale
        if images.ndim != 4 or tuple(images.shape[1:]) != (3, side, side):
            raise ValueError(
                f'{type(self).__name__} was built for images (B, 3, {side}, {side}), got '
                f'{tuple(images.shape)}; set input_scale, or resize in the pipeline'
            )
        if self.disc_sees_mask:
            mask = mask_channel(type(self).__name__, condition, images)
            images = torch.cat([images, mask], dim=1)
        features = self.trunk(images)
        return {name: head(features).flatten(1) for name, head in self.heads.items()}
