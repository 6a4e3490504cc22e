"""Panoptic maps in pictures: stuff in the classes' colors, things as instances, truth beside the forecast."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData

from mmforecast.structures.cityscapes import CITYSCAPES_METAINFO
from mmforecast.visualization import ForecastLocalVisualizer, forecast_animation, forecast_panoptic
from mmforecast.visualization.clip import NETWORK, TRUTH, instance_classes, known_titles
from mmforecast.visualization.palette import track_colors
from mmforecast.visualization.panels import PanelStyle
from mmforecast.visualization.panoptic import known_panoptic
from mmforecast.visualization.report import clip_view

NUM_PAST, NUM_FUTURE = 2, 2


@pytest.fixture
def clip(make_instance_clip):
    """A square, car 26001 over road, whose forecast is copy-last, with numbers of its own."""
    sample, frames = make_instance_clip(NUM_PAST, NUM_FUTURE)
    sample.gt_instance_map.data[:, :2] = 4  # void
    last = torch.where(sample.gt_panoptic.data[NUM_PAST - 1] == 26001, 26000, 7).int()
    sample.pred_panoptic = PixelData(data=torch.stack([last] * NUM_FUTURE))
    sample.pred_sem_seg = PixelData(data=torch.zeros_like(sample.pred_panoptic.data))
    return sample, frames


def test_truth_comes_first_then_the_networks(clip):
    sample, _ = clip
    found = known_panoptic(sample, NUM_FUTURE)
    assert [step.things.ids.tolist() for step in found] == [[26001]] * 4
    assert found[0].stuff[0, 0] == 255 and found[0].stuff[3, 0] == 0 and found[0].shape == (16, 32)
    sample.gt_instance_map.data[3] = -1
    assert [step is None for step in known_panoptic(sample, NUM_FUTURE)] == [False] * 3 + [True]
    assert known_titles(sample)['panoptic'] == TRUTH
    sample.ref_panoptic = sample.pred_panoptic
    found = known_panoptic(sample, NUM_FUTURE)
    assert 26001 not in found[3].things.ids and len(found[3].things) == 1
    assert known_titles(sample)['panoptic'] == f'{TRUTH}, else {NETWORK}'
    # a forecast of more steps than the clip has
    assert known_panoptic(sample, 3)[4] is None


def test_identities_of_a_forecast(clip):
    """They are linked from step to step where nothing is known, and left to the truth where it is."""
    sample, _ = clip
    assert all('ids' not in step.things for step in forecast_panoptic(sample))
    del sample.gt_instance_map
    first, second = (step.things.ids.tolist() for step in forecast_panoptic(sample))
    assert first == second


def test_a_panel(clip):
    sample, frames = clip
    style = PanelStyle((16, 32), CITYSCAPES_METAINFO['palette'], alpha=0.5)
    truth = known_panoptic(sample, NUM_FUTURE)[NUM_PAST]
    forecast = forecast_panoptic(sample)[0]
    drawn = style.draw(frames[NUM_PAST], forecast, truth).astype(int)
    road = np.array(CITYSCAPES_METAINFO['palette'][0])
    assert abs(drawn[15, 31] - (frames[NUM_PAST][15, 31] + road) / 2).max() <= 1
    # inside its outline, the square has the color of the true car that it overlaps
    car = track_colors([26001])[0].astype(int)
    assert abs(drawn[7, 8] - (frames[NUM_PAST][7, 8] + car) / 2).max() <= 1
    drawn_truth = style.draw(frames[NUM_PAST], truth).astype(int)
    assert (drawn_truth[0, 0] == frames[NUM_PAST][0, 0]).all()  # void
    assert abs(drawn_truth[7, 9] - drawn[7, 9]).max() <= 1
    # without a frame all is opaque
    alone = style.draw(None, forecast, truth).astype(int)
    assert (alone[15, 31] == road).all() and abs(alone[7, 8] - car).max() <= 1


def test_it_is_drawn_in_place_of_its_parts(clip):
    """One row of past, forecast and truth each; label maps and instances have none of their own."""
    sample, frames = clip
    visualizer = ForecastLocalVisualizer()
    visualizer.dataset_meta = CITYSCAPES_METAINFO
    strip = visualizer.draw_strip(frames, sample)
    del sample.pred_sem_seg, sample.pred_instances
    assert np.array_equal(strip, visualizer.draw_strip(frames, sample))
    methods = {'forecast': forecast_panoptic(sample)}
    meta = dict(palette=CITYSCAPES_METAINFO['palette'], classes=CITYSCAPES_METAINFO['classes'])
    pictures = forecast_animation(
        sample, frames, methods, instance_classes=instance_classes(CITYSCAPES_METAINFO), **meta
    )
    assert len(pictures) == 4 and len({picture.shape for picture in pictures}) == 1
    view = clip_view({'copy-last': sample}, frames, CITYSCAPES_METAINFO, height=64)
    assert [panel.name for panel in view.panels] == [TRUTH, 'copy-last']
    assert [name for name, _ in view.legend] == ['road']
