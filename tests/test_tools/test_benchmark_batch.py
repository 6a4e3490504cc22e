"""The rate of the tool that compares workers."""

import runpy

import pytest


@pytest.fixture
def tool(repository):
    return runpy.run_path(str(repository / 'tools/misc/benchmark_batch.py'))


def test_the_rate_begins_when_each_worker_has_done_a_unit(tool):
    assert tool['rate_of']([3, 5, 7, 9], 1) == 0.5
    assert tool['rate_of']([3, 3.5, 4, 4.5, 5.5], 2) == 1.5  # three units in two seconds
    with pytest.raises(ValueError, match='2 units say nothing of 2 workers: give more --units'):
        tool['rate_of']([1, 2], 2)


def test_a_drive_moves(tool, tmp_path):
    pytest.importorskip('av')
    from mmforecast.apis.inferencers.opening import open_frames

    tool['write_drive'](tmp_path / 'a.mp4', 3, (32, 48), 0)
    frames = open_frames(str(tmp_path / 'a.mp4')).read(range(3)).astype(int)
    assert frames.shape == (3, 32, 48, 3)
    assert abs(frames[1, :, 2:] - frames[0, :, :-2]).mean() < 0.3 * abs(frames[1] - frames[0]).mean()
