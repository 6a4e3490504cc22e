"""The hook that measures the statistics of standardized features."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from mmforecast.engine import FeatureStatisticsHook
from mmforecast.models.data_preprocessors import ForecastDataPreprocessor
from mmforecast.models.encoders import BaseEncoder
from mmforecast.models.utils.standardization import ChannelStandardizer, channel_sums, measure
from mmforecast.structures import ForecastDataSample


class Clips(Dataset):
    """Random clips of 2 frames, whose pipeline draws numbers."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        np.random.random(), torch.rand(1)
        frames = torch.randint(0, 256, (2, 3, 8, 8), generator=torch.Generator().manual_seed(index))
        return dict(inputs=frames.to(torch.uint8), data_samples=ForecastDataSample())


class Frames(BaseEncoder):
    """The frames as they are, as one level."""

    channels = 3
    from_rgb = True

    def encode(self, frames, samples):
        return [frames]


class Standardizing(Frames):
    """The frames, standardized."""

    standardize = True

    def __init__(self):
        super().__init__()
        self.standardizers = torch.nn.ModuleList([ChannelStandardizer(3)])

    needs_statistics = property(lambda self: not self.standardizers[0].is_measured)

    def measure(self, pyramids):
        measure(self.standardizers, pyramids)

    def encode_raw(self, frames, samples):
        return [frames]

    def encode(self, frames, samples):
        return [self.standardizers[0](frames)]


def runner_of(encoder):
    return SimpleNamespace(
        model=SimpleNamespace(data_preprocessor=ForecastDataPreprocessor(), encoder=encoder),
        logger=logging.getLogger('test'),
        train_dataloader=SimpleNamespace(dataset=Clips()),
    )


def statistics(indices):
    clips, expected = Clips(), ChannelStandardizer(3)
    expected.set_statistics(sum(channel_sums(clips[index]['inputs'].float()) for index in indices))
    return expected


@pytest.mark.parametrize('num_clips, indices', [(4, (0, 3, 6, 9)), (100, range(10))])
def test_measures_clips_spread_over_the_training_data_and_draws_nothing(num_clips, indices):
    encoder = Standardizing()
    np.random.seed(3)
    torch.manual_seed(3)
    FeatureStatisticsHook(num_clips).before_train(runner_of(encoder))
    drawn = np.random.random(), torch.rand(1)
    np.random.seed(3)
    torch.manual_seed(3)
    assert drawn == (np.random.random(), torch.rand(1))
    expected = statistics(indices)
    torch.testing.assert_close(encoder.standardizers[0].mean, expected.mean)
    torch.testing.assert_close(encoder.standardizers[0].std, expected.std)


def test_keeps_what_a_checkpoint_brought():
    encoder = Standardizing()
    FeatureStatisticsHook(1).before_train(runner_of(encoder))
    before = encoder.standardizers[0].mean.clone()
    FeatureStatisticsHook(10).before_train(runner_of(encoder))
    assert torch.equal(encoder.standardizers[0].mean, before)


def test_an_encoder_that_standardizes_nothing_is_refused():
    with pytest.raises(
        ValueError, match='set standardize=True of a SegmentorFeatureEncoder or a .*, or drop the hook'
    ):
        FeatureStatisticsHook().before_train(runner_of(Frames()))
