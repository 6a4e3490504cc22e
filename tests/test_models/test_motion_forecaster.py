"""The motion forecaster: geometry while untrained, indifferent to the representation, trained by any loss."""

import pytest
import torch

from mmforecast.fileio import CheckpointError
from mmforecast.models.losses import EndpointLoss
from mmforecast.models.predictors import EgoMotion, ForecastContext, MotionForecaster, motion_network
from mmforecast.models.predictors.motion_forecaster import repeat_flow
from mmforecast.models.predictors.motion_network import EVIDENCE, MotionNetwork
from mmforecast.registry import MODELS
from mmforecast.street import generate_sequence
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.flow import backward_warp
from mmforecast.utils.frame_memory import FrameMemory


@pytest.fixture(scope='module')
def frames():
    """(1, 3, 3, 64, 128): three frames of the street, 3 apart."""
    sequence = generate_sequence(3, 'val', 1, 64, 128, num_frames=8)
    return torch.from_numpy(sequence['frames'][[0, 3, 6]]).permute(0, 3, 1, 2)[None].float()


def trained(seed: int = 0) -> MotionForecaster:
    """A forecaster whose last layer is not zero."""
    torch.manual_seed(seed)
    model = MotionForecaster()
    torch.nn.init.normal_(model.network.head.weight, std=0.05)
    return model.eval()


def roll_out(model, past, frames, steps=3):
    context, out = ForecastContext(frames=frames, samples=[]), []
    with torch.no_grad():
        for step in range(steps):
            context.step = step
            out.append(model(past, context))
    return out


def test_number_of_parameters():
    assert sum(p.numel() for p in MotionForecaster().parameters()) == 130_226


@pytest.mark.parametrize('size', [(64, 128), (57, 101), (33, 97)])
def test_untrained_is_ego_motion(frames, size):
    frames = torch.nn.functional.interpolate(frames[0], size=size, mode='area')[None]
    model, ego = MotionForecaster().eval(), EgoMotion()
    observed, plain = model.observe(frames), ego.observe(frames)
    for steps in (1, 2, 5):
        field, known = model.backward_field(observed, steps)
        expected, shown = ego.backward_field(plain, steps)
        assert (field - expected).abs().max() < 1e-4
        assert torch.equal(known, shown)


def test_two_frames_are_enough(frames):
    model, ego = MotionForecaster().eval(), EgoMotion()
    field, _ = model.backward_field(model.observe(frames[:, 1:]), 2)
    expected, _ = ego.backward_field(ego.observe(frames[:, 1:]), 2)
    assert (field - expected).abs().max() < 1e-4


def test_each_pixel_takes_the_motion_of_a_neighbor():
    torch.manual_seed(0)
    network = MotionNetwork(reach=0.05).eval()
    torch.nn.init.normal_(network.head.weight, std=5)
    ego = torch.randn(1, 2, 24, 40)
    fields = dict(ego=ego, constant=torch.randn(1, 2, 24, 40), known=torch.ones(1, 1, 24, 40))
    with torch.no_grad():
        field = network(torch.randn(1, EVIDENCE, 24, 40), fields, steps=1)
    assert (field - ego).abs().max() > 0.1
    for channel in range(2):  # never a motion that no pixel has
        assert field[:, channel].max() <= ego[:, channel].max() + 1e-5
        assert field[:, channel].min() >= ego[:, channel].min() - 1e-5


def test_offsets_keep_within_reach():
    network = MotionNetwork(reach=0.05).eval()
    torch.nn.init.constant_(network.head.bias, 100.0)  # right and down, as far as it goes
    ramp = torch.arange(40.0).expand(1, 2, 24, 40)
    fields = dict(ego=ramp, constant=ramp, known=torch.ones(1, 1, 24, 40))
    with torch.no_grad():
        field = network(torch.zeros(1, EVIDENCE, 24, 40), fields, steps=1)
    assert field[0, 0, 5, 10] == pytest.approx(10 + 0.05 * 40, abs=1e-4)


def test_one_field_for_every_representation(frames):
    model = trained()
    maps = torch.randn(1, 3, 5, 64, 128)
    alone = roll_out(model, [maps], frames)
    together = roll_out(model, [torch.cat([maps, maps.flip(2)], 2), maps[..., ::2, ::2]], frames)
    for one, two in zip(alone, together):
        assert torch.equal(one[0], two[0][:, :, :5])
        assert two[1].shape == (1, 1, 5, 32, 64)


def test_clips_of_a_batch_do_not_meet(frames):
    model = trained()
    both = torch.cat([frames, frames.flip(-1)])
    maps = torch.randn(2, 3, 2, 64, 128)
    batch = roll_out(model, [maps], both, steps=1)[0][0]
    alone = roll_out(model, [maps[1:]], both[1:], steps=1)[0][0]
    assert (batch[1:] - alone).abs().max() < 1e-4


def test_repeated_flow_of_a_shift():
    flow = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 12, 16)
    assert torch.equal(repeat_flow(flow, 3), 3 * flow)


def test_repeated_flow_is_that_of_single_steps(frames):
    observed = MotionForecaster().observe(frames)
    total, current = torch.zeros_like(observed.flow), observed.flow
    for steps in (1, 2, 3):
        total = backward_warp(total, current) + current
        current = backward_warp(current, current)
        assert torch.equal(repeat_flow(observed.flow, steps), total)
    assert torch.equal(MotionForecaster._repeated(observed, 3), total)
    assert torch.equal(MotionForecaster._repeated(observed, 1), observed.flow)


