"""What came, beside what had been forecast for that moment."""

import numpy as np
import pytest

from mmforecast.visualization import rolling_picture, rolling_style

FRAME = np.full((40, 60, 3), 90, np.uint8)
LABELS = np.zeros((40, 60), np.uint8)


@pytest.fixture
def style():
    return rolling_style(FRAME, 80, palette=[(250, 0, 0)], alpha=1.0)


def test_two_panels_and_a_clock(style):
    picture = rolling_picture(FRAME, dict(mine=LABELS), 't = 3.20 s', 0.5, style)
    late = rolling_picture(FRAME, dict(mine=LABELS), 't = 3.20 s', 1.0, style)
    assert picture.shape == late.shape and picture.shape[1] >= 2 * 120
    middle = picture.shape[0] - 8 - 40
    assert picture[middle, 60].tolist() == [90, 90, 90]  # what came
    assert picture[middle, 120 + 60].tolist() == [250, 0, 0]  # what had been forecast
    red = (picture[42] == (228, 26, 28)).all(1).sum()
    assert red == round(0.5 * (picture.shape[1] - 16)) and (late[42] == (228, 26, 28)).all(1).sum() > red


def test_after_the_end_forecasts_lie_on_the_ground(style):
    nothing = np.full((40, 60), 255, np.uint8)
    ground = np.full((40, 60, 3), 200, np.uint8)
    picture = rolling_picture(None, dict(mine=nothing), '', 1.0, style, ground)
    middle = picture.shape[0] - 8 - 20
    assert picture[middle, 20].tolist() == [233, 236, 239]
    assert picture[middle, 120 + 60].tolist() == [200, 200, 200]
