"""Rows, arrays and the files of a unit."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.apis.batch.arrays import ArrayWriter
from mmforecast.apis.batch.rows import (
    FORECASTS,
    INSTANCES,
    SCHEMA_VERSION,
    SEGMENTS,
    forecast_rows,
    instance_rows,
    segment_rows,
)
from mmforecast.apis.batch.unit_files import UnitFiles, remove_files, remove_partial_files
from mmforecast.apis.batch.writing import ResultsError
from mmforecast.apis.inferencers.results import Forecast, decode_masks
from mmforecast.structures import ForecastDataSample


def make_forecast(last=5, seed=0):
    """Two steps at 8x12: label maps, and two instances, then none."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((2, 8, 12), bool)
    masks[0, 2:5, 3:7] = masks[1, 6:, :2] = True
    found = InstanceData(
        labels=torch.tensor([1, 0]),
        scores=torch.tensor([0.5, 0.25]),
        bboxes=torch.tensor([[3.0, 2.0, 7.0, 5.0], [0.0, 6.0, 2.0, 8.0]]),
        masks=torch.from_numpy(masks),
        track_ids=torch.tensor([4, 7]),
    )
    sample = ForecastDataSample(
        metainfo=dict(
            num_past=2, frame_indices=[last - 2, last, last + 2, last + 4], frame_times=[0.1, 0.3, 0.5, 0.7]
        )
    )
    sample.pred_instances = [found, found[:0]]
    sample.pred_sem_seg = PixelData(data=torch.from_numpy(rng.integers(0, 19, (2, 8, 12)).astype(np.int64)))
    return Forecast(sample, rng.integers(0, 256, (2, 8, 12, 3), dtype=np.uint8))


def test_rows_by_hand():
    plain = dict(
        last_frame=5,
        time=0.3,
        frames=[7, 9],
        seconds=[0.2, 0.4],
        visibility=[1.0, 0.9],
        instances=[[dict(label=1, score=0.5, bbox=[3, 2, 4, 3], track_id=4)], []],
    )
    first, second = forecast_rows('a b.mp4', plain)
    assert first == dict(
        video='a b.mp4',
        frame=5,
        time=0.3,
        step=1,
        target_frame=7,
        horizon=0.2,
        num_instances=1,
        visibility=1.0,
    )
    assert (second['step'], second['target_frame'], second['num_instances']) == (2, 9, 0)
    (row,) = instance_rows('a b.mp4', plain)
    assert (row['step'], row['label'], row['class'], row['score'], row['track']) == (1, 1, None, 0.5, 4)
    assert [row[key] for key in ('x', 'y', 'width', 'height', 'mask')] == [3, 2, 4, 3, None]
    assert list(row) == [column.name for column in INSTANCES]
    assert list(first) == [column.name for column in FORECASTS]
    segments = [dict(id=7, category_id=7, category='road', isthing=0, iscrowd=0, area=50)]
    (segment,) = segment_rows('v', dict(plain, segments_info=[segments, []]))
    assert list(segment) == [column.name for column in SEGMENTS]
    assert list(segment.values())[6:] == [7, 7, 'road', False, 50] and segment['target_frame'] == 7
    bare = dict(last_frame=0, time=None, frames=[1], seconds=[None])
    assert instance_rows('v', bare) == [] and forecast_rows('v', bare)[0]['num_instances'] is None


def test_every_column_is_documented(repository):
    page = (repository / 'docs/batch_results.md').read_text()
    assert f'version {SCHEMA_VERSION}' in page
    for column in (*FORECASTS, *INSTANCES, *SEGMENTS):
        type_ = 'struct' if column.type == 'mask' else column.type
        assert f'| `{column.name}` | {type_}{" or null" if column.nullable else ""} |' in page


def test_equal_arrays_are_equal_bytes(tmp_path):
    arrays = {f'{k:07d}': np.full((2, 3, 4), k, np.uint8) for k in (3, 1)}
    for name in ('a', 'b'):
        writer = ArrayWriter(tmp_path / name)
        for key, array in arrays.items():
            writer.add(key, array)
        writer.close()
    assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes()
    with np.load(tmp_path / 'a') as loaded:
        assert list(loaded) == list(arrays)
        assert all((loaded[key] == array).all() for key, array in arrays.items())


