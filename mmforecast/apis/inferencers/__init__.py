from .files import FORMATS
from .forecast_inferencer import ForecastInferencer
from .frame_source import open_frames
from .results import Forecast, decode_masks

__all__ = ['FORMATS', 'Forecast', 'ForecastInferencer', 'decode_masks', 'open_frames']
