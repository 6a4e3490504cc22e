from .base import BaseGenerator
from .can import CANGenerator
from .dcgan import DCGANGenerator
from .stackgan import StackGANGenerator, load_generator
from .style import MaskStyleGenerator

__all__ = [
    'BaseGenerator',
    'CANGenerator',
    'DCGANGenerator',
    'MaskStyleGenerator',
    'StackGANGenerator',
    'load_generator',
]
