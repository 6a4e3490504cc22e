import math

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData

from mmforecast.models.encoders import LabelMapEncoder
from mmforecast.models.predictors import (
    CopyLast,
    FlowWarp,
    ForecastContext,
    MultiScalePredictor,
    Oracle,
    WarpCorrectPredictor,
    conv_stack,
)
from mmforecast.models.predictors.flow_warp import advance, carry
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample


def context(frames=None, future=None):
    return ForecastContext(
        frames=torch.zeros(2, 4, 3, 32, 32) if frames is None else frames, samples=[], future=future
    )


def tiny(**kwargs):
    return MultiScalePredictor(channels=3, **{**dict(widths=((4,), (4,)), kernels=((3, 3), (3, 3))), **kwargs})


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_paper_network_has_the_paper_size():
    net = MultiScalePredictor(channels=19)
    assert count(net) == 1_654_950
    assert [count(scale) for scale in net.scales] == [699_795, 955_155]


def test_single_scale_network_of_the_paper():
    net = MultiScalePredictor(channels=19, widths=((128, 256, 128),), kernels=((3, 3, 3, 3),))
    assert count(net) == 699_795
    past = torch.randn(1, 4, 19, 5, 7)  # one scale: any size
    assert net([past], context())[0].shape == (1, 1, 19, 5, 7)


def test_zero_weights_predict_zero_and_the_residual_path_passes_the_coarse_guess():
    net = tiny()
    for p in net.parameters():
        torch.nn.init.zeros_(p)
    past = [torch.randn(2, 4, 3, 8, 8)]
    assert net(past, context())[0].eq(0).all()
    net.scales[0][-1].conv.bias.data = torch.tensor([1.0, 2.0, 3.0])
    out = net(past, context())[0]
    assert torch.equal(out, torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 3, 1, 1).expand_as(out))


def test_coarse_scale_sees_averages_and_fine_scale_the_nearest_upsampled_guess():
    net = tiny()
    past = torch.randn(2, 4, 3, 8, 8)
    coarse, fine = net.predict_scales([past])
    flat = past.flatten(1, 2)
    pooled = flat.unflatten(2, (4, 2)).unflatten(4, (4, 2)).mean(dim=(3, 5))
    assert torch.allclose(coarse, net.scales[0](pooled), atol=1e-6)
    up = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.allclose(fine, up + net.scales[1](torch.cat((flat, up), 1)), atol=1e-6)


