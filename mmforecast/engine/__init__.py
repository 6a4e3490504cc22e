"""The training engine: exact resuming, whole and safe checkpoints, hooks and loops.

Importing it makes mmengine read every checkpoint safely, see :mod:`.checkpoint`.
"""

import mmforecast.fileio  # noqa: F401  (makes mmengine read checkpoints safely)
from mmforecast.utils.moved_names import forward_moved_names

from .data_order import ResumableDataLoader
from .data_watch import WorkerDiedError
from .divergence import DivergenceError
from .hooks import (
    DataFaultHook,
    DivergenceHook,
    FeatureStatisticsHook,
    ForecastCheckpointHook,
    ForecastVisualizationHook,
    ValLossHook,
    VanishingGradientHook,
)
from .interrupt import TrainingInterrupted
from .loops import EpochBasedTrainLoop, IterBasedTrainLoop
from .optim_wrapper_constructor import MultiOptimWrapperConstructor
from .runner import ForecastRunner

__all__ = [
    'DataFaultHook',
    'DivergenceError',
    'DivergenceHook',
    'EpochBasedTrainLoop',
    'FeatureStatisticsHook',
    'ForecastCheckpointHook',
    'ForecastRunner',
    'ForecastVisualizationHook',
    'IterBasedTrainLoop',
    'MultiOptimWrapperConstructor',
    'ResumableDataLoader',
    'TrainingInterrupted',
    'ValLossHook',
    'VanishingGradientHook',
    'WorkerDiedError',
]

forward_moved_names(
    __name__,
    fileio='CheckpointError Match install_safe_loaders load_checkpoint match_state_dict require_match',
    cli__common='cli_errors',
    cli__errors='explain',
    creative__hooks='GANHealthHook SampleGridHook',
)
