from .forecast_data_sample import ForecastDataSample

__all__ = ['ForecastDataSample']
