"""F2MF and DeformF2F: sizes, hand cases and invariances."""

import pytest
import torch
from torch import nn

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.deformable import DeformableConv
from mmforecast.models.predictors.f2mf_network import F2MFNetwork
from mmforecast.models.utils import backward_warp
from mmforecast.models.utils.cost_volume import cost_volume
from mmforecast.registry import MODELS

CONTEXT = ForecastContext(frames=None, samples=[])
TINY = dict(radius=2, embedding=16, shared_widths=(32,) * 3)
LOSSES = dict(mse=dict(type='mmdet.MSELoss'))


def build(name, **kwargs):
    return MODELS.build(dict(type=name, **kwargs))


def size(network):
    return sum(weight.numel() for weight in network.parameters())


def small(**kwargs):
    torch.manual_seed(0)
    return F2MFNetwork(3, 4, **{**dict(radius=1, embedding=4, shared_widths=(6,)), **kwargs}).eval()


def set_head(unit, *values):
    """Make a head give these constants."""
    with torch.no_grad():
        unit[-1].weight.zero_()
        unit[-1].bias.copy_(torch.tensor(values))


@pytest.fixture
def window():
    return torch.randn(2, 4, 3, 6, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    'name, config, expected',
    [
        ('F2MFPredictor', dict(channels=128), 4_742_749),
        ('F2MFPredictor', dict(channels=16, **TINY), 98_023),
        ('F2MFPredictor', dict(channels=16, num_levels=2, **TINY), 2 * 98_023),
        ('DeformF2FPredictor', dict(channels=128), 1_247_872),
        ('DeformF2FPredictor', dict(channels=128, num_layers=5), 742_090),
        ('DeformF2FPredictor', dict(channels=128, layout='convs'), 1_394_888),
        ('DeformF2FPredictor', dict(channels=128, layout='convs', deformable=False), 1_311_872),
    ],
)
def test_sizes(name, config, expected):
    assert size(build(name, **config)) == expected


def test_sizes_of_the_parts_at_the_papers_size():
    net = F2MFNetwork(128, 4)
    parts = dict(
        embedding=147_712, fusion=67_714, shared=4_076_312, motion=60_442, regression=337_042, weights=53_527
    )
    assert {name: size(getattr(net, name)) for name in parts} == parts


def test_cost_volume_of_equal_maps_is_one_in_the_center():
    maps = nn.functional.normalize(torch.randn(1, 16, 9, 12), dim=1)
    costs = cost_volume(maps, maps, radius=4)
    assert costs.shape == (1, 81, 9, 12)
    torch.testing.assert_close(costs[:, 40], torch.ones(1, 9, 12))
    assert costs.max() <= 1 + 1e-6


@pytest.mark.parametrize('spacing', [1, 2])
def test_cost_volume_finds_a_move_to_the_right(spacing):
    maps = nn.functional.normalize(torch.randn(1, 16, 9, 24), dim=1)
    shift = 2 * spacing
    moved = torch.zeros_like(maps)
    moved[..., shift:] = maps[..., :-shift]
    best = cost_volume(maps, moved, 4, spacing).argmax(dim=1)
    assert (best[..., :-shift] == 42).all()  # dy = 0, dx = +2


def test_cost_volume_is_zero_outside_the_map():
    ones = torch.ones(1, 2, 3, 4)
    costs = cost_volume(ones, ones, radius=1)
    assert (costs[0, 0, 0] == 0).all() and (costs[0, 0, :, 0] == 0).all()  # up and left
    assert (costs[0, 0, 1:, 1:] == 2).all()


@pytest.mark.parametrize('dilation, shape', [(1, (7, 9)), (2, (7, 9)), (1, (2, 4)), (1, (1, 1))])
def test_a_deformable_convolution_starts_as_the_plain_one(dilation, shape):
    conv = DeformableConv(3, 4, 3, dilation)
    nn.init.normal_(conv.bias)
    plain = DeformableConv(3, 4, 3, dilation, deformable=False)
    plain.load_state_dict({k: v for k, v in conv.state_dict().items() if not k.startswith('offset')})
    maps = torch.randn(3, 3, *shape)
    torch.testing.assert_close(conv(maps), plain(maps))


def test_an_offset_moves_the_samples():
    conv = DeformableConv(1, 1, 1)
    with torch.no_grad():
        conv.weight.fill_(1)
        conv.offset.bias.copy_(torch.tensor([0.0, 1.0]))  # (dy, dx)
    maps = torch.randn(1, 1, 4, 5)
    out = conv(maps)
    torch.testing.assert_close(out[..., :-1], maps[..., 1:])


def test_all_weight_on_the_newest_map_without_motion_copies_it(window):
    net = small()
    set_head(net.motion, *[0.0] * 8)
    set_head(net.weights, 0, 0, 0, 0, 1e4)
    torch.testing.assert_close(net(window).forecast, window[:, -1])


def test_all_weight_on_the_regression_returns_it(window):
    net = small()
    set_head(net.weights, 1e4, 0, 0, 0, 0)
    out = net(window)
    assert torch.equal(out.forecast, out.regression)


@pytest.mark.parametrize('direction, sign', [('backward', -1.0), ('forward', 1.0)])
def test_a_constant_flow_moves_the_map_and_leaves_zeros(window, direction, sign):
    net = small(direction=direction)
    set_head(net.motion, *[sign * 2, sign * 1] * 4)  # (dx, dy)
    moved = net.warp(window, net(window).flows)
    expected = torch.zeros_like(window)
    expected[..., 1:, 2:] = window[..., :-1, :-2]
    torch.testing.assert_close(moved, expected)


