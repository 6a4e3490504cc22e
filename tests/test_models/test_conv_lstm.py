"""The pyramid ConvLSTM: sizes, hand cases and invariances."""

import pytest
import torch
from mmengine.config import Config

from mmforecast.models.forecasters import S2SForecaster
from mmforecast.models.predictors import EgoMotion, ForecastContext
from mmforecast.models.predictors.conv_lstm import ConvLSTMCell
from mmforecast.registry import MODELS

SIZES = [(8, 16), (4, 8)]
MSE = dict(mse=dict(type='mmdet.MSELoss'))


def build(channels=3, num_levels=2, hidden=4, **kwargs):
    torch.manual_seed(0)
    settings = dict(channels=channels, num_levels=num_levels, hidden=hidden, num_past=4, **kwargs)
    return MODELS.build(dict(type='PyramidConvLSTM', **settings))


def shake(model):
    for level in model.levels:
        torch.nn.init.normal_(level.out.weight)
    return model.eval()


def window(sizes=SIZES, channels=3, batch=2):
    torch.manual_seed(1)
    return [torch.randn(batch, 4, channels, *size) for size in sizes]


def context(frames=None):
    return ForecastContext(frames=frames, samples=[])


def number(part):
    return sum(weight.numel() for weight in part.parameters())


def test_sizes_of_cells():
    with torch.device('meta'):
        assert number(ConvLSTMCell(256, 256)) == 4_719_616
        model = build(256, 2, 256)
    assert number(model.levels[0].cells[0]) == 7_078_912  # linked with a coarser level
    assert number(model.levels[1].cells[0]) == 4_719_616


def test_size_of_the_shipped_config(repository):
    config = Config.fromfile(repository / 'configs/conv_lstm/conv-lstm_cityscapes.py').model.predictor
    with torch.device('meta'):
        model = MODELS.build(dict(config, channels=256, num_levels=4))
    cells = 3 * 7_078_912 + 5 * 4_719_616
    assert number(model) == cells + 8 * (256 * 256 + 256) == 45_361_152


def test_a_cell_on_one_pixel_is_torchs_lstm():
    torch.manual_seed(0)
    cell, lstm = ConvLSTMCell(3, 5, kernel=1), torch.nn.LSTMCell(3, 5)
    order = [0, 1, 3, 2]  # torch has the content before the output gate
    with torch.no_grad():
        weight = cell.gates.weight[:, :, 0, 0].view(4, 5, 8)[order].reshape(20, 8)
        lstm.weight_ih.copy_(weight[:, :3])
        lstm.weight_hh.copy_(weight[:, 3:])
        lstm.bias_ih.copy_(cell.gates.bias.view(4, 5)[order].reshape(20))
        lstm.bias_hh.zero_()
    ours = theirs = None
    for maps in torch.randn(3, 2, 3):
        ours, theirs = cell(maps[..., None, None], ours), lstm(maps, theirs)
        for a, b in zip(ours, theirs):
            torch.testing.assert_close(a[..., 0, 0], b)


def test_a_cell_that_forgets_nothing_and_takes_nothing_keeps_its_state():
    cell = ConvLSTMCell(3, 4)
    assert cell.gates.bias[4:8].eq(1).all()
    with torch.no_grad():
        cell.gates.weight.zero_()
        cell.gates.bias[:4], cell.gates.bias[4:8] = -1e4, 1e4
    state = torch.randn(1, 4, 6, 6)
    _, after = cell(torch.randn(1, 3, 6, 6), (torch.randn(1, 4, 6, 6), state))
    assert torch.equal(after, state)


def test_the_start_is_copy_last():
    past = window()
    for future, maps in zip(build()(past, context()), past):
        assert torch.equal(future, maps[:, -1:])


