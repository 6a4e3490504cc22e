"""Strips of forecast frames: a row per method."""

import numpy as np
import pytest
import torch

from mmforecast.visualization import frame_strip
from mmforecast.visualization.drawing import EMPTY, RED, YELLOW
from mmforecast.visualization.frame_strip import add_inset, busiest_box

GAP, NOW, TOP = 8, 24, 31


def flat(*values, height=32, width=48):
    """One gray frame per value."""
    return np.stack([np.full((height, width, 3), value, dtype=np.uint8) for value in values])


def panels(strip, rows, columns, num_past, size):
    """The pictures of a strip by row and column; they end where the strip ends."""
    (height, width), right = size, strip.shape[1] - GAP
    first = right - columns * (width + GAP) + GAP - NOW
    lefts = [first + i * (width + GAP) + (NOW if i >= num_past else 0) for i in range(columns)]
    tops = [TOP + row * (height + GAP) for row in range(rows)]
    return [[strip[y : y + height, x : x + width] for x in lefts] for y in tops]


def is_bordered(panel):
    edge = np.concatenate([panel[0], panel[-1], panel[:, 0], panel[:, -1]])
    return bool((edge == RED).all())


def middle(panel):
    return panel[panel.shape[0] // 2, panel.shape[1] // 2]


def test_the_truth_and_each_method_have_a_row_of_past_and_future():
    forecasts = {'copy-last': flat(20, 20), 'flow': flat(35, 45)}
    strip = frame_strip(flat(10, 20), forecasts, flat(30, 40), short_side=64)
    rows = panels(strip, 3, 4, num_past=2, size=(64, 96))
    assert strip.shape[0] == TOP + 3 * (64 + GAP)
    values = [[int(middle(panel)[0]) for panel in row] for row in rows]
    assert values == [[10, 20, 30, 40], [10, 20, 20, 20], [10, 20, 35, 45]]
    red = [[is_bordered(panel) for panel in row] for row in rows]
    assert red == [[False] * 4, [False, False, True, True], [False, False, True, True]]


def test_small_videos_are_enlarged_by_their_shorter_side():
    for height, width, size in [(16, 24, (160, 240)), (24, 16, (240, 160)), (480, 960, (160, 320))]:
        frame = flat(10, height=height, width=width)
        strip = frame_strip(frame, {'copy-last': frame})
        (row,) = panels(strip, 1, 2, num_past=1, size=size)
        assert is_bordered(row[1]) and (row[0] == 10).all()


def test_only_the_newest_inputs_are_shown():
    strip = frame_strip(flat(10, 20, 30), {'a': flat(40)}, short_side=64, max_past=2)
    (row,) = panels(strip, 1, 3, num_past=2, size=(64, 96))
    assert [int(middle(panel)[0]) for panel in row] == [20, 30, 40]


def test_frames_without_a_truth_stay_empty_and_a_forecast_without_any_has_no_row():
    args = (flat(10), {'a': flat(20, 30, 40)})
    alone = frame_strip(*args, short_side=64)
    np.testing.assert_array_equal(frame_strip(*args, [None, None], short_side=64), alone)
    strip = frame_strip(*args, [flat(50)[0]], short_side=64)
    rows = panels(strip, 2, 4, num_past=1, size=(64, 96))
    assert [tuple(middle(panel)) for panel in rows[0][1:]] == [(50,) * 3, EMPTY, EMPTY]
    longer = frame_strip(*args, [flat(50)[0], None, None, flat(60)[0]], short_side=64)
    np.testing.assert_array_equal(longer, strip)


def test_tensors_are_rounded_and_clipped():
    past = torch.full((1, 3, 32, 48), 10.0)
    pred = torch.stack([torch.full((3, 32, 48), value) for value in (-7.0, 19.6, 300.0)])
    strip = frame_strip(past, {'a': pred}, pred + 1, short_side=64)
    same = frame_strip(flat(10), {'a': flat(0, 20, 255)}, flat(0, 21, 255), short_side=64)
    np.testing.assert_array_equal(strip, same)


@pytest.fixture
def motion():
    """Two textured frames of 64x96: a square of 16x16 moves 3 pixels to the right, from (32, 56)."""
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 256, (16, 24, 3)).repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8)
    square = rng.integers(0, 256, (8, 8, 3)).repeat(2, axis=0).repeat(2, axis=1)
    frames = [ground.copy(), ground.copy()]
    for frame, left in zip(frames, (56, 59)):
        frame[32:48, left : left + 16] = square
    return frames


