"""Many images as one picture: where each lands."""

import numpy as np
import pytest

from mmforecast.visualization.image_grid import image_grid


def test_cells_are_filled_row_by_row():
    images = [np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30)]
    grid = image_grid(images, columns=2, cell=8, gap=1)
    assert grid.shape == (2 * 9 + 1, 2 * 9 + 1, 3)
    assert (grid[1:9, 1:9] == 10).all() and (grid[1:9, 10:18] == 20).all()
    assert (grid[10:18, 1:9] == 30).all() and (grid[10:18, 10:18] == 128).all()


def test_images_of_other_shapes_are_fitted_whole():
    grid = image_grid([np.zeros((40, 20, 3), np.uint8)], columns=5, cell=10, gap=0)
    assert grid.shape == (10, 10, 3)
    assert (grid[:, 3:7] == 0).all() and (grid[:, :2] == 128).all()


def test_captions_take_room_of_their_own():
    images = [np.full((8, 8, 3), 77, np.uint8)] * 2
    grid = image_grid(images, columns=2, cell=40, captions=['', 'a'], gap=0)
    assert grid.shape == (54, 80, 3) and (grid[:40] == 77).all()
    assert (grid[40:, :40] == 255).all() and grid[40:, 40:].min() < 128


def test_bad_arguments():
    with pytest.raises(ValueError, match='images must not be empty'):
        image_grid([], 2, 8)
    with pytest.raises(ValueError, match='captions has 1, images has 2'):
        image_grid([np.zeros((2, 2, 3), np.uint8)] * 2, 2, 8, ['a'])
