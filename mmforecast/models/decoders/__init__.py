from .base import BaseDecoder
from .detection import DetectionDecoder
from .distance_map import DistanceMapDecoder
from .flow_instances import FlowInstanceDecoder
from .flow_objects import FlowObjectDecoder
from .paired import PairedDecoder
from .panoptic import PanopticDecoder
from .rgb import RGBDecoder
from .segmentor_feature import SegmentorFeatureDecoder
from .sem_seg import SemSegDecoder

__all__ = [
    'BaseDecoder',
    'DetectionDecoder',
    'DistanceMapDecoder',
    'FlowInstanceDecoder',
    'FlowObjectDecoder',
    'PairedDecoder',
    'PanopticDecoder',
    'RGBDecoder',
    'SegmentorFeatureDecoder',
    'SemSegDecoder',
]