def test_a_roll_out_reads_the_window_once_and_then_what_was_fed_back():
    model, past = shake(build()), window()
    memory = context()
    first = model(past, memory)
    slid = [torch.cat((maps[:, 1:], new), dim=1) for maps, new in zip(past, first)]
    second = model(slid, memory)
    garbage = [torch.cat((0 * maps[:, :3], new), dim=1) for maps, new in zip(past, first)]
    again = context()
    model(past, again)
    for ours, theirs in zip(second, model(garbage, again)):
        assert torch.equal(ours, theirs)
    longer = shake(build())  # five maps at once
    longer.num_past = 5
    whole = longer([torch.cat((maps, new), dim=1) for maps, new in zip(past, first)], context())
    for ours, theirs in zip(second, whole):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    'links, finer_sees, coarser_sees',
    [('none', False, False), ('top-down', True, False), ('both', True, True)],
)
def test_links(links, finer_sees, coarser_sees):
    model, past = shake(build(links=links)), window()
    finer, coarser = model(past, context())
    changed = [past[0], past[1].clone()]
    changed[1][:, 1] += 1
    assert torch.equal(model(changed, context())[0], finer) != finer_sees
    changed = [past[0].clone(), past[1]]
    changed[0][:, 1] += 1
    assert torch.equal(model(changed, context())[1], coarser) != coarser_sees


def test_levels_of_any_sizes_are_linked():
    model = shake(build(num_levels=3, links='both'))
    sizes = [(13, 22), (7, 11), (4, 6)]
    assert [tuple(maps.shape[-2:]) for maps in model(window(sizes), context())] == sizes


def test_batch_items_do_not_see_each_other():
    model, past = shake(build()), window()
    swapped = [maps.flip(0) for maps in past]
    for ours, theirs in zip(model(past, context()), model(swapped, context())):
        torch.testing.assert_close(ours.flip(0), theirs)


def test_patches_keep_the_map():
    (net,) = build(num_levels=1, patch_size=4).levels
    maps = torch.randn(2, 3, 8, 16)
    assert net.to_patches(maps).shape == (2, 48, 2, 4)
    assert torch.equal(torch.nn.functional.pixel_shuffle(net.to_patches(maps), 4), maps)


def test_it_starts_from_the_motion_and_corrects_what_that_moved():
    torch.manual_seed(0)
    picture = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 14), (64, 112), mode='bicubic') * 255
    frames = torch.stack([picture[..., 2 * t : 2 * t + 96] for t in range(4)], dim=1).clamp(0, 255)
    past = window([(64, 96)], batch=1)
    model = build(num_levels=1, patch_size=4, motion=dict(type='EgoMotion'), losses=MSE)
    assert model.reads_frames
    (moved,) = EgoMotion()(past, context(frames))
    (same,) = model(past, context(frames))
    torch.testing.assert_close(same, moved)
    assert not torch.equal(same, past[0][:, -1:])
    losses, _ = model.loss_and_predict(past, [past[0][:, -1:]], context(frames))
    losses['loss_mse'].backward()
    assert model.levels[0].out.weight.grad.any()


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(kernel=2), 'kernel must be odd, got 2'),
        (dict(links='up'), 'links'),
        (
            dict(motion=dict(type='DeformF2FPredictor', channels=3, num_layers=2, lead=3)),
            'DeformF2FPredictor forecasts 3 steps per call',
        ),
    ],
)
def test_bad_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build(**change)


def test_sides_that_are_no_multiples_of_the_patch_are_refused():
    with pytest.raises(ValueError, match=r'multiples of patch_size=4, got \(6, 8\)'):
        build(num_levels=1, patch_size=4)(window([(6, 8)]), context())


def test_gradients_flow_through_the_memory_of_a_roll_out():
    model = S2SForecaster(
        dict(type='PrecomputedEncoder', channels=3),
        dict(type='PyramidConvLSTM', hidden=4, losses=MSE),
        train_cfg=dict(rollout_steps=2),
    )
    shake(model.predictor)
    maps = torch.randn(1, 6, 3, 4, 8)
    past, target = [maps[:, :4].requires_grad_()], [maps[:, 4:].detach()]
    losses, _ = model.rollout(past, 2, context(), target)
    assert set(losses) == {'t+1.loss_mse', 't+2.loss_mse'}
    (gradient,) = torch.autograd.grad(losses['t+2.loss_mse'], past)
    assert gradient[:, 0].any()


def test_motion_of_regions_is_told_that_maps_hold_scores():
    motion = dict(type='EgoMotion', region_share=0.05)
    model = S2SForecaster(
        dict(type='LabelMapEncoder', num_classes=5), dict(type='PyramidConvLSTM', hidden=4, motion=motion)
    )
    assert model.predictor.motion.class_scores is True
    assert build(motion=motion).motion.class_scores is None
