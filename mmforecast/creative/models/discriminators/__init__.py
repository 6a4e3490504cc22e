"""Discriminators of image generators."""

from .base import REAL_FAKE, BaseDiscriminator
from .can import CANDiscriminator
from .dcgan import DCGANDiscriminator
from .style import MaskStyleDiscriminator

__all__ = [
    'BaseDiscriminator',
    'CANDiscriminator',
    'DCGANDiscriminator',
    'MaskStyleDiscriminator',
    'REAL_FAKE',
]
