"""The statistics, and principal components, of an encoder's features, measured ahead of training."""

import copy

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor

from mmforecast.engine.hooks.feature_statistics_hook import clip_features
from mmforecast.registry import DATASETS
from mmforecast.utils.checks import check_positive

from .evaluate import SCOPE, build_forecaster

__all__ = ['measure_features']


@torch.no_grad()
def measure_features(cfg: Config, num_clips: int, device: str | None = None) -> dict[str, Tensor]:
    """Measure what the encoder of a config standardizes its features by.

    Args:
        cfg: The whole config of a forecaster; its training clips are measured.
        num_clips: Clips, spread evenly over the training data; all where there are fewer.
        device: Of the model; by default a GPU if there is one.

    Returns:
        The state of the encoder's standardizers, as ``statistics`` of ``ViTFeatureEncoder`` reads it.

    Raises:
        ValueError: The encoder standardizes nothing.
    """
    check_positive('measure_features', num_clips=num_clips)
    cfg = copy.deepcopy(cfg)
    if cfg.model.encoder.get('statistics') is not None:
        cfg.model.encoder.statistics = None  # measured anew
    model = build_forecaster(cfg, device=device)
    encoder = model.encoder
    if not getattr(encoder, 'standardize', False):
        raise ValueError(
            f'{type(encoder).__name__} standardizes no features, so there is nothing to measure; set '
            'standardize=True of it'
        )
    with DefaultScope.overwrite_default_scope(SCOPE):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
    encoder.measure(clip_features(model, dataset, min(num_clips, len(dataset))))
    return {name: value.cpu() for name, value in encoder.standardizers.state_dict().items()}
