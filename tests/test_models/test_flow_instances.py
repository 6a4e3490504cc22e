"""Instances that optical flow moves on: by hand, and through a whole forecaster."""

import pytest
import torch
import torch.nn.functional as F
from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData

from mmforecast.models.decoders import FlowInstanceDecoder
from mmforecast.models.decoders.flow_instances import (
    mean_motion,
    shift_instances,
    shift_mask,
    warp_instances,
)
from mmforecast.models.forecasters import F2FForecaster
from mmforecast.models.predictors import FlowWarp, ForecastContext
from mmforecast.models.predictors.flow_warp import observed_velocity
from mmforecast.structures import ForecastDataSample

SIZE = (40, 64)
MOVES = [shift_instances, warp_instances]


def rectangle(x1, y1, x2, y2):
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[y1:y2, x1:x2] = True
    return mask


def instances_of(*masks):
    masks, count = torch.stack(masks), len(masks)
    return InstanceData(
        labels=torch.arange(count),
        scores=torch.linspace(0.9, 0.5, count),
        bboxes=mask2bbox(masks),
        masks=masks,
    )


def flow(dx, dy):
    return torch.tensor([dx, dy]).float().view(2, 1, 1).expand(2, *SIZE).contiguous()


def test_the_mean_is_taken_inside_the_mask():
    velocity = torch.zeros(2, *SIZE)
    velocity[0, :, 10:12] = 3
    masks = torch.stack((rectangle(8, 0, 12, 4), rectangle(0, 0, 4, 4), rectangle(0, 0, 0, 0)))
    assert mean_motion(masks, velocity).tolist() == [[1.5, 0], [0, 0], [0, 0]]
    assert mean_motion(masks[:0], velocity).shape == (0, 2)


def test_a_shift_is_bilinear_and_kept_from_a_half_on():
    row = torch.tensor([[0, 1, 1, 0, 0]]).bool()
    for dx, expected in [
        (1, [0, 0, 1, 1, 0]),
        (-1, [1, 1, 0, 0, 0]),
        (0.4, [0, 1, 1, 0, 0]),
        (0.5, [0, 1, 1, 1, 0]),  # 0.5, 1, 0.5
        (-1.6, [1, 0, 0, 0, 0]),
        (3, [0, 0, 0, 0, 1]),
        (4, [0, 0, 0, 0, 0]),
        (-70, [0, 0, 0, 0, 0]),
    ]:
        assert shift_mask(row, torch.tensor([dx, 0.0])).int().tolist() == [expected]
        assert shift_mask(row.T, torch.tensor([0.0, dx])).T.int().tolist() == [expected]


@pytest.mark.parametrize('move', MOVES)
def test_an_integer_flow_moves_masks_and_boxes_by_its_multiples(move):
    found = instances_of(rectangle(10, 8, 20, 16))
    for step, moved in enumerate(move(found, flow(3, 2), 3), start=1):
        left, top = 10 + 3 * step, 8 + 2 * step
        assert torch.equal(moved.masks[0], rectangle(left, top, left + 10, top + 8))
        assert moved.bboxes.tolist() == [[left, top, left + 10, top + 8]]
        assert torch.equal(moved.scores, found.scores)
    assert torch.equal(found.masks[0], rectangle(10, 8, 20, 16))


@pytest.mark.parametrize('move', MOVES)
def test_without_flow_nothing_changes(move):
    irregular = torch.rand(SIZE) > 0.5
    found = instances_of(irregular, rectangle(0, 0, 5, 40))
    for moved in move(found, flow(0, 0), 2):
        assert set(moved.keys()) == set(found.keys())
        for name in found.keys():
            assert torch.equal(moved[name], found[name]), name


@pytest.mark.parametrize('move', MOVES)
def test_each_object_has_its_own_motion(move):
    velocity = flow(0, 0)
    velocity[0, :, :32], velocity[1, :, 32:] = -2, 4
    found = instances_of(rectangle(12, 10, 20, 20), rectangle(44, 10, 52, 20))
    _, moved = move(found, velocity, 2)
    assert torch.equal(moved.masks[0], rectangle(8, 10, 16, 20))
    assert torch.equal(moved.masks[1], rectangle(44, 18, 52, 28))


@pytest.mark.parametrize('move', MOVES)
def test_what_leaves_the_frame_is_cut_and_then_dropped(move):
    found = instances_of(rectangle(54, 4, 60, 10), rectangle(2, 20, 10, 30))
    first, second = move(found, flow(8, 0), 2)
    assert torch.equal(first.masks[0], rectangle(62, 4, 64, 10))
    assert first.labels.tolist() == [0, 1] and second.labels.tolist() == [1]
    assert second.scores.tolist() == found.scores[1:].tolist()
    assert torch.equal(second.masks[0], rectangle(18, 20, 26, 30))


@pytest.mark.parametrize('move', MOVES)
def test_nothing_found_is_nothing_moved(move):
    found = instances_of(rectangle(0, 0, 2, 2))[torch.tensor([False])]
    for moved in move(found, flow(1, 1), 2):
        assert len(moved) == 0 and moved.masks.shape == (0, *SIZE)


