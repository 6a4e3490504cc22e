from .base import BasePredictor, ForecastContext, check_levels, check_window, require_losses
from .conv_stack import conv_stack
from .copy_last import CopyLast
from .d2d import D2DPredictor
from .ego_motion import EgoMotion
from .feature_fusion import FeatureFusion
from .flow_warp import FlowWarp
from .multi_scale import MultiScalePredictor
from .oracle import Oracle
from .warp_correct import WarpCorrectPredictor

__all__ = [
    'BasePredictor',
    'CopyLast',
    'D2DPredictor',
    'EgoMotion',
    'FeatureFusion',
    'FlowWarp',
    'ForecastContext',
    'MultiScalePredictor',
    'Oracle',
    'WarpCorrectPredictor',
    'check_levels',
    'check_window',
    'conv_stack',
    'require_losses',
]
