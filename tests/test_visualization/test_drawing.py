"""Drawing functions, pixel by pixel where a pixel can be known."""

import numpy as np
import pytest

from mmforecast.visualization import (
    add_border,
    blend,
    colorize_labels,
    default_palette,
    draw_legend,
    make_strip,
)
from mmforecast.visualization.drawing import RED, fit_text, render_panel, resize_labels, text_width

PALETTE = [(10, 20, 30), (200, 100, 0)]


def test_labels_take_their_colors_and_void_the_rest():
    labels = np.array([[0, 1], [255, -1]])
    painted = colorize_labels(labels, PALETTE, void_color=(1, 2, 3))
    assert painted.dtype == np.uint8
    np.testing.assert_array_equal(painted, [[PALETTE[0], PALETTE[1]], [(1, 2, 3), (1, 2, 3)]])


@pytest.mark.parametrize('alpha, expected', [(0, (100, 100, 100)), (0.5, (55, 60, 65)), (1, (10, 20, 30))])
def test_blend_by_hand_and_void_shows_the_image(alpha, expected):
    image = np.full((1, 2, 3), 100, dtype=np.uint8)
    mixed = blend(image, np.array([[0, 255]]), PALETTE, alpha)
    np.testing.assert_array_equal(mixed, [[expected, (100, 100, 100)]])


def test_blend_enlarges_labels_without_mixing_them():
    image = np.zeros((4, 8, 3), dtype=np.uint8)
    mixed = blend(image, np.array([[0, 1]]), PALETTE, alpha=1)
    np.testing.assert_array_equal(mixed[:, :4], np.broadcast_to(PALETTE[0], (4, 4, 3)))
    np.testing.assert_array_equal(mixed[:, 4:], np.broadcast_to(PALETTE[1], (4, 4, 3)))


def test_resized_labels_are_labels():
    labels = np.random.default_rng(0).choice([0, 7, 255], (9, 11)).astype(np.uint8)
    assert set(np.unique(resize_labels(labels, (33, 20)))) <= {0, 7, 255}
    np.testing.assert_array_equal(resize_labels(labels, (9, 11)), labels)


def test_border_lies_inside():
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    bordered = add_border(image, width=2)
    np.testing.assert_array_equal(bordered[2:-2, 2:-2], image[2:-2, 2:-2])
    outside = np.ones((20, 30), dtype=bool)
    outside[2:-2, 2:-2] = False
    np.testing.assert_array_equal(bordered[outside], np.broadcast_to(RED, (outside.sum(), 3)))


def test_panel_draws_what_is_known():
    frame, labels = np.full((4, 6, 3), 100, dtype=np.uint8), np.ones((2, 3), dtype=int)
    both = render_panel(frame, labels, (8, 12), PALETTE, alpha=0.5)
    np.testing.assert_array_equal(both, np.broadcast_to((150, 100, 50), (8, 12, 3)))
    np.testing.assert_array_equal(render_panel(frame, None, (8, 12)), 100 + 0 * both)
    np.testing.assert_array_equal(
        render_panel(None, labels, (8, 12), PALETTE), np.broadcast_to(PALETTE[1], both.shape)
    )
    assert render_panel(None, None, (40, 90)).std() > 0  # it says that nothing is known


def test_strip_holds_every_picture_in_its_place():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (3, 20, 30, 3), dtype=np.uint8)
    strip = make_strip([pictures[:2], pictures[2:]], [['a', 'b'], ['c']], gap=8, text_size=15)
    assert strip.shape == (2 * (15 + 8 + 20 + 8) + 8, 2 * (30 + 8) + 8, 3)
    tops, lefts = (27, 78), (8, 46)
    for picture, (row, column) in zip(pictures, [(0, 0), (0, 1), (1, 0)], strict=True):
        place = strip[tops[row] : tops[row] + 20, lefts[column] : lefts[column] + 30]
        np.testing.assert_array_equal(place, picture)
    assert (strip[78:98, 46:76] == 255).all()
    assert (strip[:27] != 255).any() and (strip[47:78] != 255).any()  # headings


def test_legend_shows_the_classes_asked_for_and_wraps():
    def colors(**kwargs):
        legend = draw_legend(['road', 'car'], palette=PALETTE, **kwargs)
        found = [(legend == color).all(-1).any() for color in np.array(PALETTE)]
        return found, legend.shape

    wide, narrow = colors(width=300), colors(width=70)
    assert wide == ([True, True], (23, 300, 3))
    assert narrow == ([True, True], (46, 70, 3))
    assert colors(width=300, ids=[1])[0] == [False, True]


def test_generated_colors_differ_and_do_not_depend_on_the_number():
    palette = default_palette(32)
    assert len(np.unique(palette, axis=0)) == 32
    np.testing.assert_array_equal(default_palette(7), palette[:7])


def test_bad_arguments_are_named():
    image = np.zeros((6, 6, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match='alpha must lie in'):
        blend(image, np.zeros((6, 6), dtype=int), PALETTE, alpha=60)
    with pytest.raises(ValueError, match='palette must hold one RGB triple'):
        colorize_labels(np.zeros((6, 6), dtype=int), [(0, 0)])
    with pytest.raises(ValueError, match='width must be an integer from 1 to 2, got 3'):
        add_border(image, width=3)
    with pytest.raises(ValueError, match='pictures of one size'):
        make_strip([[image, image[:3]]], [['a', 'b']])
    with pytest.raises(ValueError, match='titles must have one heading per picture'):
        make_strip([[image, image]], [['a']])


def test_a_long_text_shrinks_then_loses_its_middle():
    text = 'masked-features_detector_tiny_synthetic, over the forecast frame'
    full = text_width(text, 16)
    assert fit_text(text, full, 16) == (text, 16)
    assert fit_text(text, full - 1, 16) == (text, 15)
    shown, size = fit_text(text, full // 3, 16)
    assert size == 11 and text_width(shown, size) <= full // 3 < text_width(text, size)
    first, last = shown.split('...')
    assert text.startswith(first) and text.endswith(last) and 0 <= len(first) - len(last) <= 1
    assert fit_text('', 0) == ('', 15)


def test_a_heading_stays_above_its_picture():
    picture = np.zeros((20, 60, 3), np.uint8)
    strip = make_strip([[picture, picture]], [['a heading of several words', '']])
    inked = (strip[:18] < 128).any(axis=(0, 2))
    assert inked[8:68].any() and not inked[68:].any()
