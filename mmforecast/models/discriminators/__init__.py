from .base import REAL_FAKE, BaseDiscriminator
from .can import CANDiscriminator
from .dcgan import DCGANDiscriminator
from .multi_scale import MultiScaleDiscriminator
from .style import MaskStyleDiscriminator

__all__ = [
    'BaseDiscriminator',
    'CANDiscriminator',
    'DCGANDiscriminator',
    'MaskStyleDiscriminator',
    'MultiScaleDiscriminator',
    'REAL_FAKE',
]
