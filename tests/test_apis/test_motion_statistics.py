"""Statistics of camera motion: the table by hand, and true poses of the street found again."""

import numpy as np
import pytest

from mmforecast.apis.evaluate import load_config
from mmforecast.apis.motion_statistics import MotionStatistics, motion_statistics
from mmforecast.street import generate_sequence, write_dataset
from mmforecast.visualization.curves import plot_histograms

CONFIG = 'configs/motion/motion-forecaster_varied_street.py'


@pytest.fixture(scope='module')
def street(tmp_path_factory):
    root = tmp_path_factory.mktemp('street')
    write_dataset(root, {'val': 1}, 96, 192, seed=4, vary_camera=True, progress=False)
    return root


def config(root, **dataset):
    options = dict(data_root=str(root), anchor=None, clip_step=3, num_future=0, **dataset)
    return load_config(CONFIG, {f'test_dataloader.dataset.{key}': value for key, value in options.items()})


def test_table_by_hand():
    rotation = np.zeros((2, 2, 3))
    rotation[:, 0, 1], rotation[:, 1, 1] = [3, 4], [3, 4]  # yaw goes on
    rotation[:, 0, 0], rotation[:, 1, 0] = [1, -1], [-1, 1]  # pitch swings back
    row = MotionStatistics(rotation, np.array([0.01, 0.03]), np.array([0.5, 0.0])).table()
    assert row['yaw (deg)'] == pytest.approx(12.5**0.5) and row['yaw corr.'] == pytest.approx(1)
    assert row['pitch (deg)'] == pytest.approx(1) and row['pitch corr.'] == pytest.approx(-1)
    assert row['roll (deg)'] == 0 and np.isnan(row['roll corr.'])
    assert row['speed (% of width)'] == pytest.approx(2) and row['near pixels (%)'] == pytest.approx(25)


def test_finds_the_yaw_of_the_street(street):
    found = motion_statistics(config(street), progress=False)
    poses = generate_sequence(4, 'val', 0, 96, 192, vary_camera=True)['camera_poses']
    starts = range(0, 30 - 6, 3)
    assert found.rotation.shape == (len(starts), 2, 3) and (found.speed > 0).all()
    true = np.rad2deg([[poses[s + 3].yaw - poses[s].yaw, poses[s + 6].yaw - poses[s + 3].yaw] for s in starts])
    # points turn against the camera; the focal length is not the one assumed: known up to a negative factor
    assert np.corrcoef(true.ravel(), found.rotation[..., 1].ravel())[0, 1] < -0.9


def test_two_past_frames_are_too_few(street):
    with pytest.raises(ValueError, match='at least 3 past frames, got num_past=2'):
        motion_statistics(config(street, num_past=2), progress=False)


def test_histograms(tmp_path):
    path = tmp_path / 'new' / 'plot.png'
    plot_histograms(path, {'yaw': {'a': [1.0, 2.0], 'b': [2.0]}, 'roll': {'a': [0.0, 0.0], 'b': [0.0]}})
    assert path.stat().st_size > 5000
    with pytest.raises(ValueError, match='plot_histograms'):
        plot_histograms(path, {'yaw': {'a b': []}})
