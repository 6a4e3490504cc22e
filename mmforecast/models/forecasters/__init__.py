from .adversarial import AdversarialForecaster
from .base import BaseForecaster
from .d2d import D2DForecaster
from .f2f import F2FForecaster
from .panoptic import PanopticForecaster
from .s2s import S2SForecaster
from .segmentor_feature import SegmentorFeatureForecaster
from .video import VideoForecaster

__all__ = [
    'AdversarialForecaster',
    'BaseForecaster',
    'D2DForecaster',
    'F2FForecaster',
    'PanopticForecaster',
    'S2SForecaster',
    'SegmentorFeatureForecaster',
    'VideoForecaster',
]