def test_files_hold_what_was_forecast(tmp_path):
    parquet = pytest.importorskip('pyarrow.parquet')
    with UnitFiles(tmp_path, 'u', 'v\udcff.mp4', ('person', 'car')) as files:
        files.add(make_forecast(5))
        files.add(make_forecast(6))
        assert not list(tmp_path.glob('*/u.*'))  # nothing has its name yet
    assert (files.num_forecasts, files.num_instances) == (2, 4)
    assert sorted(files.paths) == ['forecasts/u.parquet', 'instances/u.parquet', 'labels/u.npz']
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob('*/*')) == sorted(
        files.paths
    )
    table = parquet.read_table(tmp_path / 'instances/u.parquet')
    assert table.schema.metadata[b'mmforecast.schema_version'] == str(SCHEMA_VERSION).encode()
    rows = table.to_pylist()
    assert [row['class'] for row in rows] == ['car', 'person'] * 2
    assert [row['frame'] for row in rows] == [5, 5, 6, 6]
    assert rows[0]['video'] == 'v\\xff.mp4' and rows[0]['horizon'] == 0.2 and rows[0]['track'] == 4
    masks = decode_masks([dict(segmentation=row['mask']) for row in rows[:2]])
    assert (masks == make_forecast().sample.pred_instances[0].masks.numpy()).all()
    assert parquet.read_table(tmp_path / 'forecasts/u.parquet')['num_instances'].to_pylist() == [2, 0, 2, 0]
    with np.load(tmp_path / 'labels/u.npz') as labels:
        assert list(labels) == ['0000005', '0000006'] and labels['0000005'].shape == (2, 8, 12)


def test_panoptic_maps_have_segments(tmp_path):
    parquet = pytest.importorskip('pyarrow.parquet')
    forecast = make_forecast()
    maps = torch.zeros(2, 8, 12, dtype=torch.int32)
    maps[:, 4:] = 7
    maps[1, :2, :3] = 26001
    forecast.sample.pred_panoptic = PixelData(data=maps)
    with UnitFiles(tmp_path, 'u', 'v.mp4') as files:
        files.add(forecast)
    rows = parquet.read_table(tmp_path / 'segments/u.parquet').to_pylist()
    found = [(row['step'], row['segment'], row['class'], row['is_thing'], row['area']) for row in rows]
    assert found == [(1, 7, 'road', False, 48), (2, 7, 'road', False, 48), (2, 26001, 'car', True, 6)]
    with np.load(tmp_path / 'panoptic/u.npz') as stored:
        assert stored['0000005'].dtype == np.int32 and (stored['0000005'] == maps.numpy()).all()


def test_an_error_leaves_no_file_and_the_earlier_ones(tmp_path):
    pytest.importorskip('pyarrow')
    (tmp_path / 'instances').mkdir()
    (tmp_path / 'instances/u.parquet').write_text('earlier')
    with pytest.raises(ZeroDivisionError), UnitFiles(tmp_path, 'u', 'v.mp4') as files:
        files.add(make_forecast())
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.glob('*/*')] == ['u.parquet']
    assert (tmp_path / 'instances/u.parquet').read_text() == 'earlier'


def test_what_a_killed_process_left_goes(tmp_path):
    for name in ('instances/.u.parquet.7.partial', 'labels/.w.npz.7.partial', 'labels/u.npz', 'labels/w.npz'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    remove_partial_files(tmp_path, {'w'}.__contains__)
    assert sorted(path.name for path in tmp_path.glob('*/*')) == ['.u.parquet.7.partial', 'u.npz', 'w.npz']
    remove_files(tmp_path, 'u')
    assert [path.name for path in tmp_path.glob('*/*')] == ['w.npz']


def test_a_folder_that_cannot_be_written(tmp_path):
    pytest.importorskip('pyarrow')
    with pytest.raises(ResultsError, match='the folder /proc/self/forecasts cannot be created'):
        UnitFiles('/proc/self', 'u', 'v.mp4').__enter__()
    (tmp_path / 'labels').touch()
    with pytest.raises(ResultsError, match='labels cannot be created'), UnitFiles(tmp_path, 'u', 'v') as files:
        files.add(make_forecast())
    assert not list(tmp_path.glob('*/*'))


FULL = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from test_results import UnitFiles, make_forecast
from mmforecast.apis.batch.writing import ResultsError
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    with UnitFiles(sys.argv[2], 'u', 'v.mp4') as files:
        for last in range(5, 200):
            files.add(make_forecast(last, last))
except ResultsError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_disk_that_is_full(tmp_path):
    pytest.importorskip('pyarrow')
    done = subprocess.run(
        [sys.executable, '-c', FULL, os.path.dirname(__file__), str(tmp_path)], capture_output=True, text=True
    )
    assert 'cannot be written (' in done.stdout and 'make room there' in done.stdout, done.stderr
    assert not list(tmp_path.glob('*/*'))
