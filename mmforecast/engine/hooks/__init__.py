"""Hooks that mmengine lacks."""

from .checkpoint_hook import ForecastCheckpointHook
from .data_fault_hook import DataFaultHook
from .divergence_hook import DivergenceHook
from .val_loss_hook import ValLossHook
from .visualization_hook import ForecastVisualizationHook

__all__ = [
    'DataFaultHook',
    'DivergenceHook',
    'ForecastCheckpointHook',
    'ForecastVisualizationHook',
    'ValLossHook',
]
