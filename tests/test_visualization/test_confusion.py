"""Pictures of confusion matrices: what is drawn where, and bad input."""

import cv2
import numpy as np
import pytest

from mmforecast.visualization.confusion import plot_confusion_matrix

ROWS, COLUMNS = ('road', 'car'), ('road', 'car', 'no class')


def colors_of(path, shares):
    """The colors that take up most of the picture, most frequent first, RGB."""
    plot_confusion_matrix(path, np.array(shares, dtype=float), ROWS, COLUMNS, title='step 1')
    pixels = cv2.imread(str(path))[..., ::-1].reshape(-1, 3)
    values, counts = np.unique(pixels, axis=0, return_counts=True)
    return [tuple(map(int, value)) for value in values[np.argsort(-counts)]][:6]


def test_shares_are_shades_and_absent_classes_gray(tmp_path):
    full, none, absent = (8, 48, 107), (247, 251, 255), (233, 236, 239)
    nan = [np.nan] * 3
    assert {full, none} <= set(colors_of(tmp_path / 'new' / 'a.png', [[100, 0, 0], [0, 100, 0]]))
    found = colors_of(tmp_path / 'b.png', [[100, 0, 0], nan])
    assert {full, none, absent} <= set(found) and found[1] == absent
    assert sorted(path.name for path in tmp_path.iterdir()) == ['b.png', 'new']


def test_bad_input_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'shares are \(2, 2\), but there are 2 names of rows and 3 of'):
        plot_confusion_matrix(tmp_path / 'a.png', np.zeros((2, 2)), ROWS, COLUMNS)
    with pytest.raises(ValueError, match="no colormap 'blue'"):
        plot_confusion_matrix(tmp_path / 'a.png', np.zeros((2, 3)), ROWS, COLUMNS, color_theme='blue')
