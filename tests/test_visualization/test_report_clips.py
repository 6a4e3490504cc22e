"""Clips of a report: which pictures there are."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from mmforecast.visualization.report import clip_view
from mmforecast.visualization.report.clips import data_uri

META = dict(classes=('road', 'square'), palette=((128, 64, 128), (0, 0, 142)), moving_ids=None)


def picture(uri):
    head, data = uri.split(',')
    assert head == 'data:image/webp;base64'
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert('RGB')).astype(int)


def test_label_maps(make_clip):
    sample, frames = make_clip(num_past=2, num_future=2)
    view = clip_view({'copy-last': sample, 'S2S': sample}, frames, META, height=64)
    assert (view.title, view.times, view.num_past) == (
        'city/0',
        ['t - 0.18 s', 't', 't + 0.18 s', 't + 0.35 s'],
        2,
    )
    assert [(p.name, len(p.pictures), p.past_of) for p in view.panels] == [
        *(('truth', 4, None), ('copy-last', 2, 0), ('S2S', 2, 0)),
    ]
    assert view.size == (64, 128) and view.columns == 3
    assert view.legend == [('road', 'rgb(128, 64, 128)'), ('square', 'rgb(0, 0, 142)')]
    truth, forecast = picture(view.panels[0].pictures[3]), picture(view.panels[1].pictures[1])
    assert truth.shape == (64, 128, 3)
    # the square has moved by two pixels, eight of the picture's: its right end is where copy-last has road
    right_end = np.s_[24:40, 50:54]
    assert truth[right_end].mean((0, 1))[0] < forecast[right_end].mean((0, 1))[0] - 20


def test_instances_and_label_maps_have_a_truth_each(make_clip, make_instance_clip):
    maps, frames = make_clip()
    instances, _ = make_instance_clip()
    view = clip_view({'S2S': maps, 'F2F': instances}, frames, META)
    found = [(panel.name, panel.past_of) for panel in view.panels]
    assert found == [('truth', None), ('S2S', 0), ('truth, instances', None), ('F2F', 2)]
    assert view.columns == 4


def test_frames(make_clip):
    sample, frames = make_clip()
    del sample.pred_sem_seg
    sample.pred_frames = torch.zeros(2, 3, 16, 32)
    view = clip_view({'black': sample}, frames, META, height=32)
    assert picture(view.panels[1].pictures[0]).max() < 10
    assert not view.legend


def test_bad_forecasts(make_clip):
    sample, frames = make_clip()
    longer, _ = make_clip(num_future=3)
    with pytest.raises(ValueError, match=r'as many steps, got \[2, 3\]'):
        clip_view({'a': sample, 'b': longer}, frames)
    del sample.pred_sem_seg
    with pytest.raises(ValueError, match='a has forecast neither instances nor label maps nor frames'):
        clip_view({'a': sample}, frames)


def test_pictures_are_what_was_given():
    given = np.zeros((32, 32, 3), np.uint8)
    given[:16] = (200, 30, 60)
    assert np.abs(picture(data_uri(given, 95)) - given).mean() < 6
