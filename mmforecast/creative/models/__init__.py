"""CreativeGAN, its generators, discriminators and classifiers."""

from .classifiers import AttributeClassifier
from .creative_gan import CreativeGAN
from .diagnostics import discriminator_scalars, generator_scalars
from .discriminators import CANDiscriminator, DCGANDiscriminator, MaskStyleDiscriminator
from .generators import (
    CANGenerator,
    DCGANGenerator,
    GarmentGenerator,
    MaskStyleGenerator,
    StackGANGenerator,
    WaveTextureGenerator,
)
from .image_data_preprocessor import ImageDataPreprocessor
from .noise import draw_noise, slerp, truncate

__all__ = [
    'AttributeClassifier',
    'CANDiscriminator',
    'CANGenerator',
    'CreativeGAN',
    'DCGANDiscriminator',
    'DCGANGenerator',
    'GarmentGenerator',
    'ImageDataPreprocessor',
    'MaskStyleDiscriminator',
    'MaskStyleGenerator',
    'StackGANGenerator',
    'WaveTextureGenerator',
    'discriminator_scalars',
    'draw_noise',
    'generator_scalars',
    'slerp',
    'truncate',
]
