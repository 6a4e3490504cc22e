"""Standardized features: the statistics, and F2F's network on them."""

import copy

import pytest
import torch

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils.standardization import ChannelStandardizer, channel_sums
from mmforecast.registry import MODELS

CONFIG = dict(
    type='F2FPredictor',
    channels=4,
    num_levels=2,
    num_past=3,
    num_scales=(2, 1),
    size_factor=1,
    losses=dict(mse=dict(type='mmdet.MSELoss')),
)
CONTEXT = ForecastContext(frames=torch.empty(2, 3, 3, 0, 0), samples=[])


def pyramid(steps=3, seed=0):
    """Two levels whose channels differ in mean and deviation."""
    draw = torch.Generator().manual_seed(seed)
    scale, shift = torch.tensor([1.0, 10.0, 0.1, 5.0])[:, None, None], torch.arange(4.0)[:, None, None]
    sides = (8, 4)
    return [
        (level + 1) * (scale * torch.randn((2, steps, 4, side, 2 * side), generator=draw) + 3 * shift)
        for level, side in enumerate(sides)
    ]


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
    predictor = MODELS.build(dict(CONFIG, standardize=True))
    with pytest.raises(ValueError, match="custom_hooks=.dict.type='FeatureStatisticsHook'"):
        predictor(pyramid(), CONTEXT)


@pytest.mark.parametrize('shared', [False, True])
def test_the_network_works_on_standardized_features_and_is_scored_there(shared):
    scales = dict(num_scales=(2, 2), share_weights=True) if shared else {}
    plain = MODELS.build(dict(CONFIG, **scales))
    predictor = MODELS.build(dict(CONFIG, standardize=True, **scales))
    predictor.load_state_dict(plain.state_dict(), strict=False)
    assert predictor.needs_statistics
    predictor.measure([pyramid(seed=seed) for seed in range(5)])
    assert not predictor.needs_statistics
    past, target = pyramid(seed=9), pyramid(steps=1, seed=10)

    nets = list(predictor.nets) * (2 if shared else 1)
    inputs = [net.standardizer(level) for net, level in zip(nets, past)]
    truths = [net.standardizer(level) for net, level in zip(nets, target)]
    assert not shared or abs(float(inputs[0].std()) - 1) < 1  # one set for both levels
    if not shared:
        for level in inputs:
            assert float(level.mean()) == pytest.approx(0, abs=0.1)
            assert float(level.std()) == pytest.approx(1, abs=0.1)
    want_losses, want = plain.loss_and_predict(inputs, truths, CONTEXT)
    losses, future = predictor.loss_and_predict(past, target, CONTEXT)
    assert losses.keys() == want_losses.keys()
    for name, value in losses.items():
        torch.testing.assert_close(value, want_losses[name])
    for net, ours, theirs in zip(nets, future, want):
        torch.testing.assert_close(ours, net.standardizer.undo(theirs))
    for ours, again in zip(future, predictor(past, CONTEXT)):
        torch.testing.assert_close(ours, again)


def test_checkpoints_hold_the_statistics():
    predictor = MODELS.build(dict(CONFIG, standardize=True))
    predictor.measure([pyramid()])
    other = MODELS.build(dict(CONFIG, standardize=True))
    other.load_state_dict(copy.deepcopy(predictor.state_dict()))
    assert not other.needs_statistics
    for ours, theirs in zip(predictor(pyramid(), CONTEXT), other(pyramid(), CONTEXT)):
        assert torch.equal(ours, theirs)
    assert not [key for key in MODELS.build(CONFIG).state_dict() if 'standardizer' in key]


def test_a_standardized_copy_is_one_of_the_features_themselves():
    predictor = MODELS.build(dict(CONFIG, standardize=True, init='copy', init_bound=8.0))
    predictor.measure([pyramid()])
    for given, forecast in zip(pyramid(), predictor(pyramid(), CONTEXT)):
        torch.testing.assert_close(forecast, given[:, -1:], rtol=1e-5, atol=1e-4)


def test_a_coarsest_scale_is_taken_from_a_level_with_statistics(tmp_path):
    stage = MODELS.build(dict(CONFIG, num_levels=1, num_scales=(1,), standardize=True))
    stage.measure([pyramid()[:1]])
    path = tmp_path / 'stage.pth'
    torch.save(dict(state_dict={f'predictor.{key}': value for key, value in stage.state_dict().items()}), path)
    predictor = MODELS.build(dict(CONFIG, standardize=True, coarsest_from=str(path)))
    predictor.init_weights()
    for net in predictor.nets:
        assert torch.equal(net.scales[-1][0].conv.weight, stage.nets[0].scales[0][0].conv.weight)
    assert predictor.needs_statistics  # each level's are its own
