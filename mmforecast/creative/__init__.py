"""CreativeGAN: image generation that deviates from known shapes and textures (Sbai et al., 2018)."""

from .creative_data_sample import MISSING_LABEL, CreativeDataSample

__all__ = [
    'CreativeDataSample',
    'MISSING_LABEL',
]