def test_the_border_may_be_repeated(window):
    net = small(outside='border')
    set_head(net.motion, *[-2.0, 0.0] * 4)
    moved = net.warp(window, net(window).flows)
    torch.testing.assert_close(moved[..., :2], window[..., :1].expand(-1, -1, -1, -1, 2))
    flow = torch.tensor([-2.0, 0.0]).view(1, 2, 1, 1).expand(2, -1, 6, 8)
    assert backward_warp(window[:, 0], flow, 'zeros')[..., :2].abs().max() < 1e-6


def test_weights_sum_to_one_and_the_motion_part_ignores_the_regressions(window):
    net = small()
    before = net(window)
    torch.testing.assert_close(before.weights.sum(dim=1), torch.ones(2, 6, 8))
    with torch.no_grad():
        net.weights[-1].bias[0] += 3
    after = net(window)
    torch.testing.assert_close(after.motion, before.motion)
    assert not torch.allclose(after.forecast, before.forecast)
    blend = after.weights[:, :1] * after.regression + (1 - after.weights[:, :1]) * after.motion
    torch.testing.assert_close(after.forecast, blend)


def test_clips_of_a_batch_are_independent_and_maps_of_any_size(window):
    net = small()
    torch.testing.assert_close(net(window.flip(0)).forecast, net(window).forecast.flip(0))
    assert net(torch.randn(1, 4, 3, 5, 11)).forecast.shape == (1, 3, 5, 11)


@pytest.mark.parametrize('name', ['F2MFPredictor', 'DeformF2FPredictor'])
def test_another_window_is_refused(name):
    predictor = build(name, channels=4)
    with pytest.raises(ValueError, match='num_past=4 maps of 4 channels, but got 3 maps of 4'):
        predictor([torch.zeros(1, 3, 4, 8, 8)], CONTEXT)


@pytest.mark.parametrize('variant, parts', [('F2MF', 'f2f f2m'), ('F2M', ''), ('F2F', '')])
def test_variants_and_their_losses(window, variant, parts):
    predictor = build('F2MFPredictor', channels=3, variant=variant, losses=LOSSES, **TINY)
    target = torch.randn(2, 1, 3, 6, 8)
    terms, (future,) = predictor.loss_and_predict([window], [target], CONTEXT)
    assert sorted(terms) == sorted(['loss_mse', *(f'loss_mse_{part}' for part in parts.split())])
    (out,) = predictor.outputs([window])
    torch.testing.assert_close(terms['loss_mse'], ((out.forecast - target[:, 0]) ** 2).mean())
    if parts:
        torch.testing.assert_close(terms['loss_mse_f2m'], ((out.motion - target[:, 0]) ** 2).mean())
        torch.testing.assert_close(terms['loss_mse_f2f'], ((out.regression - target[:, 0]) ** 2).mean())
    sum(terms.values()).backward()
    assert all(weight.grad is not None for weight in predictor.parameters())


def test_every_level_has_a_network(window):
    predictor = build('F2MFPredictor', channels=3, num_levels=2, losses=LOSSES, **TINY).eval()
    past = [window, window[..., ::2, ::2]]
    out = predictor(past, CONTEXT)
    assert [tuple(maps.shape) for maps in out] == [(2, 1, 3, 6, 8), (2, 1, 3, 3, 4)]
    alone = predictor.nets[1](past[1]).forecast
    torch.testing.assert_close(out[1][:, 0], alone)
    terms, _ = predictor.loss_and_predict(past, out, CONTEXT)
    assert {'loss_mse_l0', 'loss_mse_l1_f2m'} <= set(terms)


def test_a_start_near_the_newest_map(window):
    net = small(init='copy', shared_widths=(6, 6))
    out = net(window)
    assert not out.flows.any()
    torch.testing.assert_close(out.weights[:, -1], torch.full((2, 6, 8), 0.97376), atol=1e-4, rtol=0)


def test_initialization_leaves_convolutions_plain():
    predictor = build('F2MFPredictor', channels=3, init_cfg=dict(type='Normal', layer='Conv2d'), **TINY)
    predictor.init_weights()
    offsets = [m.offset for m in predictor.modules() if isinstance(m, DeformableConv)]
    assert offsets and not any(offset.weight.any() or offset.bias.any() for offset in offsets)


@pytest.mark.parametrize(
    'config, message',
    [
        (dict(variant='M2M'), "variant must be one of 'F2MF', 'F2M', 'F2F'"),
        (dict(direction='sideways'), "direction must be one of 'backward', 'forward'"),
        (dict(spacing=0), 'spacing must be an integer >= 1'),
        (dict(shared_widths=()), 'shared_widths must not be empty'),
        (dict(num_past=1), 'num_past must be 2 or more'),
        (dict(lead=0), 'lead must be an integer >= 1'),
    ],
)
def test_bad_arguments(config, message):
    with pytest.raises(ValueError, match=message):
        build('F2MFPredictor', channels=2, **config)


def test_dilations_are_of_plain_stacks():
    dilations = (1, 2, 2, 1, 1, 1, 1, 1)
    twin = build('DeformF2FPredictor', channels=4, layout='convs', deformable=False, dilations=dilations)
    assert [layer.dilation for layer in twin.nets[0][::2]] == list(dilations)
    assert twin([torch.randn(1, 4, 4, 9, 9)], CONTEXT)[0].shape == (1, 1, 4, 9, 9)
    with pytest.raises(ValueError, match="dilations are of layout='convs', one for each of its num_layers=8"):
        build('DeformF2FPredictor', channels=4, dilations=dilations)
