"""The difficulty of the synthetic street, and the figures that measure it."""

import numpy as np
import pytest

from mmforecast.street.calibration import (
    BANDS,
    HORIZONS,
    class_ious,
    format_report,
    measure,
    project_labels,
    summarize,
)


def test_class_ious_by_hand():
    confusion = np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]])
    ious = class_ious(confusion)
    np.testing.assert_allclose(ious[:2], [100 * 3 / 6, 100 * 4 / 7])
    assert np.isnan(ious[2])


def test_summary_skips_absent_classes():
    ious = np.full(19, np.nan)
    ious[0], ious[11], ious[13] = 90, 30, 60
    assert summarize(ious) == (60, 45)


@pytest.mark.parametrize('steps', [1, 3])
def test_projection_moves_everything_on(steps):
    labels = np.random.default_rng(0).choice([0, 2, 13, 255], (32, 64)).astype(np.uint8)
    labels[:, :20] = 10
    velocity = np.full((32, 64, 2), (5, 1), np.float32)
    moved = project_labels(labels, velocity, steps)
    known = labels[: 32 - steps, : 64 - 5 * steps] != 255  # the unlabeled has no score to move
    np.testing.assert_array_equal(
        moved[steps:, 5 * steps :][known], labels[: 32 - steps, : 64 - 5 * steps][known]
    )
    np.testing.assert_array_equal(moved[0, :20], labels[0, :20])  # nothing lands there: the old value


def test_projection_without_motion_changes_nothing():
    labels = np.random.default_rng(1).integers(0, 19, (16, 32)).astype(np.uint8)
    np.testing.assert_array_equal(project_labels(labels, np.zeros((16, 32, 2), np.float32), 3), labels)


def test_report_judges_the_bands():
    ious = {(h, m): np.full(19, 50.0 if h == 'short' else 30.0) for h in HORIZONS for m in ('copy', 'flow')}
    for horizon in HORIZONS:
        ious[horizon, 'flow'] = ious[horizon, 'flow'] + 5
    report = format_report(ious)
    assert report.count('| ok |') == 4
    ious['mid', 'flow'] = ious['mid', 'copy']
    assert format_report(ious).count('| OUT |') == 2


def check_bands(sequences, seed, tolerance):
    ious = measure(seed, 'val', sequences)
    for horizon in HORIZONS:
        copy, flow = (summarize(ious[horizon, method]) for method in ('copy', 'flow'))
        for column, figure in enumerate(('mIoU', 'MO')):
            low, high = BANDS[horizon, figure]
            assert low - tolerance <= copy[column] <= high + tolerance, (horizon, figure)
            assert flow[column] > copy[column], (horizon, figure)


def test_a_small_sample_lies_near_the_bands():
    check_bands(3, seed=0, tolerance=15)


@pytest.mark.slow
@pytest.mark.parametrize('seed', [0, 1])
def test_the_bands_hold(seed):
    check_bands(50, seed, tolerance=0)
