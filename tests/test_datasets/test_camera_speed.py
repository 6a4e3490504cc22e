"""The speed of the camera, from the two newest past frames."""

import cv2
import numpy as np
import pytest

from mmforecast.datasets.transforms import ClipCameraSpeed, PackForecastInputs


def moving_clip(pixels, num_past=2):
    """Four frames of a smooth random pattern; the second is the first, moved right by so many pixels."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 160, 3), dtype=np.uint8)
    wide = cv2.GaussianBlur(noise, (0, 0), 2)
    wide = cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX)
    first, second = wide[:, 20:148], wide[:, 20 - pixels : 148 - pixels]
    frames = np.stack([first, second, 255 - second, first])
    return dict(frames=frames, num_past=num_past, frame_indices=range(4))


def test_speed_is_the_shift_in_widths():
    assert ClipCameraSpeed()(moving_clip(4))['camera_speed'] == pytest.approx(4 / 128, rel=0.1)
    assert ClipCameraSpeed()(moving_clip(0))['camera_speed'] == pytest.approx(0, abs=1e-3)


def test_speed_is_packed_with_the_sample():
    item = PackForecastInputs()(ClipCameraSpeed()(moving_clip(4)))
    assert item['data_samples'].camera_speed > 0


@pytest.mark.parametrize('clip', [moving_clip(4, num_past=1), dict(num_past=2)])
def test_a_clip_without_two_past_frames_is_refused(clip):
    with pytest.raises(ValueError, match='LoadClipFrames'):
        ClipCameraSpeed()(clip)
