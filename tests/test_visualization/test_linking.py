"""Colors of instances that stay from picture to picture, and faint ones."""

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.structures import fill_boxes
from mmforecast.visualization import draw_instances
from mmforecast.visualization.linking import InstanceLinker
from mmforecast.visualization.panels import PanelStyle
from mmforecast.visualization.report.clips import clip_view

SIZE = 40, 100


def found(*lefts, labels=None, **fields):
    """Squares of 20 pixels."""
    boxes = torch.tensor([[left, 10.0, left + 20, 30] for left in lefts]).reshape(-1, 4)
    labels = torch.tensor(labels or [0] * len(lefts))
    return fill_boxes(InstanceData(labels=labels, bboxes=boxes, **fields), SIZE)


def test_ids_follow_overlap_whatever_the_order():
    link = InstanceLinker()
    first = link(found(5, 50)).ids.tolist()
    assert link(found(53, 8)).ids.tolist() == first[::-1]
    third = link(found(75, 10)).ids.tolist()
    assert third[1] == first[0] and third[0] not in first  # the other has left, and a new one has come


def test_classes_are_not_mixed():
    link = InstanceLinker()
    (car,) = link(found(5, labels=[2])).ids.tolist()
    (person,) = link(found(5, labels=[0])).ids.tolist()
    assert car // 1000 == 2 and person // 1000 == 0


def test_identities_of_the_forecaster_are_kept_within_a_forecast():
    tracked = found(5, track_ids=torch.tensor([7]))
    assert InstanceLinker()(tracked) is tracked
    assert 'ids' in InstanceLinker(trust_tracks=False)(tracked)


def test_what_a_network_finds_has_the_color_of_its_partner():
    link = InstanceLinker()
    (id_,) = link(found(50)).ids.tolist()
    assert link.paired(found(8, 52)).ids.tolist() == [-1, id_]


def test_guesses_are_fainter():
    ground = np.full((*SIZE, 3), 100, np.uint8)
    for make_masks in (lambda item: item, as_masks):
        sure, faint = (
            draw_instances(ground, make_masks(found(5, visibility=torch.tensor([share])))).astype(int)
            for share in (0.5, 0.49)
        )
        strong, weak = np.abs(sure - 100).sum(), np.abs(faint - 100).sum()
        assert 0.4 * strong < weak < 0.6 * strong


def as_masks(instances):
    fields = {key: instances.get(key) for key in ('labels', 'masks', 'visibility')}
    return InstanceData(**fields)


def test_label_maps_are_fainter_where_they_are_guesses():
    style = PanelStyle((8, 8), palette=[(200, 0, 0)], alpha=1.0)
    visible = np.ones((8, 8), bool)
    visible[:, 4:] = False
    panel = style.draw(np.full((8, 8, 3), 100, np.uint8), np.zeros((8, 8), np.uint8), visible=visible)
    assert panel[0, 0].tolist() == [200, 0, 0] and panel[0, 7].tolist() == [150, 50, 50]


def test_a_report_does_not_call_a_network_the_truth(make_clip):
    sample, frames = make_clip()
    sample.ref_sem_seg = PixelData(data=sample.gt_sem_seg.data[2:])
    del sample.gt_sem_seg
    view = clip_view({'S2S': sample}, frames)
    assert view.panels[0].name == 'network on the true frame'