def test_the_busiest_box_holds_what_moves(motion):
    top, left, height, width = busiest_box(*motion)
    assert (height, width) == (0.25, 0.25)
    # 16 rows of the square, and 16 of its columns within 24.
    assert abs(top * 64 - 32) <= 3 and 48 <= left * 96 <= 59


def test_the_closer_look_is_at_the_same_place_of_every_future_frame(motion):
    before, after = motion
    args = (np.stack([before]), {'perfect': after[None], 'flat': flat(90, height=32, width=48)})
    plain = frame_strip(*args, after[None], short_side=64)
    strip = frame_strip(*args, after[None], short_side=64, closer_look=True)
    rows, without = (panels(s, 3, 2, num_past=1, size=(64, 96)) for s in (strip, plain))
    inset = (slice(6, 34), slice(6, 50))  # 32x48 with borders, in the corner above left
    crop = rows[0][1][inset]
    np.testing.assert_array_equal(crop, rows[1][1][inset])
    assert (rows[2][1][inset] == 90).all() and (crop != without[0][1][inset]).any()
    for row, old in zip(rows, without):
        np.testing.assert_array_equal(row[0], old[0])  # the past has none
        marked = (row[1] == YELLOW).all(axis=-1)
        assert marked[4, 4:52].all() and marked[35:, 52:].any()


def test_the_inset_enlarges_its_box():
    frame = np.zeros((64, 96, 3), dtype=np.uint8)
    frame[8:12, 16:20] = 200
    panel = add_inset(frame, frame, (0.0, 0.0, 0.25, 0.25))
    # Twice as large, in the corner below right, which begins at (28, 44); cubic interpolation smears a little.
    bright = panel[28 + 3 : 28 + 29, 44 + 3 : 44 + 45, 0] > 100
    rows, columns = np.nonzero(bright)
    assert (rows.min() + 3, rows.max() + 4) == (16, 24)
    assert (columns.min() + 3, columns.max() + 4) == (32, 40)
    assert bright.sum() == 8 * 8
    assert (frame[28:] == 0).all()


def test_bad_frames_are_named():
    with pytest.raises(ValueError, match='begins with an observed frame: got 0 of them'):
        frame_strip(flat(10)[:0], {'a': flat(20)})
    with pytest.raises(ValueError, match='observed frame: got 1 of them and max_past=0'):
        frame_strip(flat(10), {'a': flat(20)}, max_past=0)
    with pytest.raises(ValueError, match="same number of frames, at least 1, got {'a': 1, 'b': 2}"):
        frame_strip(flat(10), {'a': flat(20), 'b': flat(20, 30)})
    with pytest.raises(ValueError, match='same number of frames, at least 1, got {}'):
        frame_strip(flat(10), {})
    with pytest.raises(ValueError, match='a forecasts frames of 32x32, which .* observed ones, 32x48'):
        frame_strip(flat(10), {'a': flat(20, width=32)})
    with pytest.raises(ValueError, match=r'frames must be a tensor .* got shape \(3, 32, 48\)'):
        frame_strip(flat(10), {'a': np.zeros((3, 32, 48))})
    small = flat(10, height=8, width=12)
    with pytest.raises(ValueError, match='closer_look needs frames of at least 16x16 .* got 8x12'):
        frame_strip(small, {'a': small}, closer_look=True)
