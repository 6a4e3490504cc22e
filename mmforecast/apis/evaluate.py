"""Evaluate a forecaster of a config in the current process, without a runner or a work directory."""

import copy
import inspect
from collections.abc import Callable

import cv2
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmforecast.fileio import CheckpointError, load_checkpoint, require_match
from mmforecast.models.forecasters import AdversarialForecaster, BaseForecaster
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.config_options import merge_options
from mmforecast.utils.loader_settings import drop_worker_settings
from mmforecast.utils.progress import progress_bar
from mmforecast.utils.removed_configs import require_config
from mmforecast.utils.source_configs import source_configs

SCOPE = 'mmforecast'


def load_config(path: str, options: dict | None = None) -> Config:
    """Read a config file and merge dotted ``options`` into it, as ``--cfg-options`` does."""
    require_config(path)
    cfg = Config.fromfile(path)
    if options:
        merge_options(cfg, options)
    return cfg


def set_horizon(cfg: Config, steps: int) -> None:
    """Make the test clips and the model of ``cfg`` forecast ``steps`` steps; in place."""
    cfg.model.setdefault('test_cfg', {})
    cfg.model.test_cfg.rollout_steps = steps
    for source in source_configs(cfg.test_dataloader.dataset):
        source.num_future = steps


def with_horizon(cfg: Config, steps: int) -> Config:
    """A copy of ``cfg`` that :func:`set_horizon` has changed."""
    cfg = copy.deepcopy(cfg)  # Config.copy() shares the parts
    set_horizon(cfg, steps)
    return cfg


def build_forecaster(
    cfg: Config,
    checkpoint: str | None = None,
    changes: dict | None = None,
    device: str | None = None,
) -> BaseForecaster:
    """The forecaster of a config, in eval mode.

    Args:
        cfg: A whole config; only ``model`` is read.
        checkpoint: Path of its weights; those of a frozen part may be missing.
        changes: Keys put in place of those of the config's model, e.g.
            ``dict(predictor=dict(type='CopyLast'))``, as in :func:`replace_parts`.
        device: Of the model; by default a GPU if there is one.
    """
    model_cfg = cfg.model.to_dict()
    if changes is not None:
        model_cfg = replace_parts(model_cfg, changes)
    return build_model(model_cfg, checkpoint, device)


# What only training uses, or only the predictor that a baseline replaces.
_TRAINED_KEYS = (
    'variant',
    'score_scale',
    *(
        name
        for name, parameter in inspect.signature(AdversarialForecaster).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ),
)

# What is learned or measured of features, which a baseline leaves as they are.
_LEARNED_OF_ENCODERS = ('frozen', 'standardize', 'num_components', 'statistics')


def replace_parts(model_cfg: dict, changes: dict) -> dict:
    """The config of a forecaster with the parts of a baseline in place of its own.

    A baseline acts on the plain representation, whatever variant the config trains, and has nothing to
    train or to measure: the encoder is frozen and standardizes nothing, and a discriminator is left out.

    Args:
        model_cfg: Config of a forecaster.
        changes: Keys put in place of its own, an entry of ``<Forecaster>.baselines``.
    """
    kept = {key: value for key, value in model_cfg.items() if key not in _TRAINED_KEYS}
    if 'encoder' in kept:
        kept['encoder'] = {k: v for k, v in kept['encoder'].items() if k not in _LEARNED_OF_ENCODERS}
    return {**kept, **changes, 'train_cfg': None}


def build_model(model_cfg: dict, checkpoint: str | None = None, device: str | None = None) -> nn.Module:
    """The model of ``model_cfg`` in eval mode; weights and device as for a forecaster."""
    with DefaultScope.overwrite_default_scope(SCOPE):
        model = MODELS.build(model_cfg)
        if checkpoint is not None:
            _load_weights(model, checkpoint)
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    return model.to(device).eval()


def _load_weights(model: nn.Module, path: str) -> None:
    """All that training changes must be in the checkpoint; frozen parts may come from the config."""
    checkpoint = load_checkpoint(path, map_location='cpu')
    match = require_match(model, checkpoint, min_matched=1.0)
    if match.unexpected:
        raise CheckpointError(f'{path} is of another model: {match}; take the config it is of')
    # torch's own: mmengine's prints the names of all frozen weights that aren't in it.
    model.load_state_dict(checkpoint.get('state_dict', checkpoint), strict=False)


def build_loader(cfg: Config) -> DataLoader:
    """The test data loader of a config."""
    # A pool of OpenCV threads doesn't survive the fork of the loader's workers, which may then hang.
    cv2.setNumThreads(0)
    with DefaultScope.overwrite_default_scope(SCOPE):
        return Runner.build_dataloader(drop_worker_settings(cfg.test_dataloader.to_dict()), seed=0)


def evaluate(
    model: BaseForecaster,
    loader: DataLoader,
    evaluator: dict,
    title: str = 'test',
    on_sample: Callable[[ForecastDataSample, torch.Tensor], None] | None = None,
) -> dict[str, float]:
    """Forecast every clip of a loader and score it.

    Args:
        evaluator: Config of the metric, or a list of them.
        title: Of the progress bar.
        on_sample: Called with every sample that has its forecast, and its clip (T, 3, H, W) uint8.

    Returns:
        Metrics by name.
    """
    with DefaultScope.overwrite_default_scope(SCOPE):
        judge = Evaluator(evaluator)
    judge.dataset_meta = loader.dataset.metainfo
    for batch in progress_bar(loader, desc=title):
        clips = batch['inputs']
        with torch.no_grad():
            samples = model.test_step(batch)
        judge.process(data_samples=samples, data_batch=batch)
        for sample, clip in zip(samples, clips):
            if on_sample is not None:
                on_sample(sample, clip)
    return judge.evaluate(len(loader.dataset))
