from .base import BaseEncoder
from .detector import DetectorEncoder
from .label_map import LabelMapEncoder
from .precomputed import PrecomputedEncoder
from .rgb import RGBEncoder, rgb_to_unit, unit_to_rgb
from .segmentor import SegmentorEncoder

__all__ = [
    'BaseEncoder',
    'DetectorEncoder',
    'LabelMapEncoder',
    'PrecomputedEncoder',
    'RGBEncoder',
    'SegmentorEncoder',
    'rgb_to_unit',
    'unit_to_rgb',
]
