import math

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from mmforecast.models.predictors import F2FPredictor, ForecastContext
from mmforecast.models.predictors.f2f import F2FLevel, subsample, upsample

MSE = dict(mse=dict(type='mmdet.MSELoss'))
CONTEXT = ForecastContext(frames=torch.zeros(0), samples=[])


def small(**kwargs):
    """Two levels of four channels, three scales and one."""
    defaults = dict(channels=4, num_levels=2, num_past=2, size_factor=1, num_scales=(3, 1))
    return F2FPredictor(**{**defaults, 'losses': MSE, **kwargs})


def window(channels=4, num_past=2, sizes=((12, 20), (6, 10)), batch=2):
    return [torch.randn(batch, num_past, channels, *size) for size in sizes]


def count(module):
    return sum(p.numel() for p in module.parameters())


def pass_on(net, channel):
    """Make output channel 0 of a convolution stack a copy of one (non-negative) input channel."""
    for layer, module in enumerate(net):
        weight, kernel = module.conv.weight.data, module.conv.kernel_size[0]
        weight.zero_()
        module.conv.bias.data.zero_()
        weight[0, channel if layer == 0 else 0, kernel // 2, kernel // 2] = 1


def test_paper_network_has_the_paper_size():
    with torch.device('meta'):
        net = F2FPredictor()
    assert count(net) == 65_158_144
    assert [[count(scale) for scale in level.scales] for level in net.nets] == [
        [10_947_072, 10_947_072, 10_816_000],
        [10_816_000],
        [10_816_000],
        [10_816_000],
    ]


def test_names_of_the_weights():
    names = {name for name, _ in small().named_parameters()}
    assert names == {
        f'nets.{level}.scales.{scale}.{layer}.conv.{kind}'
        for level, scales in ((0, 3), (1, 1))
        for scale in range(scales)
        for layer in range(7)
        for kind in ('weight', 'bias')
    }


def test_layers_are_the_paper_ones():
    (net,) = F2FLevel(channels=4, num_past=3, size_factor=2, num_scales=1).scales
    layers = [module.conv for module in net]
    assert [c.in_channels for c in layers] == [12, 128, 128, 128, 64, 64, 64]
    assert layers[-1].out_channels == 4
    assert [c.kernel_size[0] for c in layers] == [1, 3, 3, 3, 3, 3, 7]
    assert [c.dilation[0] for c in layers] == [1, 2, 2, 4, 4, 2, 1]
    assert [module.with_activation for module in net] == [True] * 6 + [False]
    assert not any(module.with_norm for module in net)


def test_weights_start_as_he_says_and_biases_as_pytorch_draws_them():
    (net,) = F2FLevel(channels=32, num_past=4, size_factor=2, num_scales=1).scales
    for layer in (module.conv for module in net):
        fan_in = layer.weight[0].numel()
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / fan_in), rel=0.03)
        assert layer.weight.mean().abs() < 0.05 * math.sqrt(2 / fan_in)
        assert 0 < layer.bias.abs().max() <= 1 / math.sqrt(fan_in)


