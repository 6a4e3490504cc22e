from .clip_det_data_preprocessor import ClipDetDataPreprocessor
from .forecast_data_preprocessor import ForecastDataPreprocessor

__all__ = ['ClipDetDataPreprocessor', 'ForecastDataPreprocessor']
