"""Curves of a score over time."""

import numpy as np
import pytest
from PIL import Image

from mmforecast.visualization import plot_metric_curve


def test_curves_are_named_and_values_without_a_number_left_out(tmp_path):
    path = tmp_path / 'new' / 'curve.svg'
    plot_metric_curve(
        path,
        {
            'copy last': [(0.53, 36.0), (0.18, 50.0)],
            'S2S': [(0.18, 59.0), (0.53, float('nan'))],
            'flow': [],
        },
        ylabel='IoU-MO (%)',
        title='validation',
    )
    drawn = path.read_text()
    # matplotlib writes every text of an SVG, drawn as outlines, into a comment.
    for text in ('copy last', 'S2S', 'IoU-MO (%)', 'validation', 'seconds ahead', '0.18', '0.53'):
        assert f'<!-- {text} -->' in drawn
    assert '<!-- flow -->' not in drawn


def test_crowded_times_get_ordinary_ticks(tmp_path):
    points = [(seconds, 50.0) for seconds in (0.18, 0.35, 0.53, 1.0, 4.0, 7.0, 10.0)]
    plot_metric_curve(tmp_path / 'curve.svg', {'S2S': points})
    assert '<!-- 0.35 -->' not in (tmp_path / 'curve.svg').read_text()


def test_lines_run_from_high_to_low(tmp_path):
    """The picture itself: a falling line is high on the left and low on the right."""
    plot_metric_curve(tmp_path / 'curve.png', {'falling': [(1, 90.0), (2, 10.0)]})
    image = np.asarray(Image.open(tmp_path / 'curve.png').convert('RGB')).astype(int)
    rows, columns = np.nonzero(image[..., 2] - image[..., 0] > 80)  # the first line is blue
    left, right = columns < np.quantile(columns, 0.2), columns > np.quantile(columns, 0.8)
    assert np.median(rows[left]) < image.shape[0] / 3 < image.shape[0] / 2 < np.median(rows[right])


def test_no_point_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='at least one point'):
        plot_metric_curve(tmp_path / 'curve.png', {'S2S': [(1.0, float('nan'))]})
