"""Motion with a learned correction: starts as the motion, learns, and keeps what it is built on."""

import pytest
import torch

from mmforecast.models.predictors import CorrectedMotion, ForecastContext
from mmforecast.registry import MODELS


def rollout(predictor, past, frames, steps=2):
    context = ForecastContext(frames=frames, samples=[])
    window, out = past, []
    for context.step in range(steps):
        new = predictor(window, context)
        window = [torch.cat((level[:, 1:], maps), dim=1) for level, maps in zip(window, new)]
        out.append(new)
    return out


@pytest.fixture
def clip():
    generator = torch.Generator().manual_seed(0)
    small = torch.rand((1, 3, 8, 12), generator=generator) * 255
    wide = torch.nn.functional.interpolate(small, size=(64, 104), mode='bicubic').clamp(0, 255)
    frames = torch.stack([wide[..., 2 * t : 2 * t + 96] for t in range(3)], dim=1)
    past = [torch.rand((1, 3, 5, 16 // s, 24 // s), generator=generator) for s in (1, 2)]
    return past, frames


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('motion', ['EgoMotion', 'FlowWarp', 'CopyLast'])
def test_the_untrained_network_is_the_predictor_of_motion(clip, motion, stride):
    corrected = CorrectedMotion(channels=5, num_levels=2, num_past=3, motion=dict(type=motion), stride=stride)
    corrected.init_weights()
    for new, expected in zip(rollout(corrected, *clip), rollout(MODELS.build(dict(type=motion)), *clip)):
        for maps, truth in zip(new, expected):
            assert torch.equal(maps, truth)
    assert corrected.reads_frames == (motion != 'CopyLast')


def test_it_learns_what_motion_does_not_explain(clip):
    past, frames = clip
    predictor = CorrectedMotion(
        channels=5,
        num_levels=2,
        num_past=3,
        motion=dict(type='CopyLast'),
        losses=dict(mse=dict(type='mmdet.MSELoss')),
    )
    target = [level[:, -1:] * 0.5 for level in past]
    optimizer = torch.optim.Adam(predictor.parameters(), lr=1e-2)
    values = []
    for _ in range(60):
        terms, _ = predictor.loss_and_predict(past, target, ForecastContext(frames=frames, samples=[]))
        values.append(sum(terms.values()))
        optimizer.zero_grad()
        values[-1].backward()
        optimizer.step()
    assert values[-1] < 0.2 * values[0]


def test_a_strided_correction_is_that_of_the_averaged_maps():
    corrected = CorrectedMotion(channels=2, num_past=1, motion=dict(type='CopyLast'), stride=2)
    (net,) = corrected.corrections
    torch.nn.init.normal_(net[-1].conv.weight)
    past = torch.rand(1, 1, 2, 5, 8)
    (new,) = corrected([past], ForecastContext(frames=torch.empty(1, 1, 3, 0, 0), samples=[]))
    newest = past[:, 0]
    cells = torch.stack(
        [newest[..., i : i + 2, j : j + 2].mean((-2, -1)) for i in (0, 2, 4) for j in (0, 2, 4, 6)], dim=-1
    ).unflatten(-1, (3, 4))
    up = torch.nn.functional.interpolate(net(torch.cat((cells, cells), dim=1)), (5, 8), mode='bilinear')
    torch.testing.assert_close(new[:, 0], newest + up)


def test_regions_move_where_the_maps_are_scores():
    motion = dict(type='EgoMotion', region_share=0.05)
    assert CorrectedMotion(channels=5, motion=motion, class_scores=True).motion.class_scores is True
    own = CorrectedMotion(channels=5, motion=dict(motion, class_scores=False), class_scores=True)
    assert own.motion.class_scores is False


def test_what_moves_keeps_its_weights_unless_told_otherwise():
    motion = dict(type='WarpCorrectPredictor', channels=5, num_past=3)
    frozen = CorrectedMotion(channels=5, num_past=3, motion=motion).train()
    assert not [p for p in frozen.motion.parameters() if p.requires_grad]
    assert not frozen.motion.training
    trained = CorrectedMotion(channels=5, num_past=3, motion=motion, frozen=False).train()
    assert all(p.requires_grad for p in trained.motion.parameters())


def test_a_predictor_of_several_steps_is_refused():
    motion = dict(type='MultiScalePredictor', channels=5, num_past=3, num_outputs=3)
    with pytest.raises(ValueError, match='3 steps per call'):
        CorrectedMotion(channels=5, num_past=3, motion=motion)


@pytest.mark.parametrize('stride', [1, 2])
def test_what_does_not_move_is_not_corrected(clip, stride):
    past, frames = clip
    still = [level[:, -1:].expand_as(level) for level in past]
    settings = dict(channels=5, num_levels=2, num_past=3, motion=dict(type='CopyLast'), stride=stride)
    for zero_at_rest in (True, False):
        torch.manual_seed(0)
        predictor = CorrectedMotion(zero_at_rest=zero_at_rest, **settings)
        for net in predictor.corrections:
            torch.nn.init.normal_(net[-1].conv.weight)
        (once, _) = rollout(predictor, still, frames)
        same = [torch.equal(maps, level[:, -1:]) for maps, level in zip(once, still)]
        assert all(same) if zero_at_rest else not any(same)


def test_what_moves_is_corrected_at_rest_or_not():
    """R(moved, newest) - R(moved, moved), with an R that sums its inputs."""
    predictor = CorrectedMotion(
        channels=1, num_past=2, motion=dict(type='CopyLast'), widths=(), dilations=(1,), zero_at_rest=True
    )
    (net,) = predictor.corrections
    with torch.no_grad():
        net[-1].conv.weight[:, :, 1, 1] = torch.tensor([[2.0, 3.0]])
    moved, newest = torch.full((1, 1, 4, 4), 5.0), torch.full((1, 1, 4, 4), 7.0)
    assert torch.equal(predictor._correct(net, moved, newest), moved + 3 * (newest - moved))
