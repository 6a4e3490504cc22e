from mmforecast.models.utils.rgb import rgb_to_unit, unit_to_rgb

from .base import BaseEncoder
from .cached import CachedEncoder
from .detector import DetectorEncoder, detect
from .detector_map import DetectorMapEncoder
from .distance_map import DistanceMapEncoder
from .instance_map import InstanceMapEncoder
from .label_depth import LabelDepthEncoder
from .label_map import LabelMapEncoder
from .paired import PairedEncoder
from .precomputed import PrecomputedEncoder
from .rgb import RGBEncoder
from .segmentor import SegmentorEncoder
from .segmentor_feature import SegmentorFeatureEncoder
from .vit_feature import ViTFeatureEncoder

__all__ = [
    'BaseEncoder',
    'CachedEncoder',
    'DetectorEncoder',
    'DetectorMapEncoder',
    'DistanceMapEncoder',
    'InstanceMapEncoder',
    'LabelDepthEncoder',
    'LabelMapEncoder',
    'PairedEncoder',
    'PrecomputedEncoder',
    'RGBEncoder',
    'SegmentorEncoder',
    'SegmentorFeatureEncoder',
    'ViTFeatureEncoder',
    'detect',
    'rgb_to_unit',
    'unit_to_rgb',
]
