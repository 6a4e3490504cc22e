from .base import BaseEncoder
from .label_map import LabelMapEncoder
from .precomputed import PrecomputedEncoder
from .rgb import RGBEncoder, rgb_to_unit, unit_to_rgb
from .segmentor import SegmentorEncoder

__all__ = [
    'BaseEncoder',
    'LabelMapEncoder',
    'PrecomputedEncoder',
    'RGBEncoder',
    'SegmentorEncoder',
    'rgb_to_unit',
    'unit_to_rgb',
]
