"""Hooks that mmengine lacks."""

from .checkpoint_hook import ForecastCheckpointHook
from .visualization_hook import ForecastVisualizationHook

__all__ = ['ForecastCheckpointHook', 'ForecastVisualizationHook']
