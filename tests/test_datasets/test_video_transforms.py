"""Crops where something moves, and sizes that a network can halve."""

import numpy as np
import pytest
import torch

from mmforecast.datasets.motion import color_flow_mask, squared_motion
from mmforecast.datasets.transforms import (
    ClipCropToMultiple,
    ClipMotionCrop,
    ClipPadToMultiple,
    ClipRandomCrop,
    PackForecastInputs,
)


def clip(height=40, width=60, frames=None, **fields):
    if frames is None:
        frames = np.random.default_rng(0).integers(0, 256, (3, height, width, 3)).astype(np.uint8)
    return dict(
        frames=frames,
        sequence_id='s0',
        frame_indices=[0, 1, 2],
        num_past=2,
        num_future=1,
        img_shape=frames.shape[1:3],
        ori_shape=frames.shape[1:3],
        **fields,
    )


def moving_square(top=8, left=40, size=8, change=100):
    """Still frames but for a square that is brighter in the last one."""
    frames = np.full((3, 40, 60, 3), 60, np.uint8)
    frames[-1, top : top + size, left : left + size] += change
    return frames


def test_squared_motion_by_hand():
    before, after = np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2, 1), np.uint8)
    after[0, 0], before[1, 1] = 255, 51  # 2 and -0.4 on [-1, 1]
    assert squared_motion(before, after) == pytest.approx((4 + 0.16) / 4)
    assert squared_motion(after, before) == squared_motion(before, after)


def test_color_flow_mask_by_hand():
    flow = np.full((1, 5, 3), 255, np.uint8)
    flow[0, 1] = 0
    flow[0, 2, 1] = 50
    flow[0, 3] = 51
    assert color_flow_mask(flow).tolist() == [[False, True, True, False, False]]


def test_motion_crop_finds_what_moves():
    crop = ClipMotionCrop((8, 8), min_motion=0.001, max_redraws=10_000)
    for _ in range(20):
        result = crop(clip(frames=moving_square()))
        assert result['frames'].shape == (3, 8, 8, 3) and result['img_shape'] == (8, 8)
        frames = result['frames']
        assert squared_motion(frames[-2], frames[-1]) > 0.001


def test_motion_is_that_of_the_last_two_frames():
    frames = moving_square()[[0, 2, 2]]  # it moved between the first two
    assert squared_motion(frames[0], frames[1]) > 0
    crop = ClipMotionCrop((8, 8), min_motion=0, max_redraws=50)
    draws = count_draws(crop, clip(frames=frames))
    assert draws == 51


def count_draws(crop, results):
    draw, draws = ClipRandomCrop.draw_corner, []
    try:
        ClipRandomCrop.draw_corner = lambda *args: draws.append(1) or draw(*args)
        crop(results)
    finally:
        ClipRandomCrop.draw_corner = draw
    return len(draws)


@pytest.mark.parametrize('redraws', [0, 1, 25])
def test_still_clip_is_taken_after_the_last_redraw(redraws):
    still = np.full((3, 40, 60, 3), 7, np.uint8)
    assert count_draws(ClipMotionCrop((8, 8), 0.0, redraws), clip(frames=still)) == redraws + 1


def test_threshold_is_per_element():
    """The whole frame: 64 of 2400 pixels differ by 100 of 127.5."""
    exact = (100 / 127.5) ** 2 * 64 / 2400
    for factor, draws in ((0.999, 1), (1.001, 26)):
        crop = ClipMotionCrop((40, 60), min_motion=factor * exact)
        assert count_draws(crop, clip(frames=moving_square())) == draws


def test_without_threshold_it_is_the_random_crop():
    results = []
    for crop in (ClipRandomCrop((8, 8)), ClipMotionCrop((8, 8), min_motion=0)):
        np.random.seed(3)
        results.append(crop(clip())['frames'])
    np.testing.assert_array_equal(*results)


def test_motion_crop_cuts_flipped_clips_and_masks():
    frames = moving_square()
    mask = (frames[-1:] != frames[-2:-1]).any(-1)
    results = clip(frames=frames[:, :, ::-1], gt_motion_mask=mask[:, :, ::-1])
    result = ClipMotionCrop((8, 8), min_motion=1e-4, max_redraws=10_000)(results)
    moved = (result['frames'][-1] != result['frames'][-2]).any(-1)
    assert moved.any() and (result['gt_motion_mask'][0] == moved).all()


