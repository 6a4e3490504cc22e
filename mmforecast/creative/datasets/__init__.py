"""Datasets of single images with attribute labels, and their transforms."""

from .attribute_dataset import BaseAttributeDataset
from .caching import CacheTransforms
from .fashion import FashionDataset
from .fashion_mnist import FashionMNISTDataset
from .formatting import PackCreativeInputs
from .textures import SyntheticGarmentDataset, SyntheticTextureDataset
from .transforms import FitToSquare, LoadGarmentMask, LoadRGBImage, RandomJitter

__all__ = [
    'BaseAttributeDataset',
    'CacheTransforms',
    'FashionDataset',
    'FashionMNISTDataset',
    'FitToSquare',
    'LoadGarmentMask',
    'LoadRGBImage',
    'PackCreativeInputs',
    'RandomJitter',
    'SyntheticGarmentDataset',
    'SyntheticTextureDataset',
]
