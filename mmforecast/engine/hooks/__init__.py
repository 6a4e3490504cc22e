"""Hooks that mmengine lacks."""

from .checkpoint_hook import ForecastCheckpointHook
from .gan_health_hook import GANHealthHook
from .sample_grid_hook import SampleGridHook
from .val_loss_hook import ValLossHook
from .visualization_hook import ForecastVisualizationHook

__all__ = [
    'ForecastCheckpointHook',
    'ForecastVisualizationHook',
    'GANHealthHook',
    'SampleGridHook',
    'ValLossHook',
]
