"""The statistics of standardized features."""

import pytest
import torch

from mmforecast.models.utils.standardization import ChannelStandardizer, channel_sums


def test_statistics_are_those_of_all_values_of_a_channel():
    maps = [torch.randn(2, 3, 4, 5, 6) * 7 + 100, torch.randn(1, 2, 4, 3, 3)]
    standardizer = ChannelStandardizer(4)
    assert not standardizer.is_measured
    standardizer.set_statistics(sum(channel_sums(part) for part in maps))
    values = torch.cat([part.movedim(-3, 0).flatten(1) for part in maps], dim=1)
    torch.testing.assert_close(standardizer.mean, values.mean(1), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(standardizer.std, values.std(1, unbiased=False), rtol=1e-5, atol=1e-5)
    assert standardizer.is_measured
    torch.testing.assert_close(standardizer.undo(standardizer(maps[0])), maps[0], rtol=1e-5, atol=1e-4)


def test_a_dead_channel_is_not_blown_up():
    maps = torch.randn(1, 2, 3, 8, 8)
    maps[:, :, 1] = 5.0
    standardizer = ChannelStandardizer(3)
    standardizer.set_statistics(channel_sums(maps))
    assert float(standardizer.std[1]) == pytest.approx(1e-3 * float(standardizer.std.max()))
    assert not standardizer(maps)[:, :, 1].any()


def test_what_has_no_statistics_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match='no maps to measure'):
        ChannelStandardizer(3).set_statistics(torch.zeros(3, 3))
    with pytest.raises(ValueError, match='all maps hold the same values'):
        ChannelStandardizer(3).set_statistics(channel_sums(torch.ones(1, 3, 2, 2)))
    with pytest.raises(ValueError, match="custom_hooks=.dict.type='FeatureStatisticsHook'"):
        ChannelStandardizer(3)(torch.ones(1, 1, 3, 2, 2))
