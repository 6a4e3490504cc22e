"""The strip visualizer."""

import numpy as np
import pytest
import torch
from mmengine.visualization import Visualizer
from PIL import Image

from mmforecast.registry import VISUALIZERS
from mmforecast.visualization import ForecastLocalVisualizer, frame_strip
from mmforecast.visualization.drawing import RED
from mmforecast.visualization.palette import track_colors

META = {'classes': ('road', 'car'), 'palette': [(10, 20, 30), (200, 100, 0)]}
SIZE, GAP, LINE = (64, 128), 8, 95


@pytest.fixture
def visualizer():
    built = ForecastLocalVisualizer(panel_height=64)
    built.dataset_meta = META
    return built


def panel(strip, row, column):
    top, left = 27 + row * LINE, GAP + column * (SIZE[1] + GAP)
    return strip[top : top + SIZE[0], left : left + SIZE[1]]


def is_red(strip, row, column):
    return bool((panel(strip, row, column)[0] == RED).all())


def test_rows_are_past_forecast_and_truth(visualizer, make_clip):
    sample, frames = make_clip(num_past=3)
    strip = visualizer.draw_strip(frames, sample)
    assert strip.shape[1] == 3 * (SIZE[1] + GAP) + GAP
    red = [[is_red(strip, row, column) for column in range(3)] for row in range(3)]
    assert red == [[False] * 3, [True, True, False], [False] * 3]
    # Copy-last shows the last input's square where the truth has moved on by eight pixels.
    assert (panel(strip, 1, 1) != panel(strip, 2, 1))[8:-8, 8:-8].any()


def test_without_frames_labels_have_plain_colors(visualizer, make_clip):
    sample, _ = make_clip()
    sample.pred_sem_seg.data = sample.gt_sem_seg.data[2:].clone()
    strip = visualizer.draw_strip(None, sample)
    np.testing.assert_array_equal(panel(strip, 0, 0)[32, 32], META['palette'][1])
    for column in range(2):
        np.testing.assert_array_equal(panel(strip, 1, column)[8:-8, 8:-8], panel(strip, 2, column)[8:-8, 8:-8])


def test_one_step_stands_beside_its_truth(visualizer, make_clip):
    sample, frames = make_clip(num_future=1)
    strip = visualizer.draw_strip(frames, sample)
    assert [is_red(strip, 1, column) for column in range(2)] == [True, False]
    assert strip.shape[0] == 2 * LINE + GAP + 23  # two rows and the legend


def test_parts_can_be_left_out(visualizer, make_clip):
    sample, frames = make_clip()
    rows = {
        (gt, pred): (visualizer.draw_strip(frames, sample, gt, pred).shape[0] - 23) // LINE
        for gt in (True, False)
        for pred in (True, False)
    }
    assert rows == {(True, True): 3, (True, False): 2, (False, True): 2, (False, False): 1}
    assert not is_red(visualizer.draw_strip(frames, sample, draw_pred=False), 1, 0)


def test_forecast_frames_are_drawn_as_a_frame_strip(visualizer, make_clip):
    sample, frames = make_clip()
    del sample.pred_sem_seg
    sample.pred_frames = torch.full((2, 3, 16, 32), 299.0)
    times = ['t - 0.18 s', 't', 't + 0.18 s', 't + 0.35 s']
    args = (frames[:2], {'forecast': sample.pred_frames})
    expected = frame_strip(*args, frames[2:], times, short_side=64)
    np.testing.assert_array_equal(visualizer.draw_strip(frames, sample), expected)
    packed = torch.from_numpy(frames).permute(0, 3, 1, 2)
    np.testing.assert_array_equal(visualizer.draw_strip(packed, sample), expected)
    without = frame_strip(*args, None, times, short_side=64)
    for strip in (
        visualizer.draw_strip(frames[:2], sample),
        visualizer.draw_strip(frames, sample, draw_gt=False),
    ):
        np.testing.assert_array_equal(strip, without)
    visualizer.closer_look = True
    closer = frame_strip(*args, frames[2:], times, short_side=64, closer_look=True)
    np.testing.assert_array_equal(visualizer.draw_strip(frames, sample), closer)
    assert (closer != expected).any()
    with pytest.raises(ValueError, match='a strip begins with an observed frame'):
        visualizer.draw_strip(None, sample)


