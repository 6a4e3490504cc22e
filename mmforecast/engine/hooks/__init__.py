"""Hooks that mmengine lacks."""

from .checkpoint_hook import ForecastCheckpointHook
from .data_fault_hook import DataFaultHook
from .divergence_hook import DivergenceHook
from .feature_statistics_hook import FeatureStatisticsHook
from .processor_time_hook import ProcessorTimeHook
from .val_loss_hook import ValLossHook
from .vanishing_gradient_hook import VanishingGradientHook
from .visualization_hook import ForecastVisualizationHook

__all__ = [
    'DataFaultHook',
    'DivergenceHook',
    'FeatureStatisticsHook',
    'ForecastCheckpointHook',
    'ForecastVisualizationHook',
    'ProcessorTimeHook',
    'ValLossHook',
    'VanishingGradientHook',
]