@pytest.mark.parametrize('size', [(1, 1), (5, 7), (12, 20), (13, 4)])
def test_keeps_any_resolution_at_every_scale(size):
    level = F2FLevel(channels=4, num_past=2, size_factor=1, num_scales=3)
    shapes = [tuple(maps.shape) for maps in level(torch.randn(2, 8, *size))]
    expected = [size]
    for _ in range(2):
        expected.append(tuple(-(-side // 2) for side in expected[-1]))
    assert shapes == [(2, 4, *sides) for sides in expected]


def test_receptive_field_is_35_cells():
    net = F2FLevel(channels=1, num_past=1, size_factor=1, num_scales=1)
    for p in net.parameters():
        nn.init.constant_(p, 0.01)  # no path dies in a ReLU
    maps = torch.ones(1, 1, 41, 45, dtype=torch.double, requires_grad=True)
    net.double()(maps)[0][0, 0, 20, 22].backward()
    seen = maps.grad[0, 0].abs() > 0
    rows, columns = (seen.any(dim).nonzero().flatten() for dim in (1, 0))
    assert (rows.min(), rows.max()) == (20 - 17, 20 + 17)
    assert (columns.min(), columns.max()) == (22 - 17, 22 + 17)


def test_window_is_read_oldest_frame_first_and_frame_by_frame():
    net = small(num_levels=1, num_scales=(1,))
    (past,) = window(sizes=((5, 6),))
    past = past.abs()
    for frame in range(2):
        for channel in range(4):
            pass_on(net.nets[0].scales[0], frame * 4 + channel)
            out = net([past], CONTEXT)[0]
            assert out.shape == (2, 1, 4, 5, 6)
            assert torch.equal(out[:, 0, 0], past[:, frame, channel])


def test_refiner_sees_the_upsampled_coarse_forecast_after_the_window():
    level = F2FLevel(channels=4, num_past=2, size_factor=1, num_scales=2)
    fine, coarse = level.scales
    pass_on(coarse, 5)
    pass_on(fine, 8)  # eight maps of the window come before it
    maps = torch.rand(1, 8, 6, 10)
    guess = upsample(subsample(maps[:, 5:6]), (6, 10))
    assert torch.allclose(level(maps)[0][:, :1], 2 * guess, atol=1e-6)  # coarse + correction


def test_silent_refiners_pass_the_coarse_forecast_on():
    level = F2FLevel(channels=4, num_past=2, size_factor=1, num_scales=3)
    for refiner in level.scales[:2]:
        for p in refiner.parameters():
            nn.init.zeros_(p)
    maps = torch.randn(2, 8, 13, 20)
    fine, middle, coarse = level(maps)
    assert torch.equal(coarse, level.scales[2](maps[..., ::4, ::4]))
    assert torch.equal(middle, upsample(coarse, (7, 10)))
    assert torch.equal(fine, upsample(middle, (13, 20)))


def test_subsampling_takes_every_second_cell_and_averages_nothing():
    maps = torch.tensor([[1.0, 9.0, 2.0], [9.0, 9.0, 9.0], [3.0, 9.0, 4.0]])[None, None]
    assert subsample(maps)[0, 0].tolist() == [[1, 2], [3, 4]]
    maps = torch.randn(2, 3, 6, 8)
    assert torch.equal(subsample(maps), maps[..., ::2, ::2])
    assert not torch.allclose(subsample(maps), F.avg_pool2d(maps, 2))


def test_upsampling_keeps_the_corners():
    up = upsample(torch.tensor([[0.0, 3.0]])[None, None], (1, 4))
    assert torch.allclose(up, torch.tensor([0.0, 1.0, 2.0, 3.0]))


def test_losses_by_level_and_scale_are_those_computed_by_hand():
    net = small()
    for p in net.parameters():
        nn.init.zeros_(p)
    target = [maps[:, :1] for maps in window()]
    losses, predicted = net.loss_and_predict(window(), target, CONTEXT)
    fine, coarse = (maps[:, 0] for maps in target)
    expected = {
        'loss_mse_l0_s0': fine,
        'loss_mse_l0_s1': fine[..., ::2, ::2],
        'loss_mse_l0_s2': fine[..., ::4, ::4],
        'loss_mse_l1': coarse,
    }
    assert set(losses) == set(expected)
    for name, truth in expected.items():
        assert losses[name].item() == pytest.approx(truth.square().mean().item(), rel=1e-5)
    assert [tuple(maps.shape) for maps in predicted] == [(2, 1, 4, 12, 20), (2, 1, 4, 6, 10)]


def test_loss_and_predict_returns_what_forward_predicts():
    net, past = small(), window()
    _, predicted = net.loss_and_predict(past, [maps[:, :1] for maps in past], CONTEXT)
    assert all(torch.equal(a, b) for a, b in zip(predicted, net(past, CONTEXT)))


def test_shared_weights_are_one_network_for_all_levels():
    net = small(share_weights=True, num_scales=(2, 2))
    alone = F2FLevel(channels=4, num_past=2, size_factor=1, num_scales=2)
    assert count(net) == count(alone)
    past = window()
    alone.load_state_dict(net.nets[0].state_dict())
    for maps, out in zip(past, net(past, CONTEXT)):
        assert torch.equal(out[:, 0], alone(maps.flatten(1, 2))[0])


def test_levels_do_not_see_each_other():
    net, past = small(), window()
    past[1].requires_grad_()
    fine, coarse = net(past, CONTEXT)
    assert torch.autograd.grad(fine.sum(), past[1], allow_unused=True) == (None,)
    assert torch.autograd.grad(coarse.sum(), past[1])[0].abs().sum() > 0


def test_checkpointing_gives_the_same_gradients():
    plain, saving = small(), small(with_cp=True)
    saving.load_state_dict(plain.state_dict())
    past = window()
    target = [maps[:, :1].clone() for maps in window()]
    grads = []
    for net in (plain, saving):
        window_, total = past, 0
        for _ in range(2):  # through two steps
            losses, new = net.loss_and_predict(window_, target, CONTEXT)
            window_ = [torch.cat((w, n), 1)[:, 1:] for w, n in zip(window_, new)]
            total = total + sum(losses.values())
        total.backward()
        grads.append([p.grad for p in net.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*grads))
    assert all(grad.abs().sum() > 0 for grad in grads[0])


def stage_checkpoint(path, **kwargs):
    """What the training of a forecaster of one level leaves."""
    net = small(num_levels=1, num_scales=(1,), **kwargs)
    state = {f'predictor.{name}': value for name, value in net.state_dict().items()}
    state['encoder.detector.backbone.conv1.weight'] = torch.zeros(1)
    torch.save(dict(state_dict=state, meta={}), path)
    return net.nets[0].scales[0]


def test_coarsest_scales_start_from_the_single_level(tmp_path):
    path = str(tmp_path / 'f2f5.pth')
    source = stage_checkpoint(path)
    net = small(coarsest_from=path)
    refiner = net.nets[0].scales[0][0].conv.weight.clone()
    net.init_weights()
    for level in net.nets:
        for ours, theirs in zip(level.scales[-1].parameters(), source.parameters()):
            assert torch.equal(ours, theirs)
    assert torch.equal(net.nets[0].scales[0][0].conv.weight, refiner)


def test_coarsest_from_refuses_another_checkpoint(tmp_path):
    path = str(tmp_path / 'other.pth')
    message = r'coarsest_from=.*other\.pth is not a checkpoint of one F2F level with one scale'
    stage_checkpoint(path, size_factor=2)
    with pytest.raises(ValueError, match=message):
        small(coarsest_from=path).init_weights()
    for scales in ((3, 1), (1, 1)):  # a whole pyramid: which of its levels was meant?
        whole = small(num_scales=scales)
        torch.save({f'predictor.{k}': v for k, v in whole.state_dict().items()}, path)
        with pytest.raises(ValueError, match=message):
            small(coarsest_from=path).init_weights()
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(1)}), path)
    with pytest.raises(ValueError, match=message):
        small(coarsest_from=path).init_weights()


