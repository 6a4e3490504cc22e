"""What runs a training: exact resuming, whole and safe checkpoints, errors that explain.

Importing it makes mmengine read every checkpoint safely, see :mod:`.checkpoint`.
"""

from .checkpoint import CheckpointError, install_safe_loaders, load_checkpoint
from .checkpoint_match import Match, match_state_dict, require_match
from .cli import cli_errors
from .data_order import ResumableDataLoader
from .data_watch import WorkerDiedError
from .divergence import DivergenceError
from .errors import explain
from .hooks import (
    DataFaultHook,
    DivergenceHook,
    ForecastCheckpointHook,
    ForecastVisualizationHook,
    GANHealthHook,
    SampleGridHook,
    ValLossHook,
)
from .interrupt import TrainingInterrupted
from .loops import EpochBasedTrainLoop, IterBasedTrainLoop
from .optim_wrapper_constructor import MultiOptimWrapperConstructor

__all__ = [
    'CheckpointError',
    'DataFaultHook',
    'DivergenceError',
    'DivergenceHook',
    'EpochBasedTrainLoop',
    'ForecastCheckpointHook',
    'ForecastVisualizationHook',
    'GANHealthHook',
    'IterBasedTrainLoop',
    'Match',
    'MultiOptimWrapperConstructor',
    'ResumableDataLoader',
    'SampleGridHook',
    'TrainingInterrupted',
    'ValLossHook',
    'WorkerDiedError',
    'cli_errors',
    'explain',
    'install_safe_loaders',
    'load_checkpoint',
    'match_state_dict',
    'require_match',
]

install_safe_loaders()
