"""Batching of clips. ``ClipDetDataPreprocessor`` is registered apart: it imports mmdet's models."""

from .forecast_data_preprocessor import ForecastDataPreprocessor

__all__ = ['ForecastDataPreprocessor']
