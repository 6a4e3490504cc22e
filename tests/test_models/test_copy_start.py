"""Networks whose weights start as the copy-last baseline."""

import pytest
import torch

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.conv_stack import conv_stack
from mmforecast.models.predictors.copy_start import start_as_linear_map
from mmforecast.registry import MODELS

# The papers' networks at their own widths where these are quick to build, else at the least that can copy.
NETWORKS = {
    's2s, two scales': dict(type='MultiScalePredictor', channels=19),
    's2s, two scales, quarter width': dict(
        type='MultiScalePredictor', channels=19, widths=((32, 64, 32), (32, 64, 32)), init_bound=1.0
    ),
    's2s, batch': dict(type='MultiScalePredictor', channels=19, num_outputs=3),
    's2s, three scales': dict(
        type='MultiScalePredictor', channels=3, widths=((6,), (6,), (6,)), kernels=((3, 3),) * 3
    ),
    's2s, dilated': dict(
        type='MultiScalePredictor',
        channels=19,
        widths=((128, 128, 128, 64, 64, 64),),
        kernels=((1, 3, 3, 3, 3, 3, 7),),
        dilations=((1, 2, 2, 4, 4, 2, 1),),
    ),
    'd2d': dict(type='D2DPredictor', channels=9),
    'd2d, narrow': dict(type='D2DPredictor', channels=9, widths=(16, 9, 9, 9), init_bound=1.0),
    'f2f, pairs': dict(type='F2FPredictor', channels=16, num_levels=3, size_factor=1),
    'f2f, shifted': dict(type='F2FPredictor', channels=32, num_levels=2, size_factor=1, init_bound=1.0),
    'f2f, shared': dict(
        type='F2FPredictor',
        channels=16,
        num_levels=2,
        num_scales=(2, 2),
        share_weights=True,
        size_factor=1,
    ),
}
EVERY = pytest.mark.parametrize('name', NETWORKS)


def built(name, **kwargs):
    predictor = MODELS.build({**NETWORKS[name], 'init': 'copy', **kwargs})
    predictor.init_weights()
    return predictor


def window(predictor, side=16):
    """A window of maps in [-1, 1] for every level, with the bounds themselves among the values."""
    levels = getattr(predictor, 'num_levels', 1)
    torch.manual_seed(0)
    maps = [torch.rand(2, 4, predictor.channels, side >> k, 2 * side >> k) * 2 - 1 for k in range(levels)]
    for level in maps:
        level[:, -1, :, 0], level[:, -1, :, 1] = -1, 1
    return maps


@EVERY
def test_the_untrained_network_returns_the_newest_map_and_so_does_its_roll_out(name):
    predictor = built(name)
    past = window(predictor)
    context = ForecastContext(frames=torch.empty(2, 4, 3, 0, 0), samples=[])
    with torch.no_grad():
        once = predictor(past, context)
        again = predictor([torch.cat((old, new), 1)[:, -4:] for old, new in zip(past, once)], context)
    for given, first, second in zip(past, once, again):
        want = given[:, -1:].expand_as(first)
        torch.testing.assert_close(first, want, atol=1e-5, rtol=0)
        torch.testing.assert_close(second, want, atol=1e-5, rtol=0)


@EVERY
def test_the_function_class_is_the_same_and_without_it_nothing_changes(name):
    config = {key: value for key, value in NETWORKS[name].items() if key != 'init_bound'}
    torch.manual_seed(0)
    plain = MODELS.build(config)
    copy = built(name)
    shapes = [{key: value.shape for key, value in net.state_dict().items()} for net in (plain, copy)]
    assert shapes[0] == shapes[1]
    with torch.no_grad():
        context = ForecastContext(frames=torch.empty(2, 4, 3, 0, 0), samples=[])
        (first, *_) = plain(window(plain), context)
    assert not torch.allclose(first[:, 0], window(plain)[0][:, -1], atol=0.1)


@EVERY
def test_free_channels_learn_from_the_first_step_on(name):
    """Gradients reach the last layer's weights of free channels at once, the first layer's after a step."""
    predictor = built(name, losses=dict(l1=dict(type='mmdet.L1Loss')))
    past = window(predictor)
    target = [torch.randn(level[:, :1].shape).expand(-1, predictor.num_outputs, -1, -1, -1) for level in past]
    context = ForecastContext(frames=torch.empty(2, 4, 3, 0, 0), samples=[])
    before = {key: value.clone() for key, value in predictor.named_parameters()}
    optimizer = torch.optim.SGD(predictor.parameters(), lr=0.1)
    for _ in range(2):
        losses, _ = predictor.loss_and_predict(past, target, context)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert all(not torch.equal(value, before[key]) for key, value in predictor.named_parameters())


def test_a_coarse_to_fine_copy_is_one_at_every_scale():
    predictor = built('s2s, three scales')
    past = window(predictor)
    guesses = predictor.predict_scales(past)
    for halvings, guess in zip((2, 1, 0), guesses):
        want = torch.nn.functional.avg_pool2d(past[0][:, -1], 2**halvings)
        torch.testing.assert_close(guess, want, atol=1e-5, rtol=0)


def test_unbounded_maps_pass_in_pairs_and_are_cut_off_by_a_bound():
    stack = conv_stack(2, (4, 4), (3, 3, 3), 2)
    maps = torch.full((1, 2, 3, 3), -7.0)
    start_as_linear_map('test', stack, torch.eye(2))
    torch.testing.assert_close(stack(maps), maps)
    start_as_linear_map('test', stack, torch.eye(2), bound=5.0)
    torch.testing.assert_close(stack(maps), torch.full_like(maps, -5.0))
    torch.testing.assert_close(stack(-maps), -maps)


def test_a_linear_map_and_its_repetition():
    stack = conv_stack(3, (6,), (3, 3), 4)
    matrix = torch.tensor([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]])
    start_as_linear_map('test', stack, matrix, copies=2)
    maps = torch.randn(1, 3, 5, 5)
    want = torch.einsum('ij,bjhw->bihw', matrix, maps)
    torch.testing.assert_close(stack(maps), want.repeat(1, 2, 1, 1))


@pytest.mark.parametrize(
    'config, message',
    [
        (dict(type='MultiScalePredictor', channels=3, init='paste'), 'init must be one of'),
        (dict(type='MultiScalePredictor', channels=3, init='copy', base='last'), 'starts as copy-last anyway'),
        (dict(type='MultiScalePredictor', channels=3, init='copy', out_act='tanh'), 'out_act be None'),
        (dict(type='MultiScalePredictor', channels=22, out_channels=19, init='copy'), 'must equal channels'),
        (dict(type='MultiScalePredictor', channels=3, init_bound=1.0), 'init_bound is of init'),
        (dict(type='MultiScalePredictor', channels=3, init='copy', init_bound=0), 'must be above 0'),
        (
            dict(type='MultiScalePredictor', channels=19, init='copy', widths=((32, 32, 32),) * 2),
            '38 channels of every hidden layer, but the narrowest has 32; set init_bound',
        ),
        (
            dict(type='F2FPredictor', channels=64, size_factor=1, init='copy', init_bound=1.0),
            '64 channels of every hidden layer, but the narrowest has 32; widen it',
        ),
        (dict(type='D2DPredictor', channels=9, init='copy', residual=True), 'drop init'),
    ],
)
def test_what_cannot_start_as_a_copy_is_refused_in_a_sentence(config, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config)
