"""Which pixels of a clip move."""

import numpy as np
import pytest
import torch

from mmforecast.evaluation.functional import moving_pixels
from mmforecast.models.utils import dis_flow


@pytest.fixture
def frames():
    """A textured square of 24x24 that moves 3 pixels to the right, then rests, on a still textured ground."""
    rng = np.random.default_rng(0)
    ground = rng.uniform(0, 255, (3, 16, 16)).repeat(4, axis=1).repeat(4, axis=2)
    square = rng.uniform(0, 255, (3, 12, 12)).repeat(2, axis=1).repeat(2, axis=2)
    clip = np.stack([ground] * 3)
    for frame, left in zip(clip, (16, 19, 19)):
        frame[:, 20:44, left : left + 24] = square
    return clip


def test_what_moves_is_marked_where_it_was(frames):
    masks = moving_pixels(frames, threshold=1.5)
    assert masks.shape == (2, 64, 64) and masks.dtype == bool
    assert masks[0, 24:40, 20:36].mean() > 0.95
    assert masks[0, :10].mean() == masks[0, 54:].mean() == 0
    assert not masks[1].any()
    np.testing.assert_array_equal(masks, moving_pixels(torch.from_numpy(frames), threshold=1.5))


def test_the_threshold_is_in_pixels_of_the_flow(frames):
    flow = dis_flow(*torch.from_numpy(frames[:2]).split(1)).norm(dim=1)[0].numpy()
    for threshold in (0.5, 2.0, 2.9):
        (mask,) = moving_pixels(frames[:2], threshold)
        np.testing.assert_array_equal(mask, flow >= threshold)


def test_bad_arguments_are_named(frames):
    with pytest.raises(ValueError, match='moving_pixels: threshold must be above 0, got 0'):
        moving_pixels(frames, threshold=0)
    with pytest.raises(ValueError, match='at least 16x16 pixels, got 15x64'):
        moving_pixels(frames[:, :, :15])
