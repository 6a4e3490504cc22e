"""Forecasters as graphs that run without this library's Python code: ONNX files, or PyTorch's own format."""

from .export import FORMATS, ExportedPart, export_forecaster
from .runner import ExportedForecaster
from .timing import PartTime, time_parts

__all__ = ['FORMATS', 'ExportedForecaster', 'ExportedPart', 'PartTime', 'export_forecaster', 'time_parts']