def test_motion_crop_of_bad_input():
    with pytest.raises(ValueError, match='min_motion must be 0 or more, got -1'):
        ClipMotionCrop((8, 8), min_motion=-1)
    with pytest.raises(ValueError, match='max_redraws must be an integer >= 0, got -1'):
        ClipMotionCrop((8, 8), max_redraws=-1)
    with pytest.raises(ValueError, match='last two frames of a clip, but sequence s0 has 1'):
        ClipMotionCrop((8, 8))(clip(frames=moving_square()[:1]))
    with pytest.raises(ValueError, match=r'crop size \(48, 8\) is larger than the clip'):
        ClipMotionCrop((48, 8))(clip())


def labelled_clip(height, width):
    rng = np.random.default_rng(1)
    return clip(
        height,
        width,
        gt_sem_seg=rng.integers(0, 19, (3, height, width)).astype(np.uint8),
        gt_instance_map=rng.integers(0, 34, (3, height, width)).astype(np.int32),
        gt_motion_mask=rng.random((1, height, width)) < 0.5,
    )


FIELDS = ('frames', 'gt_sem_seg', 'gt_instance_map', 'gt_motion_mask')


@pytest.mark.parametrize(
    'size, box', [((43, 60), (2, 1, 58, 41)), ((40, 64), (0, 0, 64, 40)), ((8, 15), (3, 0, 11, 8))]
)
def test_crop_to_multiple_is_central(size, box):
    before = labelled_clip(*size)
    after = ClipCropToMultiple()(dict(before))
    left, top, right, bottom = after['crop_box']
    assert after['crop_box'] == box
    assert after['img_shape'] == (bottom - top, right - left) == after['frames'].shape[1:3]
    assert all(length % 8 == 0 for length in after['img_shape'])
    for key in FIELDS:
        np.testing.assert_array_equal(after[key], before[key][:, top:bottom, left:right])


@pytest.mark.parametrize('size, padded', [((43, 60), (48, 64)), ((40, 64), (40, 64))])
def test_pad_to_multiple_mirrors_and_can_be_taken_back(size, padded):
    before = labelled_clip(*size)
    after = ClipPadToMultiple()(dict(before))
    height, width = after['unpadded_shape']
    assert (height, width) == size and after['img_shape'] == padded
    for key in FIELDS:
        assert after[key].shape[:3] == (len(before[key]), *padded)
        assert after[key].dtype == before[key].dtype
        np.testing.assert_array_equal(after[key][:, :height, :width], before[key])
    mirrored = np.pad(
        before['frames'],
        ((0, 0), (0, padded[0] - height), (0, padded[1] - width), (0, 0)),
        mode='reflect',
    )
    np.testing.assert_array_equal(after['frames'], mirrored)
    beside = np.ones(padded, bool)
    beside[:height, :width] = False
    for key, value in (('gt_sem_seg', 255), ('gt_instance_map', -1), ('gt_motion_mask', False)):
        assert (after[key][:, beside] == value).all()


def test_frames_smaller_than_the_divisor():
    assert ClipPadToMultiple(16)(clip(3, 5))['frames'].shape == (3, 16, 16, 3)
    with pytest.raises(ValueError, match='s0 are 3x40, and no part .* 8: use ClipPadToMultiple'):
        ClipCropToMultiple()(clip(3, 40))


@pytest.mark.parametrize('transform', [ClipCropToMultiple, ClipPadToMultiple])
def test_multiples_refuse_what_would_no_longer_match(transform):
    with pytest.raises(ValueError, match='does not act on scores'):
        transform()(clip(scores=np.zeros((3, 2, 5, 5), np.float16)))
    with pytest.raises(ValueError, match='does not act on features'):
        transform()(clip(features=[]))
    with pytest.raises(ValueError, match='divisor must be an integer >= 1, got 0'):
        transform(0)


def test_packed_sample_says_what_was_done():
    pack = PackForecastInputs()
    cropped = pack(ClipCropToMultiple()(labelled_clip(43, 60)))['data_samples']
    assert cropped.crop_box == (2, 1, 58, 41) and cropped.ori_shape == (43, 60)
    assert cropped.gt_motion_mask.data.shape == (1, 40, 56)
    assert cropped.gt_motion_mask.data.dtype == torch.bool
    padded = pack(ClipPadToMultiple()(labelled_clip(43, 60)))
    assert padded['data_samples'].unpadded_shape == (43, 60)
    assert padded['inputs'].shape == (3, 3, 48, 64)
