from .forecast_data_preprocessor import ForecastDataPreprocessor

__all__ = ['ForecastDataPreprocessor']
