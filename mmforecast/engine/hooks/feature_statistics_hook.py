"""The statistics of standardized features, measured before training."""

from collections.abc import Iterator

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

from mmforecast.models.utils import Pyramid
from mmforecast.registry import HOOKS
from mmforecast.utils.checks import check_positive
from mmforecast.utils.seeded import seeded
from mmforecast.utils.unwrap import unwrap

__all__ = ['FeatureStatisticsHook']


@HOOKS.register_module()
class FeatureStatisticsHook(Hook):
    """Measures the features' mean and deviation for an encoder that standardizes them.

    Before the first iteration, on clips spread evenly over the training data, all their frames; every process
    measures the same clips. Where the encoder has its statistics, from a checkpoint, it measures nothing.

    Args:
        num_clips: Clips to measure; all where there are fewer.
    """

    def __init__(self, num_clips: int = 32):
        check_positive('FeatureStatisticsHook', num_clips=num_clips)
        self.num_clips = num_clips

    @torch.no_grad()
    def before_train(self, runner: Runner) -> None:
        """Measure, where the encoder has no statistics.

        Raises:
            ValueError: The encoder standardizes nothing.
        """
        model = unwrap(runner.model)
        encoder = getattr(model, 'encoder', None)
        if not getattr(encoder, 'standardize', False):
            raise ValueError(
                f'FeatureStatisticsHook measures for an encoder that standardizes features, which '
                f'{type(encoder).__name__} does not; set standardize=True of a SegmentorFeatureEncoder or a '
                'DetectorEncoder, or drop the hook'
            )
        if not encoder.needs_statistics:
            return
        dataset = runner.train_dataloader.dataset
        count = min(self.num_clips, len(dataset))
        runner.logger.info(f'Measuring the statistics of the features on {count} training clips')
        indices = np.linspace(0, len(dataset) - 1, count).round()
        encoder.measure(_encode(model, dataset, indices))


def _encode(model: BaseModel, dataset, indices: np.ndarray) -> Iterator[Pyramid]:
    """Features of training clips; what their pipeline draws at random changes nothing that is drawn later."""
    drawn = np.random.get_state()
    for index in indices:
        with seeded(0):
            np.random.seed(int(index))
            batch = model.data_preprocessor(pseudo_collate([dataset[int(index)]]))
        yield model.encoder.encode_raw(batch['inputs'], batch['data_samples'])
    np.random.set_state(drawn)
