from .base import BasePredictor
from .context import ForecastContext
from .conv_lstm import PyramidConvLSTM
from .conv_stack import conv_stack
from .copy_last import BlurredCopyLast, CopyLast
from .corrected_motion import CorrectedMotion
from .d2d import D2DPredictor
from .deform_f2f import DeformF2FPredictor
from .ego_motion import EgoMotion
from .f2f import F2FPredictor
from .f2mf import F2MFPredictor
from .feature_fusion import FeatureFusion
from .flow_warp import FlowWarp
from .masked_feature import MaskedFeatureTransformer
from .masked_label import MaskedLabelTransformer
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
    'DeformF2FPredictor',
    'EgoMotion',
    'F2FPredictor',
    'F2MFPredictor',
    'FeatureFusion',
    'FlowWarp',
    'ForecastContext',
    'MaskedFeatureTransformer',
    'MaskedLabelTransformer',
    'MotionForecaster',
    'MultiScalePredictor',
    'Oracle',
    'PairedPredictor',
    'PyramidConvLSTM',
    'WarpCorrectPredictor',
    'conv_stack',
]