def test_losses_at_every_scale_against_the_pooled_target():
    init_default_scope('mmforecast')
    net = tiny(losses=dict(l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss')))
    for p in net.parameters():
        torch.nn.init.zeros_(p)
    target = torch.randn(2, 1, 3, 8, 8)
    losses, prediction = net.loss_and_predict([torch.randn(2, 4, 3, 8, 8)], [target], context())
    pooled = torch.nn.functional.avg_pool2d(target[:, 0], 2)
    assert losses['loss_l1_s0'].item() == pytest.approx(target.abs().mean().item())
    assert losses['loss_l1_s1'].item() == pytest.approx(pooled.abs().mean().item())
    assert set(losses) == {f'loss_{n}_s{k}' for n in ('l1', 'gdl') for k in (0, 1)}
    assert prediction[0].shape == (2, 1, 3, 8, 8)


def test_batch_model_predicts_all_steps_at_once():
    net = tiny(num_outputs=3)
    out = net([torch.randn(2, 4, 3, 8, 8)], context())[0]
    assert out.shape == (2, 3, 3, 8, 8)


def test_tanh_output_is_bounded():
    net = tiny(out_act='tanh')
    for guess in net.predict_scales([torch.randn(2, 4, 3, 8, 8) * 100]):
        assert guess.abs().max() <= 1


def test_with_a_base_the_untrained_network_is_copy_last():
    past = [torch.randn(2, 4, 3, 8, 8)]
    assert torch.equal(tiny(base='last')(past, context())[0], past[0][:, -1:])
    three = tiny(base='last', num_outputs=3)(past, context())[0]
    assert torch.equal(three, past[0][:, -1:].expand_as(three))


def test_untrained_warp_and_correct_is_the_flow_baseline():
    """Over several steps too: it carries the velocity on as the baseline does."""
    frames = torch.rand(2, 4, 3, 32, 64) * 255
    maps = torch.randn(2, 4, 3, 32, 64)
    net, baseline = (
        WarpCorrectPredictor(3, motion_widths=(4, 4), motion_dilations=(1, 1)),
        FlowWarp(),
    )
    ours, theirs = context(frames), context(frames)
    past, past_baseline = maps, maps
    for _ in range(3):
        past = torch.cat((past, net([past], ours)[0]), 1)[:, -4:]
        past_baseline = torch.cat((past_baseline, baseline([past_baseline], theirs)[0]), 1)[:, -4:]
        assert torch.allclose(past, past_baseline, atol=1e-4)


def test_warp_and_correct_trains_all_its_weights_through_two_steps():
    net = WarpCorrectPredictor(
        3, motion_widths=(4, 4), motion_dilations=(1, 1), losses=dict(gdl=dict(type='GDLoss'))
    )
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    ctx = context(torch.rand(1, 4, 3, 32, 64) * 255)
    past = torch.randn(1, 4, 3, 32, 64)
    first = net([past], ctx)[0]
    losses, _ = net.loss_and_predict([torch.cat((past, first), 1)[:, 1:]], [torch.randn(1, 1, 3, 32, 64)], ctx)
    losses['loss_gdl'].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_the_warp_tells_its_velocity_which_way_to_go():
    """Gradient descent on the velocity alone finds a known displacement."""
    texture = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), (32, 32), mode='bicubic')
    truth = texture.roll(2, dims=3)
    velocity = torch.zeros(1, 2, 1, 1, requires_grad=True)
    optimizer = torch.optim.Adam([velocity], lr=0.1)
    for _ in range(100):
        moved = advance(texture, carry(velocity.expand(1, 2, 32, 32)))
        loss = (moved - truth)[..., 4:-4].abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert velocity.flatten().tolist() == pytest.approx([2, 0], abs=0.2)


def test_carried_velocity_travels_with_its_pixels():
    motion = torch.zeros(1, 3, 4, 8)
    motion[..., 1, 2] = torch.tensor([3.0, 0.0, 7.0])  # one pixel, moving right by three
    carried = carry(motion)
    assert carried[0, :, 1, 2].tolist() == [
        3.0,
        0.0,
        7.0,
    ]  # nothing landed there: the old value stays
    assert carried[0, :, 1, 5].tolist() == [1.5, 0.0, 3.5]  # shared with the still pixel behind


def test_warp_and_correct_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match='num_past must be at least 3'):
        WarpCorrectPredictor(3, num_past=2)
    with pytest.raises(ValueError, match='WarpCorrectPredictor: losses is empty'):
        WarpCorrectPredictor(3).loss_and_predict([], [], context())
    with pytest.raises(ValueError, match='multiples of 4'):
        WarpCorrectPredictor(3)([torch.randn(1, 4, 3, 30, 64)], context())


def test_window_is_read_oldest_first():
    """Swapping two frames of the window changes the result the way swapping weights does."""
    net = MultiScalePredictor(channels=1, num_past=2, widths=((),), kernels=((1,),))
    net.scales[0][0].conv.weight.data = torch.tensor([1.0, 10.0]).view(1, 2, 1, 1)
    net.scales[0][0].conv.bias.data.zero_()
    past = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1, 1).expand(1, 2, 1, 4, 4)
    assert net([past], context())[0].unique().tolist() == [43.0]


def test_scores_are_read_as_probabilities():
    """By hand: scores 0, 0 and -t ln 2 are 2 : 2 : 1, whatever is added to all three of them."""
    net = MultiScalePredictor(
        channels=3, num_past=1, widths=((),), kernels=((1,),), score_temperature=0.25, init='copy'
    ).double()
    scores = torch.tensor([0.0, 0.0, -0.25 * math.log(2)], dtype=torch.double).view(1, 1, 3, 1, 1)
    scores = scores + 5 * torch.randn(1, 1, 1, 2, 2, dtype=torch.double)
    expected = torch.tensor([-0.2, -0.2, -0.6]).double().view(1, 1, 3, 1, 1).expand(1, 1, 3, 2, 2)
    torch.testing.assert_close(net([scores], context())[0], expected, atol=1e-6, rtol=0)


