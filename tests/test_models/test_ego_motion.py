"""EgoMotion against scenes whose geometry is known exactly."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData

from mmforecast.models.decoders.ego_instances import EgoInstanceMotion
from mmforecast.models.predictors import EgoMotion, FlowWarp, ForecastContext
from mmforecast.models.utils import dis_flow
from mmforecast.models.utils.camera_motion import (
    CameraMotion,
    apply_homography,
    estimate_camera_motion,
    intrinsics,
    pixel_grid,
    rotation_homography,
    rotation_matrix,
)
from mmforecast.models.utils.ego_motion import (
    ObservedMotion,
    _window_mean,
    acceleration_seen,
    earlier_parallax,
    extrapolate,
    fill_holes,
    invert_displacement,
    median_filter,
    parallax,
    speed_change,
)
from mmforecast.models.utils.object_motion import move_mask, object_parallax
from mmforecast.street import generate_sequence

SIZE = 96, 160
CAMERA = intrinsics(SIZE, 0.9)


def rays():
    """(3, H*W) directions of the pixels of the newest frame, depth 1."""
    grid = pixel_grid(torch.zeros(1, 2, *SIZE, dtype=torch.float64))[0].flatten(1)
    return torch.linalg.inv(CAMERA) @ torch.cat([grid, torch.ones_like(grid[:1])])


def scene_depth():
    """(H*W,) a road below the horizon, and walls of several distances above it."""
    down = rays()[1].clamp(min=1e-3)
    road = 1.5 / down
    walls = 8 + 6 * torch.sin(rays()[0] * 6)
    return torch.minimum(road, walls)


def displacement(rotation, translation, steps):
    """Where the newest frame's pixels go in ``steps`` steps of the camera, by projection in 3D: (1, 2, H, W).

    Args:
        rotation: rotation vector per step; points of the camera before become those of the camera after.
        translation: of the points per step, in the camera after.
    """
    points = rays() * scene_depth()
    turn = rotation_matrix(torch.tensor([rotation], dtype=torch.float64))[0]
    if steps < 0:
        for _ in range(-steps):
            points = turn.T @ (points - torch.tensor(translation, dtype=torch.float64)[:, None])
    for _ in range(max(steps, 0)):
        points = turn @ points + torch.tensor(translation, dtype=torch.float64)[:, None]
    pixels = CAMERA @ points
    pixels = (pixels[:2] / pixels[2:]).unflatten(1, SIZE)[None]
    return pixels - pixel_grid(pixels)


@pytest.mark.parametrize(
    'rotation, translation',
    [
        ((0.0, 0.0, 0.0), (0.0, 0.0, -0.5)),  # straight ahead
        ((0.002, 0.01, -0.003), (0.02, 0.0, -0.6)),  # ahead, turning and rocking
        ((0.0, -0.008, 0.0), (0.0, 0.0, 0.4)),  # backwards
    ],
)
def test_the_motion_of_the_camera_is_found(rotation, translation):
    motion = estimate_camera_motion(displacement(rotation, translation, -1), CAMERA)
    assert torch.allclose(motion.rotation[0], torch.tensor(rotation, dtype=torch.float64), atol=3e-4)
    direction = torch.tensor(translation, dtype=torch.float64)
    assert torch.dot(motion.translation[0], direction / direction.norm()) > 0.999


def test_inexact_flow_hardly_turns_a_camera_that_drives_slowly_straight_on():
    """An error of yaw is extrapolated; that of the best of minimal samples is six times as large."""
    draw = torch.Generator().manual_seed(0)
    errors = []
    for _ in range(8):
        noise = F.interpolate(torch.randn((1, 2, 12, 20), generator=draw), size=SIZE, mode='bilinear')
        flow = displacement((0.0, 0.0, 0.0), (0, 0, -0.15), -1) + 0.2 * noise
        motion = estimate_camera_motion(flow, CAMERA)
        assert motion.translation[0, 2] < -0.9
        errors.append(motion.rotation[0, 1])
    assert torch.stack(errors).square().mean().sqrt() < 1e-3


@pytest.mark.parametrize('steps', [1, 2, 3])
@pytest.mark.parametrize('translation', [(0.0, 0.0, -0.3), (0.02, 0.01, -0.3), (0.0, 0.0, 0.3)])
def test_perspective_is_exact_for_a_rigid_scene(steps, translation):
    """Against projection in 3D; where q is clamped nothing can be exact, and the median moves corners."""
    direction = torch.tensor([translation], dtype=torch.float64)
    motion = CameraMotion(torch.zeros(1, 3, dtype=torch.float64), direction / direction.norm())
    moved, share = parallax(displacement((0, 0, 0), translation, -1), motion, CAMERA)
    found, _ = extrapolate(moved, share, motion.rotation, CAMERA, steps)
    truth = displacement((0, 0, 0), translation, steps)
    straight, _ = extrapolate(moved, share, motion.rotation, CAMERA, steps, perspective=False)
    error, without = ((part - truth).norm(dim=1) for part in (found, straight))
    assert error.median() < 0.02 * steps and error.mean() < 0.4 * without.mean()


@pytest.mark.parametrize('across, along', [(0.0, 3.0), (0.9, 3.0), (2.0, 3.0), (6.0, 3.0), (6.0, 0.0)])
def test_parallax_across_the_lines_through_the_epipole(across, along):
    """By hand below the epipole: q = a / y times a^2 / (a^2 + 4 (c^2 - 1)) for more than a pixel c across."""
    forward = torch.tensor([[0.0, 0.0, -1.0]], dtype=torch.float64)
    motion = CameraMotion(torch.zeros_like(forward), forward)
    flow = torch.tensor([-across, -along], dtype=torch.float64)[None, :, None, None].expand(1, 2, *SIZE)
    moved, share = parallax(flow, motion, CAMERA)
    column, row = SIZE[1] // 2 + across, SIZE[0] // 2 + 30  # its earlier position is right below the epipole
    y = 30 - along
    factor = 1 if across < 1 else along**2 / (along**2 + 4 * (across**2 - 1))
    assert torch.allclose(moved, -flow)
    assert share[0, 0, row, round(column)].item() == pytest.approx(
        along * y / (y**2 + 25) * factor, rel=0.05, abs=1e-6
    )


def test_acceleration_must_be_seen_in_two_steps():
    """By hand: v = (8, 0) and q = 0.25, so p = 0.2 and a rigid scene had 8 * 0.8 / 1.2 = 5.33 before."""
    moved = torch.tensor([8.0, 0.0])[None, :, None, None].expand(1, 2, 20, 130)
    share = torch.full((1, 1, 20, 130), 0.25)
    rigid, constant, steady = moved * 0.8 / 1.2, moved, torch.zeros(1)
    assert torch.equal(acceleration_seen(moved, share, rigid, steady), torch.ones_like(share))
    found = acceleration_seen(moved, share, constant, steady)
    error = (8 - 8 * 0.8 / 1.2) ** 2
    wrong = 0.5 + 0.04 * 8**2
    assert torch.allclose(found, torch.full_like(found, (wrong / (error + wrong) / 0.7) ** 2))
    # in the middle both fit as well, and the scene may be rigid
    assert torch.equal(acceleration_seen(moved, share, (rigid + constant) / 2, steady), torch.ones_like(share))


def two_steps(speed, translation=(0.0, 0.0, -0.3)):
    """``v`` and ``q`` of the newest step, and the parallax of the step before at ``speed`` times the speed."""
    direction = torch.tensor([translation], dtype=torch.float64)
    motion = CameraMotion(torch.zeros(1, 3, dtype=torch.float64), direction / direction.norm())
    back = displacement((0, 0, 0), translation, -1)
    further = displacement((0, 0, 0), [(1 + speed) * part for part in translation], -1)
    return *parallax(back, motion, CAMERA), back - further


@pytest.mark.parametrize('speed', [0.8, 0.95, 1.0, 1.1])
def test_the_change_of_speed_is_exact_for_a_rigid_scene(speed):
    """Against projection in 3D."""
    moved, share, earlier = two_steps(speed)
    found = speed_change(moved, share, earlier)
    assert found.item() == pytest.approx(1 - speed, abs=0.005)
    error = (earlier_parallax(moved, share, found) - earlier).norm(dim=1)
    assert error.median() < 0.03 and error.median() < 0.1 * moved.norm(dim=1).median()


def test_pixels_that_disagree_tell_little_of_the_speed():
    moved, share, earlier = two_steps(0.9)
    noise = 1 + torch.randn(earlier.shape[-2:], generator=torch.Generator().manual_seed(0))
    assert 0 <= speed_change(moved, share, earlier * noise).item() < 0.05
    assert not speed_change(moved * 0.01, share, earlier * 0.01).any()  # less than a pixel


def test_the_way_of_a_camera_that_brakes():
    moved, share, earlier = two_steps(1.0)
    camera = CameraMotion(torch.zeros(1, 3, dtype=torch.float64), torch.tensor([[0.0, 0.0, -1.0]]).double())

    def way(change, **options):
        step = ObservedMotion(moved, share, camera, torch.zeros(1), torch.tensor([change]))
        return [EgoMotion(**options).future_way(step, steps).item() for steps in (1, 2, 3)]

    assert way(0.0) == [1, 2, 3]
    assert way(-0.2) == pytest.approx([0.8, 1.4, 1.8])
    assert way(-0.2, speed_acceleration=0.5) == pytest.approx([0.9, 1.7, 2.4])
    assert way(-0.4) == pytest.approx([0.6, 0.8, 0.8])  # it halts, and stays
    assert way(0.1) == pytest.approx([1.1, 2.3, 3.6])
    step = ObservedMotion(moved, share, camera, torch.zeros(1).double(), torch.tensor([-0.2]).double())
    field, _ = EgoMotion().backward_field(step, 3)
    truth, steady = (displacement((0, 0, 0), (0, 0, -0.3 * part), -1) for part in (1.8, 3))
    inside = (slice(None), slice(None), slice(20, -20), slice(40, -40))
    errors = [(field - part)[inside].norm(dim=1).median() for part in (truth, steady)]
    assert errors[0] < 0.5 * errors[1]


def test_vehicles_ahead_in_a_fast_turn_are_not_taken_for_near():
    street = generate_sequence(0, 'val', 2, 128, 256, num_frames=14)
    times = [4, 7, 10, 13]
    frames = torch.from_numpy(street['frames'][times]).permute(0, 3, 1, 2)[None].float()
    labels = torch.from_numpy(street['label_ids'][times]).long()
    scores = F.one_hot(labels[2], 34).permute(2, 0, 1)[None, None].float()
    future = EgoMotion()([scores], ForecastContext(frames=frames[:, :3], samples=[]))[0]
    forecast, truth = future[0, 0].argmax(dim=0), labels[3]
    moving = [
        ((forecast == label) & (truth == label)).sum() / ((forecast == label) | (truth == label)).sum()
        for label in range(24, 34)
        if (truth == label).any()
    ]
    assert torch.stack(moving).mean() > 0.55  # 0.5 without a look at the step before


@pytest.mark.parametrize('failed', [0, 1])
def test_a_failed_estimate_is_no_change_of_yaw(failed):
    """Rotation and translation are zero where nothing is known: the camera has not stopped turning."""
    flow = displacement((0.0, 0.03, 0.0), (0, 0, -0.2), -1)
    turning = CameraMotion(
        torch.tensor([[0.0, 0.03, 0.0]], dtype=torch.float64),
        torch.tensor([[0.0, 0.0, -1.0]], dtype=torch.float64),
    )
    unknown = CameraMotion(torch.zeros_like(turning.rotation), torch.zeros_like(turning.translation))
    steps = [(flow, turning), (flow, turning)]
    steps[failed] = flow, unknown
    assert not EgoMotion().newest_motion(steps).yaw_change.any()
    steps[failed] = flow, replace(turning, rotation=turning.rotation * 0.5)
    change = EgoMotion().newest_motion(steps).yaw_change.item()
    assert change == pytest.approx(-0.015 if failed == 0 else 0.015)


def observed(backward, motion):
    """A step without a change of yaw or speed."""
    zero = torch.zeros(1, dtype=torch.float64)
    return ObservedMotion(*parallax(backward, motion, CAMERA), motion, zero, zero)


def test_a_turn_in_place_goes_on_as_a_rotation():
    rotation = (0.0, 0.02, 0.0)
    motion = estimate_camera_motion(displacement(rotation, (0, 0, 0), -1), CAMERA)
    assert torch.allclose(motion.rotation[0], torch.tensor(rotation, dtype=torch.float64), atol=1e-3)
    backward = displacement(rotation, (0, 0, 0), -1)
    field, _ = EgoMotion().backward_field(observed(backward, motion), steps=3)
    inside = (slice(None), slice(None), slice(10, -10), slice(40, -40))
    assert (field - displacement(rotation, (0, 0, 0), -3))[inside].abs().mean() < 0.5


def test_pitch_and_roll_go_on_but_of_a_car():
    rotation = (0.01, 0.0, 0.01)
    backward = displacement(rotation, (0, 0, -0.01), -1)
    for direction, expected in (((0, 0, -1), False), ((0, 0, 0), True), ((0.8, 0, -0.6), True)):
        motion = CameraMotion(
            torch.tensor([rotation], dtype=torch.float64), torch.tensor([direction], dtype=torch.float64)
        )
        field, _ = EgoMotion(perspective=False).backward_field(observed(backward, motion), steps=2)
        repeated, _ = EgoMotion(perspective=False, keep=(1, 1, 1)).backward_field(
            observed(backward, motion), steps=2
        )
        assert repeated.abs().mean() > 1.5
        assert torch.equal(field, repeated) if expected else field.abs().mean() < 0.3


@pytest.mark.parametrize('seed', [0, 1])
def test_rubbish_flow_is_repeated_as_it_is(seed):
    noise = 20 * torch.rand(1, 2, *SIZE, generator=torch.Generator().manual_seed(seed)).double() - 10
    motion = estimate_camera_motion(noise, CAMERA)
    assert not motion.rotation.any() and not motion.translation.any()
    moved, share = parallax(noise, motion, CAMERA)
    found, _ = extrapolate(moved, share, motion.rotation, CAMERA, steps=2)
    assert torch.allclose(found, -2 * noise, atol=1e-9)


def test_not_finite_flow_is_no_motion():
    flow = torch.full((1, 2, *SIZE), math.nan)
    motion = estimate_camera_motion(flow, CAMERA)
    assert not motion.rotation.any() and not motion.translation.any()


def test_near_is_drawn_over_far_and_holes_are_filled():
    shift = torch.zeros(1, 2, 16, 16)
    nearness = torch.zeros(1, 1, 16, 16)
    shift[:, 0, 4:12, 2:6] = 4  # a near block moves by 4 to the right, onto the far rest
    nearness[..., 4:12, 2:6] = 1
    field, known = invert_displacement(shift, nearness)
    assert (field[0, 0, 6:10, 7:9] == -4).all() and (field[0, :, :2] == 0).all()
    assert not known[0, 0, 5:11, 2:6].any() and known[0, 0, 5:11, 6:].all()
    assert torch.isfinite(field).all()


def test_a_uniform_shift_is_inverted():
    shift = torch.tensor([3.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 20, 24)
    field, known = invert_displacement(shift, torch.zeros(1, 1, 20, 24))
    assert torch.allclose(field, -shift)
    assert int(known.sum()) == 18 * 21


def test_known_values_stay_when_holes_are_filled():
    field, known = torch.randn(2, 3, 17, 23), torch.rand(2, 1, 17, 23) > 0.7
    filled = fill_holes(field, known)
    assert torch.allclose(filled[known.expand_as(field)], field[known.expand_as(field)])
    outside = ~known.expand_as(field)
    assert filled[outside].abs().max() <= field.abs().max() and torch.isfinite(filled).all()
    assert not fill_holes(field, torch.zeros_like(known)).any()


def test_median():
    row = torch.randn(1, 2, 1, 40)
    windows = torch.nn.functional.pad(row, (2, 2, 0, 0), mode='replicate').unfold(-1, 5, 1)
    assert torch.equal(median_filter(row), windows.median(dim=-1).values)
    assert torch.equal(median_filter(row.transpose(2, 3)), median_filter(row).transpose(2, 3))


def test_rotations_and_homographies():
    turn = rotation_matrix(torch.tensor([[0.0, 0.0, math.pi / 2]]))
    assert torch.allclose(turn[0] @ torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 0]), atol=1e-6)
    points = torch.rand(2, 2, 3, 4)
    assert torch.allclose(apply_homography(torch.eye(3)[None], points), points)
    scaled = apply_homography(torch.diag(torch.tensor([2.0, 2.0, 4.0]))[None], points)
    assert torch.allclose(scaled, points / 2)


@pytest.mark.parametrize('velocity', [(0.0, 0.0, -1.0), (0.4, 0.1, -0.8), (-0.6, 0.0, 0.7)])
def test_an_object_moves_as_one_piece(velocity):
    """A flat object with a motion of its own, by projection in 3D, at three steps."""
    grid = pixel_grid(torch.zeros(1, 2, *SIZE, dtype=torch.float64))
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[30:66, 60:100] = True
    velocity, depth = torch.tensor(velocity, dtype=torch.float64), 8.0
    points = rays() * depth

    def project(at):
        pixels = CAMERA @ at
        return (pixels[:2] / pixels[2:]).unflatten(1, SIZE)[None]

    moved = grid - project(points - velocity[:, None])
    unknown = torch.zeros(1, *SIZE, dtype=torch.float64)
    found = object_parallax(moved[0], unknown, mask)
    assert found[2] == pytest.approx(-velocity[2].item() / depth, abs=0.02)
    still = torch.zeros(3, dtype=torch.float64)
    later = move_mask(mask, found, still, CAMERA, steps=3)
    # the corners of the mask, three steps ahead
    target = project(points + 3 * velocity[:, None])[0]
    corners = [target[:, 30, 60], target[:, 65, 99]]
    truth = torch.zeros(SIZE, dtype=torch.bool)
    (left, top), (right, bottom) = ([round(value) for value in corner.tolist()] for corner in corners)
    truth[top : bottom + 1, left : right + 1] = True
    assert (later & truth).sum() / (later | truth).sum() > 0.93


def test_outliers_in_a_mask_are_ignored():
    moved = torch.zeros(2, 40, 40)
    moved[0] = 3.0
    moved[:, 18:22, 18:30] = -20  # flow of the background, seen through a hole
    mask = torch.ones(40, 40, dtype=torch.bool)
    mean, _, share = object_parallax(moved, torch.zeros(1, 40, 40), mask)
    assert torch.allclose(mean, torch.tensor([3.0, 0.0]), atol=0.3) and share.abs() < 0.02


def frames_of(batch, count):
    """Textured frames that shift by two pixels a step: (B, T, 3, 64, 96)."""
    generator = torch.Generator().manual_seed(3)
    picture = torch.rand(batch, 3, 20, 40, generator=generator) * 255
    picture = torch.nn.functional.interpolate(picture, size=(64, 140), mode='bicubic').clamp(0, 255)
    return torch.stack([picture[..., 40 - 2 * t : 136 - 2 * t] for t in range(count)], dim=1)


def test_a_standing_camera_is_copy_last():
    frames = frames_of(1, 1).expand(-1, 4, -1, -1, -1)
    past = [torch.randn(1, 4, 5, 16, 24)]
    context = ForecastContext(frames=frames, samples=[])
    for context.step in range(3):
        (future,) = EgoMotion()(past, context)
        assert torch.allclose(future[:, 0], past[0][:, -1], atol=1e-5)


def test_levels_batches_and_steps():
    """Every clip and level is forecast as it is alone, from the newest observed maps at every step."""
    frames = frames_of(2, 4)
    past = [torch.randn(2, 4, 3, 32, 48), torch.randn(2, 4, 3, 16, 24)]
    together = ForecastContext(frames=frames, samples=[])
    predictor, window = EgoMotion(), past
    for step in range(2):
        together.step = step
        out = predictor(window, together)
        for clip in range(2):
            alone = ForecastContext(frames=frames[clip : clip + 1], samples=[], step=step)
            for level in range(2):
                (single,) = predictor([past[level][clip : clip + 1]], alone)
                assert torch.allclose(single, out[level][clip : clip + 1], atol=1e-5)
                alone.state.clear()
        window = [torch.cat([maps[:, 1:], new], dim=1) for maps, new in zip(window, out)]


def test_uniform_motion_is_forecast_as_by_flow():
    frames = frames_of(1, 4)
    picture = [frames / 255]
    context = ForecastContext(frames=frames, samples=[])
    # a flat scene doesn't tell a yaw from a shift to the side, so its change is noise
    (ours,) = EgoMotion(yaw_acceleration=0)(picture, context)
    (flow,) = FlowWarp()(picture, ForecastContext(frames=frames, samples=[]))
    inside = (slice(None), slice(None), slice(None), slice(8, -8), slice(16, -16))
    assert (ours - flow)[inside].abs().mean() < 0.02
    assert dis_flow(frames[:, -1], frames[:, -2])[..., 8:-8, 16:-16].mean(dim=(0, 2, 3))[0] == pytest.approx(
        -2, abs=0.3
    )


def test_wide_frames_are_reduced_first():
    frames = frames_of(1, 3)
    wide = torch.nn.functional.interpolate(frames[0], scale_factor=4, mode='bilinear')[None]
    past = [torch.randn(1, 3, 2, 16, 24)]
    (fine,) = EgoMotion()(past, ForecastContext(frames=frames, samples=[]))
    (reduced,) = EgoMotion(max_width=96)(past, ForecastContext(frames=wide, samples=[]))
    assert (fine - reduced).abs().mean() < 0.05


def instances_in(frames):
    masks = torch.zeros(2, *frames.shape[-2:], dtype=torch.bool)
    masks[0, 20:40, 40:60] = True
    masks[1, 5:15, 20:44] = True
    found = InstanceData(labels=torch.tensor([0, 1]), scores=torch.tensor([0.9, 0.6]), masks=masks)
    found.bboxes = mask2bbox(masks).float()
    return found


@pytest.mark.parametrize('with_masks', [True, False])
def test_instances_of_a_standing_camera_stay(with_masks):
    frames = frames_of(1, 1).expand(-1, 4, -1, -1, -1)
    found = instances_in(frames)
    given = found.clone() if with_masks else InstanceData(**{k: v for k, v in found.items() if k != 'masks'})
    for moved in EgoInstanceMotion(frames).move(0, given, 3):
        assert torch.allclose(moved.bboxes, found.bboxes, atol=1e-3)
        assert torch.equal(moved.scores, found.scores)
        assert ('masks' in moved) == with_masks
        if with_masks:
            assert torch.equal(moved.masks, found.masks)


def test_instances_move_with_the_picture():
    frames = frames_of(2, 4)  # everything moves right by two pixels a step
    for clip in range(2):
        found = instances_in(frames)
        moved = EgoInstanceMotion(frames).move(clip, found, 2)[1]
        for mask, later in zip(found.masks, moved.masks):
            truth = torch.roll(mask, 4, dims=1)
            assert (truth & later).sum() / (truth | later).sum() > 0.8


def test_instances_that_leave_the_frame_are_dropped():
    frames = frames_of(1, 4)
    found = instances_in(frames)
    found.masks[0] = False
    found.masks[0, 20:30, 92:96] = True
    found.bboxes = mask2bbox(found.masks).float()
    assert EgoInstanceMotion(frames).move(0, found, 3)[2].labels.tolist() == [1]
    assert len(EgoInstanceMotion(frames).move(0, found[:0], 1)[0]) == 0


def test_bad_input():
    with pytest.raises(ValueError, match='at least 2 observed frames'):
        EgoMotion()([torch.zeros(1, 1, 2, 8, 8)], ForecastContext(frames=frames_of(1, 1), samples=[]))
    with pytest.raises(ValueError, match='EgoMotion: focal must be above 0'):
        EgoMotion(focal=0)


def test_people_before_a_still_camera_are_no_camera_motion():
    """Large parts that move in ways of their own fit some essential matrix, but not its epipole."""
    torch.manual_seed(0)
    flow = torch.zeros(1, 2, *SIZE)
    for row in range(0, SIZE[0], 24):
        for column in range(0, SIZE[1], 20):
            flow[0, :, row : row + 24, column : column + 20] = 4 * torch.randn(2)[:, None, None]
    motion = estimate_camera_motion(flow, CAMERA)
    assert not motion.rotation.any() and not motion.translation.any()


@pytest.mark.parametrize(
    ('now', 'before', 'believed'),
    [
        ((0.0, 0.0, -1.0), (0.1, 0.0, -0.995), True),
        ((0.6, 0.0, -0.8), (0.6, 0.0, -0.8), True),  # a camera that looks aside of where it goes
        ((0.6, 0.0, -0.8), (-0.6, 0.0, -0.8), False),
        ((0.0, 0.0, -1.0), (0.0, 0.0, 1.0), True),  # the sign hardly shows where all is far
        ((0.0, 0.0, -1.0), (0.0, 0.0, 0.0), True),  # the first step after a halt
        ((0.6, 0.0, -0.8), (0.0, 0.0, 0.0), False),
        ((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), True),  # a turn in place
    ],
)
def test_the_step_before_confirms_a_translation(now, before, believed):
    rotation = torch.tensor([[0.01, 0.02, 0.0]], dtype=torch.float64)
    steps = [CameraMotion(rotation, torch.tensor([part], dtype=torch.float64)) for part in (now, before)]
    camera = EgoMotion().newest_motion([(torch.ones(1, 2, *SIZE), step) for step in steps]).camera
    assert torch.equal(camera.rotation, rotation * believed)
    assert torch.equal(camera.translation, steps[0].translation * believed)


def test_the_nearer_is_in_front_or_averaged():
    moved, share = torch.zeros(1, 2, 40, 80), torch.zeros(1, 1, 40, 80)
    moved[:, 0, 10:30, 20:40], share[:, :, 10:30, 20:40] = 12.0, 1e-4
    zero = torch.zeros(1, 3, dtype=torch.float64)
    ahead = zero + torch.tensor([0.0, 0.0, 1.0])
    step = ObservedMotion(moved, share, CameraMotion(zero, ahead), zero[:, 0], zero[:, 0])
    front, _ = EgoMotion().backward_field(step, 1)
    mean, _ = EgoMotion(occlusion=False).backward_field(step, 1)
    # of the place where the block lands on the ground beside it
    assert front[0, 0, 20, 46].item() == pytest.approx(-12, abs=0.01)
    assert mean[0, 0, 20, 46].item() == pytest.approx(-6, abs=0.01)


@pytest.mark.parametrize('most, block', [(0.0, 6.0), (2.0, 6.0), (4.0, 0.0), (-2.0, 3.0)])
def test_without_depth_what_moves_unlike_most_is_in_front(most, block):
    """A car that passes a standing or panning camera covers what is behind it, and is not mixed with it."""
    moved = torch.full((1, 2, 40, 120), most)
    moved[:, 1] = 0
    moved[:, 0, 10:30, 40:60] = block
    zero = torch.zeros(1, 3, dtype=torch.float64)
    share = torch.zeros(1, 1, 40, 120)
    step = ObservedMotion(moved, share, CameraMotion(zero, zero), zero[:, 0], zero[:, 0])
    field, _ = EgoMotion().backward_field(step, 3)
    left = round(40 + 3 * block)
    assert torch.allclose(field[0, 0, 12:28, left + 2 : left + 18], torch.tensor(-3 * block), atol=0.01)
    assert torch.allclose(field[0, 0, :8, 20:100], torch.tensor(-3 * most), atol=0.01)


def test_rotations_are_the_exponential_of_the_cross_product():
    draw = torch.Generator().manual_seed(0)
    vectors = torch.randn((20, 3), generator=draw, dtype=torch.float64)
    vectors[:3] *= torch.tensor([0.0, 1e-9, 1e-3])[:, None]
    x, y, z = vectors.unbind(1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
    expected = torch.linalg.matrix_exp(cross)
    torch.testing.assert_close(rotation_matrix(vectors), expected, rtol=0, atol=1e-14)
    camera = intrinsics((60, 100), 0.8)
    expected = camera @ expected @ torch.linalg.inv(camera)
    torch.testing.assert_close(rotation_homography(camera, vectors), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('radius', [0, 1, 4])
def test_window_means_stay_within_the_frame(radius):
    maps = torch.rand((1, 2, 5, 7), generator=torch.Generator().manual_seed(0))
    expected = torch.empty_like(maps)
    for y in range(5):
        for x in range(7):
            window = maps[..., max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
            expected[..., y, x] = window.mean(dim=(-2, -1))
    torch.testing.assert_close(_window_mean(maps, radius), expected)