def test_forecast_frames_are_what_forecast_label_maps_lie_over(visualizer, make_clip):
    sample, frames = make_clip()
    sample.pred_frames = torch.full((2, 3, 16, 32), 299.0)
    visualizer.alpha = 0
    strip = visualizer.draw_strip(frames, sample)
    assert is_red(strip, 1, 0)
    assert (panel(strip, 1, 0)[8:-8, 8:-8] == 255).all()


def test_instances_have_rows_like_label_maps(visualizer, make_instance_clip):
    sample, frames = make_instance_clip()
    visualizer.alpha = 1
    strip = visualizer.draw_strip(np.full_like(frames, 80), sample)
    assert strip.shape[0] == 3 * LINE + GAP
    assert [is_red(strip, row, 0) for row in range(3)] == [False, True, False]
    # The square begins in column 4 + index of 16x32, four times enlarged; the forecast stays with
    # the last input's and has the color of the true car.
    for row, column, index in [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1), (2, 0, 2), (2, 1, 3)]:
        line = panel(strip, row, column)[32]
        np.testing.assert_array_equal(line[4 * (4 + index) + 2], track_colors([26001])[0])
        np.testing.assert_array_equal(line[4 * (4 + index) - 1], (80, 80, 80))
    unsure = ForecastLocalVisualizer(panel_height=64, score_thr=0.9).draw_strip(None, sample)
    assert len(np.unique(panel(unsure, 1, 0)[4:-4, 4:-4].reshape(-1, 3), axis=0)) == 1


def test_what_is_forecast_decides_on_the_rows(visualizer, make_clip, make_instance_clip):
    sample, frames = make_clip()
    other, _ = make_instance_clip()
    labels_alone = visualizer.draw_strip(frames, sample)
    sample.gt_instance_map = other.gt_instance_map
    np.testing.assert_array_equal(visualizer.draw_strip(frames, sample), labels_alone)
    # Without a forecast all that is known is shown: past and truth of both kinds.
    assert len(visualizer.draw_strip(frames, sample, draw_pred=False)) == 4 * LINE + GAP + 23
    sample.pred_instances = other.pred_instances
    both = visualizer.draw_strip(frames, sample)
    assert len(both) == 6 * LINE + GAP + 23
    np.testing.assert_array_equal(both[: 3 * LINE], labels_alone[: 3 * LINE])
    del sample.pred_sem_seg
    assert len(visualizer.draw_strip(frames, sample)) == 3 * LINE + GAP


def test_instances_are_named_by_the_data_set(visualizer, make_instance_clip):
    sample, frames = make_instance_clip()
    visualizer.panel_height = 320
    nameless = visualizer.draw_strip(frames, sample)
    visualizer.dataset_meta = {'classes': ('road', 'a', 'b', 'car'), 'moving_ids': (1, 2, 3)}
    assert (visualizer.draw_strip(frames, sample) != nameless).any()


def test_written_to_a_file_or_to_the_backends(visualizer, tmp_path, make_clip):
    sample, frames = make_clip()
    path = tmp_path / 'new' / 'strip.png'
    visualizer.add_datasample('clip', frames, sample, out_file=str(path))
    strip = visualizer.draw_strip(frames, sample)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), strip)
    kept = Visualizer()  # mmengine's, whose canvas resamples under Matplotlib before 3.11
    kept.set_image(strip)
    np.testing.assert_array_equal(visualizer.get_image(), kept.get_image())

    stored = VISUALIZERS.build(
        {
            'type': 'ForecastLocalVisualizer',
            'name': 'test_written_to_the_backends',
            'vis_backends': [{'type': 'LocalVisBackend'}],
            'save_dir': str(tmp_path),
            'panel_height': 64,
        }
    )
    stored.dataset_meta = META
    stored.add_datasample('clip', frames, sample, step=7)
    (written,) = (tmp_path / 'vis_data' / 'vis_image').iterdir()
    assert written.name == 'clip_7.png'
    np.testing.assert_array_equal(np.asarray(Image.open(written)), strip)


def test_nothing_to_draw_is_an_error(visualizer, make_clip):
    sample, _ = make_clip()
    del sample.gt_sem_seg, sample.pred_sem_seg
    with pytest.raises(ValueError, match='neither frames nor label maps'):
        visualizer.draw_strip(None, sample)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        ({'alpha': 2}, 'alpha must lie in'),
        ({'panel_height': 8}, 'panel_height must be an integer >= 32'),
        ({'score_thr': 50}, r'score_thr must lie in \[0, 1\], got 50'),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ForecastLocalVisualizer(**kwargs)
