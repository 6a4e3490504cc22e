from .base import BasePredictor
from .context import ForecastContext
from .conv_stack import conv_stack
from .copy_last import BlurredCopyLast, CopyLast
from .corrected_motion import CorrectedMotion
from .d2d import D2DPredictor
from .ego_motion import EgoMotion
from .f2f import F2FPredictor
from .feature_fusion import FeatureFusion
from .flow_warp import FlowWarp
from .motion_forecaster import MotionForecaster
from .multi_scale import MultiScalePredictor
from .oracle import Oracle
from .paired import PairedPredictor
from .warp_correct import WarpCorrectPredictor

__all__ = [
    'BasePredictor',
    'BlurredCopyLast',
    'CopyLast',
    'CorrectedMotion',
    'D2DPredictor',
    'EgoMotion',
    'F2FPredictor',
    'FeatureFusion',
    'FlowWarp',
    'ForecastContext',
    'MotionForecaster',
    'MultiScalePredictor',
    'Oracle',
    'PairedPredictor',
    'WarpCorrectPredictor',
    'conv_stack',
]
