"""Animations and the files they go into."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmforecast.visualization import forecast_animation, write_gif
from mmforecast.visualization.drawing import RED
from mmforecast.visualization.palette import class_shades, track_colors

PALETTE = [(10, 20, 30), (200, 100, 0)]
HEADER, HEADING, GAP = 52, 28, 8


def panels(picture, height=64, width=128, count=2, row=0):
    """The panels of one row of an animation picture."""
    top = HEADER + HEADING + row * (HEADING + height + 4)
    return [
        picture[top : top + height, left : left + width]
        for left in (GAP + index * (width + GAP) for index in range(count))
    ]


def is_bordered(panel):
    edge = np.concatenate([panel[0], panel[-1], panel[:, 0], panel[:, -1]])
    return bool((edge == RED).all())


def test_past_plays_everywhere_then_forecasts_get_a_red_border(make_clip):
    sample, frames = make_clip()
    pictures = forecast_animation(
        sample,
        frames,
        {'copy last': sample.pred_sem_seg.data},
        PALETTE,
        ('road', 'car'),
        panel_height=64,
    )
    assert len(pictures) == 4
    assert len({picture.shape for picture in pictures}) == 1
    for index, picture in enumerate(pictures):
        truth, forecast = panels(picture)
        assert not is_bordered(truth)
        assert is_bordered(forecast) == (index >= 2)
        if index < 2:
            np.testing.assert_array_equal(truth, forecast)
        else:
            assert (truth[8:-8, 8:-8] != forecast[8:-8, 8:-8]).any()


def test_a_perfect_forecast_equals_the_truth_inside_its_border(make_clip):
    sample, frames = make_clip()
    perfect = sample.gt_sem_seg.data[2:].numpy()
    for given in (frames, None):
        for picture in forecast_animation(sample, given, {'S2S': perfect}, PALETTE, panel_height=64)[2:]:
            truth, forecast = panels(picture)
            np.testing.assert_array_equal(truth[8:-8, 8:-8], forecast[8:-8, 8:-8])


def test_labels_alone_have_their_plain_colors(make_clip):
    sample, _ = make_clip()
    picture = forecast_animation(sample, None, {'S2S': sample.pred_sem_seg.data}, PALETTE, panel_height=64)[0]
    # The square covers rows 4 to 11 and columns 4 to 11 of 16x32, four times enlarged.
    truth, _ = panels(picture)
    np.testing.assert_array_equal(truth[32, 32], PALETTE[1])
    np.testing.assert_array_equal(truth[2, 2], PALETTE[0])


def test_forecasts_may_run_past_the_data(make_clip):
    sample, frames = make_clip(num_future=1)
    long = np.zeros((3, 16, 32), dtype=int)
    assert len(forecast_animation(sample, frames, {'S2S': long}, PALETTE)) == 5
    sample, frames = make_clip(num_future=0)
    pictures = forecast_animation(sample, frames, {'S2S': long}, PALETTE, panel_height=64)
    assert len(pictures) == 5
    assert pictures[0].shape[1] == 128 + 2 * GAP  # no truth, no panel for it


def test_forecast_frames_are_shown_as_they_are(make_clip):
    sample, frames = make_clip()
    predicted = torch.full((2, 3, 8, 16), 299.0)
    pictures = forecast_animation(sample, frames, {'net': predicted}, panel_height=64)
    for index, picture in enumerate(pictures):
        truth, forecast = panels(picture)
        true_frame = cv2.resize(frames[index], (128, 64), interpolation=cv2.INTER_CUBIC)
        np.testing.assert_array_equal(truth, true_frame)
        assert is_bordered(forecast) == (index >= 2)
        if index >= 2:
            assert (forecast[4:-4, 4:-4] == 255).all()
    assert len(pictures) == 4
    # Without a true future there is no panel for it; label maps have a row below.
    alone = forecast_animation(sample, frames[:2], {'net': predicted}, panel_height=64)
    assert alone[0].shape[1] == 128 + 2 * GAP
    both = {'S2S': sample.pred_sem_seg.data, 'net': predicted}
    below = forecast_animation(sample, frames, both, PALETTE, panel_height=64)
    np.testing.assert_array_equal(panels(below[2])[1], panels(pictures[2])[1])
    assert is_bordered(panels(below[2], row=1)[1])


def test_instances_are_drawn_like_label_maps(make_instance_clip):
    sample, frames = make_instance_clip()
    frames = np.full_like(frames, 80)
    pictures = forecast_animation(sample, frames, {'F2F': sample.pred_instances}, panel_height=64, alpha=1)
    assert len(pictures) == 4
    car = track_colors([26001])[0]
    for index, picture in enumerate(pictures):
        truth, forecast = panels(picture)
        assert is_bordered(forecast) == (index >= 2)
        # Row 8 of 16x32, four times enlarged; the square begins in column 4 + index, and the
        # forecast stays with the last input's.
        start = 4 * (4 + index)
        np.testing.assert_array_equal(truth[32, start + 2], car)
        np.testing.assert_array_equal(truth[32, start - 1], (80, 80, 80))
        np.testing.assert_array_equal(forecast[32, 4 * (4 + min(index, 1)) + 2], car)


def test_instances_begin_a_row_below_label_maps(make_clip, make_instance_clip):
    sample, frames = make_clip()
    frames = np.full_like(frames, 80)
    maps, objects = sample.pred_sem_seg.data, make_instance_clip()[0].pred_instances
    settings = {'palette': PALETTE, 'classes': ('road', 'car'), 'panel_height': 64, 'alpha': 1}
    alone = forecast_animation(sample, frames, {'S2S': maps}, **settings)
    both = forecast_animation(sample, frames, {'F2F': objects, 'S2S': maps}, **settings)
    assert len(both) == len(alone) == 4
    row_height = HEADING + 64 + 4
    end = HEADER + row_height
    for with_objects, without in zip(both, alone, strict=True):
        assert len(with_objects) == len(without) + row_height
        np.testing.assert_array_equal(with_objects[:end], without[:end])
        np.testing.assert_array_equal(with_objects[end + row_height :], without[end:])
    # No true instance is known here: the truth is the frame, and the forecast has its class color.
    truth, forecast = panels(both[-1], row=1)
    assert (truth == 80).all() and is_bordered(forecast)
    np.testing.assert_array_equal(forecast[32, 40], class_shades([2])[0])


def test_unsure_instances_are_left_out(make_instance_clip):
    sample, frames = make_instance_clip()
    frames = np.full_like(frames, 80)
    pictures = forecast_animation(
        sample, frames, {'F2F': sample.pred_instances}, panel_height=64, score_thr=0.9
    )
    assert (panels(pictures[-1])[1][4:-4, 4:-4] == 80).all()


def test_gif_keeps_pictures_times_and_colors(tmp_path, make_clip):
    sample, frames = make_clip()
    pictures = forecast_animation(sample, frames, {'S2S': sample.pred_sem_seg.data}, PALETTE, ('road', 'car'))
    path = tmp_path / 'new' / 'clip.gif'
    write_gif(path, pictures, fps=4, hold_last=2)
    with Image.open(path) as gif:
        assert (gif.n_frames, gif.info['loop']) == (4, 0)
        durations = []
        for index, picture in enumerate(pictures):
            gif.seek(index)
            durations.append(gif.info['duration'])
            error = np.abs(np.asarray(gif.convert('RGB')).astype(int) - picture)
            assert error.max() <= 32
    assert durations == [250, 250, 250, 2000]


def test_pictures_of_a_gif_at_given_times(tmp_path):
    pictures = [np.full((8, 8, 3), shade, np.uint8) for shade in (0, 90, 200)]
    write_gif(tmp_path / 'a.gif', pictures, fps=10, hold_last=1, positions=[4, 5, 8])
    with Image.open(tmp_path / 'a.gif') as gif:
        durations = []
        for index in range(gif.n_frames):
            gif.seek(index)
            durations.append(gif.info['duration'])
    assert durations == [100, 300, 1000]


def test_rare_colors_survive_in_a_gif(tmp_path):
    """Six gray pixels of a pole between textured sky, trees and road stay gray."""
    rng = np.random.default_rng(0)
    colors = np.array([(70, 130, 180), (110, 140, 40), (128, 64, 128)])
    base = colors[rng.integers(0, 3, (12, 16))].repeat(8, axis=0).repeat(8, axis=1)
    picture = np.clip(base + rng.normal(0, 12, base.shape), 0, 255).astype(np.uint8)
    picture[40:43, 60:62] = 153
    write_gif(tmp_path / 'rare.gif', [picture])
    with Image.open(tmp_path / 'rare.gif') as gif:
        color = np.asarray(gif.convert('RGB'))[41, 61].astype(int)
    assert np.abs(color - 153).max() <= 8


def test_bad_arguments_are_named(tmp_path, make_clip):
    sample, frames = make_clip()
    maps = np.zeros((2, 16, 32), dtype=int)
    with pytest.raises(ValueError, match="same number of steps, at least 1: {'a': 2, 'b': 1}"):
        forecast_animation(sample, frames, {'a': maps, 'b': maps[:1]}, PALETTE)
    with pytest.raises(ValueError, match='same number of steps'):
        forecast_animation(sample, frames, {}, PALETTE)
    with pytest.raises(ValueError, match='pictures of one size'):
        write_gif(tmp_path / 'a.gif', [])
    with pytest.raises(ValueError, match='fps must be above 0, got 0'):
        write_gif(tmp_path / 'a.gif', list(frames), fps=0)
