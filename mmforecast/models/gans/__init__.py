from .creative_gan import CreativeGAN
from .diagnostics import discriminator_scalars, generator_scalars
from .noise import draw_noise, slerp, truncate

__all__ = [
    'CreativeGAN',
    'discriminator_scalars',
    'draw_noise',
    'generator_scalars',
    'slerp',
    'truncate',
]
