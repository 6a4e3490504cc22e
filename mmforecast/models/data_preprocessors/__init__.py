from .clip_det_data_preprocessor import ClipDetDataPreprocessor
from .forecast_data_preprocessor import ForecastDataPreprocessor
from .image_data_preprocessor import ImageDataPreprocessor

__all__ = ['ClipDetDataPreprocessor', 'ForecastDataPreprocessor', 'ImageDataPreprocessor']
