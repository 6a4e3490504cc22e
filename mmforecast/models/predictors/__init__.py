from .base import BasePredictor, ForecastContext
from .conv_stack import conv_stack
from .copy_last import CopyLast
from .flow_warp import FlowWarp
from .multi_scale import MultiScalePredictor
from .oracle import Oracle
from .warp_correct import WarpCorrectPredictor

__all__ = [
    'BasePredictor',
    'CopyLast',
    'FlowWarp',
    'ForecastContext',
    'MultiScalePredictor',
    'Oracle',
    'WarpCorrectPredictor',
    'conv_stack',
]
