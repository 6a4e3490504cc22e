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
from mmforecast.registry import MODELS
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


def runner_of(predictor):
    encoder = Frames()
    model = SimpleNamespace(
        data_preprocessor=ForecastDataPreprocessor(), encode=encoder.encode, predictor=predictor
    )
    return SimpleNamespace(
        model=model,
        logger=logging.getLogger('test'),
        train_dataloader=SimpleNamespace(dataset=Clips()),
    )


def predictor(**kwargs):
    config = dict(type='F2FPredictor', channels=3, num_levels=1, num_scales=(1,), num_past=1, size_factor=1)
    return MODELS.build({**config, **kwargs})


def statistics(indices):
    clips, expected = Clips(), ChannelStandardizer(3)
    expected.set_statistics(sum(channel_sums(clips[index]['inputs'].float()) for index in indices))
    return expected


@pytest.mark.parametrize('num_clips, indices', [(4, (0, 3, 6, 9)), (100, range(10))])
def test_measures_clips_spread_over_the_training_data_and_draws_nothing(num_clips, indices):
    net = predictor(standardize=True)
    np.random.seed(3)
    torch.manual_seed(3)
    FeatureStatisticsHook(num_clips).before_train(runner_of(net))
    drawn = np.random.random(), torch.rand(1)
    np.random.seed(3)
    torch.manual_seed(3)
    assert drawn == (np.random.random(), torch.rand(1))
    expected = statistics(indices)
    torch.testing.assert_close(net.nets[0].standardizer.mean, expected.mean)
    torch.testing.assert_close(net.nets[0].standardizer.std, expected.std)


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


def test_measures_an_encoder_on_what_it_standardizes_and_then_the_predictor_on_its_output():
    encoder, net = Standardizing(), predictor(standardize=True)
    runner = runner_of(net)
    runner.model.encoder, runner.model.encode = encoder, encoder.encode
    FeatureStatisticsHook(4).before_train(runner)
    expected = statistics((0, 3, 6, 9))
    torch.testing.assert_close(encoder.standardizers[0].mean, expected.mean)
    torch.testing.assert_close(encoder.standardizers[0].std, expected.std)
    torch.testing.assert_close(net.nets[0].standardizer.mean, torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(net.nets[0].standardizer.std, torch.ones(3), atol=1e-4, rtol=0)


def test_keeps_what_a_checkpoint_brought():
    net = predictor(standardize=True)
    FeatureStatisticsHook(1).before_train(runner_of(net))
    before = net.nets[0].standardizer.mean.clone()
    FeatureStatisticsHook(10).before_train(runner_of(net))
    assert torch.equal(net.nets[0].standardizer.mean, before)


@pytest.mark.parametrize('other', [predictor(), MODELS.build(dict(type='CopyLast'))])
def test_a_predictor_that_standardizes_nothing_is_refused(other):
    with pytest.raises(
        ValueError, match='set standardize=True of a SegmentorFeatureEncoder, a .*, or drop the hook'
    ):
        FeatureStatisticsHook().before_train(runner_of(other))