def test_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r'num_scales=\(3, 1, 1, 1\) names 4 levels, but num_lev'):
        F2FPredictor(num_levels=5, num_scales=(3, 1, 1, 1))
    with pytest.raises(ValueError, match='share_weights=True needs the same number of scales'):
        small(share_weights=True)
    with pytest.raises(ValueError, match='built for num_levels=2, but the pyramid has 1 levels'):
        small()(window(sizes=((12, 20),)), CONTEXT)
    with pytest.raises(ValueError, match='num_past=2 maps of 4 channels, but got 3 maps of 4'):
        small()(window(num_past=3), CONTEXT)
    with pytest.raises(ValueError, match='losses is empty'):
        small(losses=None).loss_and_predict(window(), window(), CONTEXT)


def test_changes_of_the_newest_map():
    """With ``base`` the network's own output is added to the newest map of each scale."""
    torch.manual_seed(0)
    plain = F2FLevel(channels=4, num_past=2, size_factor=1, num_scales=3)
    changes = F2FLevel(channels=4, num_past=2, size_factor=1, num_scales=3, base='last')
    maps = torch.randn(1, 8, 16, 32)
    newest = [maps[:, 4:]]
    for _ in range(2):
        newest.append(subsample(newest[-1]))
    for out, want in zip(changes(maps), newest):
        torch.testing.assert_close(out, want, rtol=0, atol=0)
    changes.load_state_dict(plain.state_dict())
    for out, delta, base in zip(changes(maps), plain(maps), newest):
        torch.testing.assert_close(out, delta + base, rtol=0, atol=0)


def test_base_stands_alone():
    for other in (dict(init='copy'), dict(coarsest_from='f2f5.pth')):
        with pytest.raises(ValueError, match='drop init'):
            F2FPredictor(channels=32, num_levels=1, size_factor=1, base='last', **other)
    with pytest.raises(ValueError, match="base must be one of None, 'last'"):
        F2FPredictor(channels=32, num_levels=1, size_factor=1, base='first')