def test_fast_functions_are_those_of_torch():
    values = torch.cat([torch.linspace(-300, 300, 1001), torch.tensor([0.0, 1e-4, -1e-4])])
    assert (motion_network._asinh(values) - values.asinh()).abs().max() < 1e-6 * 8
    field = torch.randn(2, 2, 33, 50)
    assert torch.allclose(motion_network.lengths(field), field.norm(dim=1, keepdim=True), rtol=1e-6)
    expected = torch.nn.functional.avg_pool2d(field, 15, 1, 7, count_include_pad=False)
    assert (motion_network._window_mean(field, 7) - expected).abs().max() < 1e-5


def test_clips_that_overlap_share_their_pairs_of_frames():
    """Clips that begin at every second frame, of three frames two apart."""
    sequence = generate_sequence(3, 'val', 1, 64, 128, num_frames=20)['frames'][:13:2]
    video = torch.from_numpy(sequence).permute(0, 3, 1, 2)[None].float()
    model, memory = trained(), FrameMemory(size=4)
    maps = [torch.rand(1, 3, 4, 64, 128, generator=torch.Generator().manual_seed(1))]
    for start in range(5):
        clip = video[:, start : start + 3]
        expected = roll_out(model, maps, clip)
        with memory.in_use():
            again = roll_out(model, maps, clip)
        assert all(torch.equal(a, b) for (a,), (b,) in zip(again, expected, strict=True))
    # 6 pairs of 7 frames; flow there for all, and back for the newest pair of each of 5 clips
    assert memory.num_computed == {'motion': 5, 'camera_step': 6, 'dis_flow': 11}


def test_gradients_reach_every_layer(frames):
    model = trained().train()
    maps = torch.rand(1, 3, 4, 64, 128)
    for step in (0, 2):
        context = ForecastContext(frames=frames, samples=[], step=step)
        model([maps], context)[0].square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_learns_where_geometry_is_wrong(frames):
    """One object moves on its own: its motion is in the field, but not at the rim that the target has."""
    torch.manual_seed(0)
    network = MotionNetwork(reach=0.1)
    ego = torch.zeros(1, 2, 32, 64)
    ego[:, 0, 10:20, 20:30] = 6.0
    truth = torch.zeros(1, 2, 32, 64)
    truth[:, 0, 8:22, 18:32] = 6.0
    fields = dict(ego=ego, constant=ego, known=torch.ones(1, 1, 32, 64))
    seen = torch.rand(1, EVIDENCE, 32, 64)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    errors = []
    for _ in range(60):
        loss = (network(seen, fields, steps=1) - truth).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(loss.item())
    assert errors[-1] < 0.5 * errors[0]


def test_warps_as_the_field_says(frames):
    model = trained()
    maps = torch.rand(1, 3, 2, 64, 128)
    moved = roll_out(model, [maps], frames, steps=1)[0][0]
    with torch.no_grad():
        field, _ = model.backward_field(model.observe(frames), 1)
    assert torch.equal(moved[:, 0], backward_warp(maps[:, -1], field))


def test_weights_of_another_forecaster(tmp_path):
    """They are there when the predictor is built, whatever is initialized later."""
    path = str(tmp_path / 'weights.pth')
    source = trained()
    state = {f'predictor.{name}': value for name, value in source.state_dict().items()}
    torch.save(dict(state_dict={**state, 'encoder.weight': torch.zeros(3)}), path)
    model = MODELS.build(dict(type='MotionForecaster', checkpoint=path))
    for _ in range(2):
        for name, value in source.state_dict().items():
            assert torch.equal(model.state_dict()[name], value), name
        model.init_weights()


def test_weights_of_another_width_are_refused(tmp_path):
    path = str(tmp_path / 'weights.pth')
    state = {f'predictor.{name}': value for name, value in trained().state_dict().items()}
    torch.save(dict(state_dict=state), path)
    with pytest.raises(CheckpointError, match='does not fit this MotionNetwork'):
        MotionForecaster(widths=(8, 16), checkpoint=path)


@pytest.mark.parametrize('widths', [(16,), (6, 8), (0, 4)])
def test_widths_are_checked(widths):
    with pytest.raises(ValueError, match='multiples of 4'):
        MotionForecaster(widths=widths)


def test_one_frame_is_refused(frames):
    with pytest.raises(ValueError, match='MotionForecaster needs at least 2 observed frames'):
        MotionForecaster().observe(frames[:, :1])


def test_motion_loss_of_every_step(frames):
    model = MotionForecaster(
        losses=dict(l1=dict(type='mmdet.L1Loss')), motion_loss=dict(type='EndpointLoss', loss_weight=0.5)
    )
    motion = torch.randn(2, 2, 64, 128)
    context = ForecastContext(frames=frames, samples=[ForecastDataSample(gt_motion=motion)])
    past, target = [torch.rand(1, 3, 2, 64, 128)], [torch.rand(1, 1, 2, 64, 128)]
    for step in range(2):
        context.step = step
        losses, _ = model.loss_and_predict(past, target, context)
        field, _ = model.backward_field(model.observe(frames), step + 1)
        assert set(losses) == {'loss_l1', 'loss_motion'}
        expected = 0.5 * EndpointLoss()(field, motion[step : step + 1])
        assert losses['loss_motion'].item() == pytest.approx(expected.item(), rel=1e-5)
    losses['loss_motion'].backward()
    assert model.network.head.weight.grad.abs().max() > 0


def test_motion_loss_without_true_motion(frames):
    model = MotionForecaster(losses=dict(l1=dict(type='mmdet.L1Loss')), motion_loss=dict(type='EndpointLoss'))
    context = ForecastContext(frames=frames, samples=[ForecastDataSample()])
    with pytest.raises(ValueError, match='add LoadClipMotion'):
        model.loss_and_predict([torch.rand(1, 3, 2, 64, 128)], [torch.rand(1, 1, 2, 64, 128)], context)
