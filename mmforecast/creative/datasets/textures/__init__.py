"""Textures and garments generated on the fly, with labels: the data that needs no download."""

from .dataset import SyntheticGarmentDataset, SyntheticTextureDataset
from .garments import SHAPE_CLASSES, paint_garment
from .patterns import TEXTURE_CLASSES, paint_texture

__all__ = [
    'SHAPE_CLASSES',
    'TEXTURE_CLASSES',
    'SyntheticGarmentDataset',
    'SyntheticTextureDataset',
    'paint_garment',
    'paint_texture',
]
