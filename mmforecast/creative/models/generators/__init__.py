from .base import BaseGenerator
from .can import CANGenerator
from .dcgan import DCGANGenerator
from .garment import GarmentGenerator
from .stackgan import StackGANGenerator, load_generator
from .style import MaskStyleGenerator
from .wave import WaveTextureGenerator

__all__ = [
    'BaseGenerator',
    'CANGenerator',
    'DCGANGenerator',
    'GarmentGenerator',
    'MaskStyleGenerator',
    'StackGANGenerator',
    'WaveTextureGenerator',
    'load_generator',
]
