"""Instances on pictures, pixel by pixel where a pixel can be known."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmforecast.visualization import draw_instances
from mmforecast.visualization.instances import render_instances, resize_masks
from mmforecast.visualization.palette import class_shades, track_colors

CLASSES = ('person', 'rider', 'car')
SIZE = (60, 120)


def instances(boxes, labels=None, **fields):
    """Instances that fill their boxes (x1, y1, x2, y2) in a picture of SIZE; cars by default."""
    masks = torch.zeros(len(boxes), *SIZE, dtype=torch.bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = True
    labels = torch.tensor([2] * len(boxes) if labels is None else labels, dtype=torch.long)
    fields = {name: torch.tensor(values) for name, values in fields.items()}
    return InstanceData(labels=labels, masks=masks, **fields)


def image(value=100):
    return np.full((*SIZE, 3), value, dtype=np.uint8)


def color_at(found, x, y, **kwargs):
    """The pure color of what is drawn at a pixel."""
    return draw_instances(image(), found, alpha=1, **kwargs)[y, x].tolist()


def test_mask_by_hand_with_its_outline_inside_and_nothing_outside():
    found = instances([(20, 10, 60, 40)], ids=[26001])
    color = track_colors([26001])[0].astype(float)
    expected = image()
    expected[10:40, 20:60] = np.round(0.45 * color + 0.55 * 255)
    expected[11:39, 21:59] = np.round(0.75 * 100 + 0.25 * color)
    np.testing.assert_array_equal(draw_instances(image(), found, alpha=0.25), expected)


def test_a_mask_has_no_outline_along_the_picture_and_around_pinholes():
    found = instances([(0, 0, 40, 60)], ids=[26001])
    found.masks[0, 30, 20] = False
    drawn = draw_instances(image(), found, alpha=1)
    color = track_colors([26001])[0]
    expected = image()
    expected[:, :39] = color
    expected[:, 39] = np.round(0.45 * color.astype(float) + 0.55 * 255)
    expected[30, 20] = 100
    np.testing.assert_array_equal(drawn, expected)


def test_an_id_keeps_its_color_whatever_else_is_there():
    boxes = [(5, 10, 25, 30), (40, 10, 60, 30), (80, 10, 110, 30)]
    three = instances(boxes, ids=[24000, 26000, 26001])
    one = instances([(50, 20, 90, 50)], ids=[26001])
    assert color_at(three, 95, 20) == color_at(one, 70, 40) == track_colors([26001])[0].tolist()


def test_colors_of_neighboring_ids_are_far_apart():
    ids = [label * 1000 + n for label in (24, 26) for n in range(5)]
    colors = track_colors(ids).astype(int)
    distances = np.abs(colors[:, None] - colors).sum(-1)[~np.eye(len(ids), dtype=bool)]
    assert distances.min() >= 60


def test_without_ids_classes_have_their_shades_the_surest_the_first():
    boxes = [(5, 10, 25, 30), (40, 10, 60, 30), (80, 10, 110, 30)]
    found = instances(boxes, labels=[2, 0, 2], scores=[0.6, 0.9, 0.8])
    first_car, second_car, person = class_shades([2, 2, 0]).tolist()
    assert len({tuple(color) for color in (first_car, second_car, person)}) == 3
    assert [color_at(found, x, 20) for x in (15, 50, 95)] == [second_car, person, first_car]


def test_a_forecast_wears_the_color_of_the_true_object_it_is_paired_with():
    truth = instances([(10, 10, 40, 40), (60, 10, 90, 40)], ids=[26003, 26008])
    boxes = [(66, 10, 96, 40), (96, 45, 116, 58), (12, 10, 42, 40), (70, 10, 88, 38)]
    found = instances(boxes, scores=[0.7, 0.6, 0.8, 0.65])
    near, far = track_colors([26003, 26008]).tolist()
    assert color_at(found, 15, 15, truth=truth) == near
    # Two lie on the second car; the better overlap (8/12 against 14/25) takes its color.
    assert color_at(found, 94, 15, truth=truth) == far
    colors = {tuple(color_at(found, *point, truth=truth)) for point in [(94, 15), (106, 50)]}
    assert len(colors) == 2  # the last overlaps nothing and has a shade of its class
    people = instances(boxes[:1], labels=[0], scores=[0.7])
    assert color_at(people, 80, 15, truth=truth) == class_shades([0])[0].tolist()


def test_the_surest_lies_on_top_and_the_unsure_is_left_out():
    boxes = [(10, 10, 50, 50), (30, 10, 70, 50), (80, 10, 110, 50)]
    found = instances(boxes, scores=[0.9, 0.5, 0.49], ids=[26001, 26002, 26003])
    top, below = track_colors([26001, 26002]).tolist()
    assert [color_at(found, x, 30) for x in (40, 60, 95)] == [top, below, [100] * 3]
    assert color_at(found, 60, 30, score_thr=0.6) == [100] * 3


def test_no_instances_leave_the_image():
    for found in (instances([]), instances([], scores=[]), InstanceData()):
        picture = image()
        drawn = draw_instances(picture, found, CLASSES)
        np.testing.assert_array_equal(drawn, image())
        assert drawn is not picture


def named(boxes, **fields):
    """Where names changed the picture: bool SIZE."""
    found = instances(boxes, ids=list(range(26000, 26000 + len(boxes))), **fields)
    with_names = draw_instances(image(), found, CLASSES)
    return (with_names != draw_instances(image(), found)).any(-1)


def spans(changed):
    """Rows from the first to the last that changed."""
    rows = changed.any(1).nonzero()[0]
    return (rows[0], rows[-1] + 1) if len(rows) else None


def test_a_name_stands_above_its_object_or_below_or_on_it():
    assert spans(named([(20, 25, 90, 45)])) == (10, 25)
    assert spans(named([(20, 6, 90, 40)])) == (40, 55)
    assert spans(named([(20, 10, 90, 60)])) == (10, 25)


def test_names_do_not_cover_each_other_and_small_objects_have_none():
    assert spans(named([(20, 25, 30, 45)])) is None
    assert spans(named([(20, 25, 90, 35)])) is None
    one = named([(10, 30, 60, 50)])
    two = named([(10, 30, 60, 50), (12, 28, 62, 48)])
    assert 1.5 * one.sum() < two.sum()


def test_a_score_makes_the_name_longer():
    plain = named([(20, 25, 90, 45)])
    scored = named([(20, 25, 90, 45)], scores=[0.87])
    assert scored.any(0).sum() > plain.any(0).sum() + 8


def test_masks_are_resized_smoothly_and_kept_at_their_own_size():
    masks = np.zeros((2, 8, 16), dtype=bool)
    masks[0, 2:6, 4:12] = True
    np.testing.assert_array_equal(resize_masks(masks, (8, 16)), masks)
    big = resize_masks(masks, (32, 64))
    assert big.shape == (2, 32, 64) and not big[1].any()
    assert big[0, 9:23, 17:47].all() and not big[0, 8, 16]  # the corner is rounded off
    assert big[0].sum() <= 16 * 32
    np.testing.assert_array_equal(resize_masks(big, (8, 16)), masks)
    assert resize_masks(masks[:0], (32, 64)).shape == (0, 32, 64)


def test_panels_show_what_is_known():
    found = instances([(20, 10, 60, 40)], ids=[26001])
    frame = image()
    both = render_instances(frame, found, SIZE, alpha=0.25)
    np.testing.assert_array_equal(both, draw_instances(frame, found, alpha=0.25))
    np.testing.assert_array_equal(render_instances(frame, None, SIZE), frame)
    alone = render_instances(None, found, SIZE, alpha=0.25)
    np.testing.assert_array_equal(alone[20, 40], track_colors([26001])[0])
    assert (alone[:10] == alone[0, 0]).all()
    assert render_instances(None, None, SIZE).std() > 0  # it says that nothing is known


def test_bad_alpha_is_named():
    with pytest.raises(ValueError, match=r'alpha must lie in \[0, 1\], got 60'):
        draw_instances(image(), instances([(20, 10, 60, 40)]), alpha=60)


def test_colors_follow_tracks_and_crosses_mark_where_objects_were_expected():
    found = instances([(5, 10, 25, 30), (40, 10, 60, 30)], labels=[2, 0], track_ids=[4, 5])
    assert color_at(found, 10, 20) == track_colors([2004])[0].tolist()
    truth = instances([(5, 10, 25, 30)], ids=[26001])
    assert color_at(found, 10, 20, truth=truth) == track_colors([2004])[0].tolist()
    assert color_at(found[1:], 50, 20) == track_colors([5])[0].tolist()
    found.centroids = torch.tensor([[15.5, 20.5], [200.0, -9.0]])  # the second is out of the picture
    drawn = draw_instances(image(), found, alpha=1)
    assert drawn[20, 15].tolist() == drawn[20, 13].tolist() == [255, 255, 255]
    assert color_at(found, 7, 20) == track_colors([2004])[0].tolist()
    double = draw_instances(np.full((120, 240, 3), 100, np.uint8), found, alpha=1)
    assert double[41, 31].tolist() == [255, 255, 255]