def test_label_maps_are_read_as_they_are_and_large_scores_as_label_maps():
    labels = torch.randint(0, 19, (4, 6, 6))
    sample = ForecastDataSample(gt_sem_seg=PixelData(data=labels), metainfo=dict(labelled=[True] * 4))
    (maps,) = LabelMapEncoder(19).encode(None, [sample])
    net = MultiScalePredictor(
        channels=19, widths=((38,),), kernels=((1, 1),), score_temperature=0.25, init='copy'
    )
    (read,) = net([maps], context())
    assert (read - maps[:, -1:]).abs().max() < 0.013  # 2 - 2 / (1 + 18 exp(-8))
    torch.testing.assert_close(net([100 * maps], context())[0], maps[:, -1:])


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(score_temperature=0), 'score_temperature must be above 0'),
        (dict(base='next'), 'base'),
        (dict(out_act='relu'), 'out_act'),
        (dict(kernels=((3, 3),)), 'scales'),
        (dict(kernels=((3, 3), (3,))), 'widths need'),
        (dict(kernels=((3, 3), (3, 4))), 'odd'),
        (dict(base='last', out_channels=5), 'out_channels'),
    ],
)
def test_refuses_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        tiny(**kwargs)


def test_refuses_windows_that_do_not_fit():
    with pytest.raises(ValueError, match='num_past=4 maps of 3 channels'):
        tiny()([torch.randn(1, 3, 3, 8, 8)], context())
    with pytest.raises(ValueError, match='multiples of 2'):
        tiny()([torch.randn(1, 4, 3, 8, 9)], context())
    with pytest.raises(ValueError, match='losses is empty'):
        tiny().loss_and_predict([torch.randn(1, 4, 3, 8, 8)], [torch.randn(1, 1, 3, 8, 8)], context())


def test_dilated_stack_keeps_the_size_and_widens_the_field():
    stack = conv_stack(1, (2, 2), (3, 3, 3), 1, dilations=(2, 4, 1))
    for p in stack.parameters():
        torch.nn.init.constant_(p, 0.1)  # no path dies in a ReLU
    image = torch.zeros(1, 1, 31, 31, requires_grad=True)
    stack(image + 1)[0, 0, 15, 15].backward()
    assert stack(image).shape == image.shape
    rows = image.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert (rows.min(), rows.max()) == (15 - 7, 15 + 7)  # 2 + 4 + 1 on each side


def test_copy_last_and_oracle():
    past, future = [torch.randn(1, 4, 3, 8, 8)], [torch.randn(1, 2, 3, 8, 8)]
    assert torch.equal(CopyLast()(past, context())[0], past[0][:, -1:])
    ctx = context(future=future)
    ctx.step = 1
    assert torch.equal(Oracle()(past, ctx)[0], future[0][:, 1:2])
    ctx.step = 2
    with pytest.raises(ValueError, match='carries 2 future frames'):
        Oracle()(past, ctx)


def test_flow_warp_follows_a_constant_translation_over_several_steps():
    texture = torch.nn.functional.interpolate(torch.rand(1, 3, 16, 24) * 255, scale_factor=4)
    frames = torch.stack([texture.roll(2 * t, dims=3) for t in range(4)], 1)
    maps = [frames / 255]
    model, ctx = FlowWarp(), context(frames)
    inner = (slice(None), slice(None), slice(None), slice(8, -8), slice(24, -24))
    for step in (1, 2, 3):
        maps = [torch.cat((maps[0], model(maps, ctx)[0]), 1)[:, -4:]]
        truth = texture.roll(2 * (3 + step), dims=3)[:, None] / 255
        error = (maps[0][:, -1:] - truth)[inner].abs().mean()
        still = (frames[:, -1:] / 255 - truth)[inner].abs().mean()
        assert error < 0.4 * still


def test_baselines_have_nothing_to_train():
    for name in ('CopyLast', 'FlowWarp', 'Oracle'):
        model = MODELS.build(dict(type=name))
        assert count(model) == 0
        with pytest.raises(ValueError, match=f'^{name} has nothing to train; evaluate it'):
            model.loss_and_predict([], [], context())
    with pytest.raises(ValueError, match='at least 2 observed frames'):
        FlowWarp()([torch.rand(1, 1, 3, 32, 32)], context(torch.rand(1, 1, 3, 32, 32)))
