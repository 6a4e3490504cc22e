"""The statistics of standardized features, measured before training."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn as nn
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

from mmforecast.models.utils import Pyramid
from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_positive
from mmforecast.utils.seeded import seeded
from mmforecast.utils.unwrap import unwrap

__all__ = ['FeatureStatisticsHook', 'clip_features']


@HOOKS.register_module()
class FeatureStatisticsHook(Hook):
    """Measures the features' mean and deviation for an encoder or a predictor that standardizes them.

    Before the first iteration, on clips spread evenly over the training data, all their frames; every process
    measures the same clips. Where the part has its statistics, from a checkpoint, it measures nothing.

    Args:
        num_clips: Clips to measure; all where there are fewer.
    """

    def __init__(self, num_clips: int = 32):
        check_positive('FeatureStatisticsHook', num_clips=num_clips)
        self.num_clips = num_clips

    @torch.no_grad()
    def before_train(self, runner: Runner) -> None:
        """Measure, where the encoder or the predictor has no statistics.

        Raises:
            ValueError: Neither standardizes anything.
        """
        model = unwrap(runner.model)
        encoder, predictor = getattr(model, 'encoder', None), getattr(model, 'predictor', None)
        parts = [part for part in (encoder, predictor) if getattr(part, 'standardize', False)]
        if not parts:
            raise ValueError(
                f'FeatureStatisticsHook measures for a part that standardizes features, which neither '
                f'{type(encoder).__name__} nor {type(predictor).__name__} does; set standardize=True of a '
                'SegmentorFeatureEncoder, a DetectorEncoder or an F2FPredictor, or drop the hook'
            )
        for part in parts:  # the predictor's features are those that the encoder has standardized
            if part.needs_statistics:
                self._measure(runner, model, part)

    def _measure(self, runner: Runner, model: BaseModel, part: nn.Module) -> None:
        encode = getattr(part, 'encode_raw', model.encode)
        dataset = runner.train_dataloader.dataset
        count = min(self.num_clips, len(dataset))
        runner.logger.info(f'Measuring the statistics of the features on {count} training clips')
        part.measure(clip_features(model, encode, dataset, count))


def clip_features(model: BaseModel, encode: Callable, dataset, count: int) -> Iterator[Pyramid]:
    """Features of ``count`` clips, spread evenly over a dataset.

    What their pipeline draws at random changes nothing that is drawn later.

    Args:
        model: Whose data preprocessor the clips go through.
        encode: Of the batch and its samples.
        dataset: Of clips.
        count: At most as many as there are.
    """
    drawn = np.random.get_state()
    for index in np.linspace(0, len(dataset) - 1, count).round():
        with seeded(0):
            np.random.seed(int(index))
            batch = model.data_preprocessor(pseudo_collate([dataset[int(index)]]))
        yield encode(batch['inputs'], batch['data_samples'])
    np.random.set_state(drawn)