@pytest.mark.parametrize('move', MOVES)
def test_boxes_without_masks_move_by_the_flow_inside_them(move):
    velocity = flow(0, 0)
    velocity[0, :, 10:20] = 2.5
    velocity[1, :, 40:] = -6
    boxes = [[10.0, 8.0, 19.5, 16.0], [42.0, 2.0, 50.0, 10.0], [0.0, 0.0, 0.2, 0.2]]
    found = InstanceData(bboxes=torch.tensor(boxes), labels=torch.arange(3), scores=torch.ones(3))
    first, second = move(found, velocity, 2)
    assert first.bboxes.tolist() == [[12.5, 8, 22, 16], [42, 0, 50, 4], *first.bboxes[2:].tolist()]
    assert second.labels.tolist() == [0, 2]  # the second is above the frame
    assert second.bboxes[0].tolist() == [15, 8, 24.5, 16]
    assert torch.equal(second.bboxes[1], torch.tensor(boxes[2]))  # no pixel, no motion


def textured(shift=0):
    """(1, 3, H, W): smooth texture that moves to the right."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 3, 24, 40, generator=generator) * 255
    frame = F.interpolate(noise, (96, 160), mode='bicubic').clamp(0, 255)
    return torch.roll(frame, shift, dims=3)


def test_warped_masks_are_the_flow_baseline_on_maps():
    frames = torch.stack((textured(), textured(3)), dim=1)
    masks = torch.zeros(3, 96, 160, dtype=torch.bool)
    masks[0, 20:50, 30:70] = masks[1, 60:90, 100:140] = masks[2, :30, :30] = True
    context = ForecastContext(frames, [])
    maps, expected = masks[None, None].float(), []
    for _ in range(3):
        (maps,) = FlowWarp()([maps], context)
        expected.append(maps[0, 0] >= 0.5)
    found = warp_instances(instances_of(*masks), observed_velocity(context)[0], 3)
    for step, truth in zip(found, expected, strict=True):
        assert torch.equal(step.masks, truth)
    center = expected[2][0].nonzero().float().mean(dim=0)
    assert center.tolist() == pytest.approx([34.5, 49.5 + 9], abs=1)


@pytest.fixture
def forecast(small_detector):
    """Detections of a moving texture, as a function of the decoder's config."""
    frames = torch.stack([textured(shift) for shift in (0, 3, 6, 9)], dim=1)
    detectors = {}

    def run(detector, reference=False, predictor='CopyLast', **decoder):
        torch.manual_seed(0)  # the same weights every time
        config = detectors.setdefault(detector, small_detector(detector))
        model = F2FForecaster(
            dict(type='DetectorEncoder', detector=config),
            dict(type=predictor),
            decoder or None,
            num_past=2,
            test_cfg=dict(rollout_steps=2, reference=reference),
        ).eval()
        return model.predict(frames, [ForecastDataSample(metainfo=dict(img_shape=(96, 160)))])[0]

    return run


@pytest.mark.parametrize('mode', ['shift', 'warp'])
def test_the_decoder_moves_what_the_newest_frame_shows(forecast, mode):
    newest = forecast('mask-rcnn').pred_instances[0]
    sample = forecast('mask-rcnn', reference=True, type='FlowInstanceDecoder', mode=mode)
    assert len(newest) == 5 and len(sample.pred_instances) == 2
    moved = sample.pred_instances[1]
    kept = torch.isin(newest.scores, moved.scores)
    assert torch.equal(moved.scores, newest.scores[kept]) and len(moved) >= 3
    centers = [mask.nonzero()[:, 1].float().mean() for found in (newest[kept], moved) for mask in found.masks]
    moves = torch.stack(centers[len(moved) :]) - torch.stack(centers[: len(moved)])
    assert moves.median().item() == pytest.approx(6, abs=2)  # 3 a step; less where masks are cut
    reference = forecast('mask-rcnn', predictor='Oracle').pred_instances  # not moved
    for found, expected in zip(sample.ref_instances, reference, strict=True):
        assert torch.equal(found.masks, expected.masks)


def test_only_the_last_step_on_request(forecast):
    both = forecast('mask-rcnn', type='FlowInstanceDecoder').pred_instances
    first, last = forecast('mask-rcnn', type='FlowInstanceDecoder', steps='last').pred_instances
    assert len(first) == 0 and torch.equal(last.masks, both[1].masks)


@pytest.mark.parametrize('mode', ['shift', 'warp'])
def test_detectors_without_masks(forecast, mode):
    newest = forecast('fcos').pred_instances[0]
    found = forecast('fcos', type='FlowInstanceDecoder', mode=mode).pred_instances[1]
    assert 'masks' not in found and 0 < len(found) <= len(newest)
    assert not torch.equal(found.bboxes, newest.bboxes[: len(found)])
    filled = forecast('fcos', type='FlowInstanceDecoder', mode=mode, fill_boxes=True)
    for one in filled.pred_instances:
        assert one.masks.shape == (len(one), 96, 160)
    assert torch.equal(filled.pred_instances[1].bboxes, found.bboxes)


def test_unknown_mode():
    with pytest.raises(ValueError, match="mode must be one of .*, got 'wrap'"):
        FlowInstanceDecoder(mode='wrap')
