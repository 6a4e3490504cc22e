"""The work of a unit, by real forecasters, in this process."""

import numpy as np
import pytest

from mmforecast.apis.batch.settings import BatchSettings
from mmforecast.apis.batch.units import Unit
from mmforecast.cli.errors import explain

pytest.importorskip('pyarrow')
parquet = pytest.importorskip('pyarrow.parquet')


@pytest.fixture
def worker(tmp_path, video_config):
    """A function that makes a worker of some settings."""
    from mmforecast.apis.batch.worker import UnitWorker

    def make(folder='out', **settings):
        model = dict(model=video_config)
        return UnitWorker(BatchSettings(str(tmp_path / folder), model, **settings), explain=explain)

    return make


def rows(folder, kind='forecasts'):
    found = [row for path in folder.glob(f'{kind}/*.parquet') for row in parquet.read_table(path).to_pylist()]
    return sorted(found, key=lambda row: (row['video'], row['frame'], row['step']))


def test_a_video_and_its_stretches(worker, make_video, tmp_path):
    video = str(make_video(tmp_path / "it's a größe.mp4", 24))
    told = []
    result = worker(keep_frames=True, render=True)(Unit(video), told.append)
    assert (result['state'], result['forecasts'], result['frames']) == ('done', 9, sum(told))
    assert [name.partition('/')[0] for name in result['files']] == [
        'forecasts',
        'frames',
        'videos',
    ]
    assert all((tmp_path / 'out' / name).stat().st_size for name in result['files'])
    in_parts = worker('parts', keep_frames=True, unit_frames=6)
    split = in_parts(Unit(video))
    assert split['state'] == 'split' and len(split['units']) == 3
    parts = [in_parts(Unit(video).stretch(*ends)) for ends in split['units']]
    assert [part['state'] for part in parts] == ['done'] * 3
    assert rows(tmp_path / 'parts') == rows(tmp_path / 'out') and len(rows(tmp_path / 'out')) == 18
    frames = {}
    for path in (tmp_path / 'parts/frames').iterdir():
        with np.load(path) as file:
            frames.update(file)
    (path,) = (tmp_path / 'out/frames').iterdir()
    with np.load(path) as file:
        assert len(file) == 9 and all((file[key] == frames[key]).all() for key in file)


def test_what_cannot_be_forecast_is_a_sentence(worker, make_video, tmp_path):
    (tmp_path / 'text.mp4').write_text('no video')
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'notes.txt').touch()
    make_video(tmp_path / 'short.mp4', 2)
    whole = make_video(tmp_path / 'whole.mp4', 24).read_bytes()
    (tmp_path / 'cut.mp4').write_bytes(whole[: len(whole) // 2])
    work = worker()
    sentences = {
        'text.mp4': 'cannot be opened',
        'empty.mp4': 'cannot be opened',
        'notes.txt': 'is neither a video',
        'short.mp4': 'has 2 frames, but a forecast is made from 4 frames',
        'cut.mp4': 'cannot be opened',
        'gone.mp4': 'there is no video or folder',
        '0': 'there is no video or folder',  # not the camera
    }
    for name, sentence in sentences.items():
        result = work(Unit(str(tmp_path / name)))
        assert result['state'] == 'failed' and sentence in result['sentence'] and name in result['sentence']
        assert 'traceback' not in result
    assert work(Unit(str(tmp_path / 'whole.mp4')))['state'] == 'done'
    assert not [path for path in (tmp_path / 'out').glob('*/*') if not path.name.startswith('whole')]


def test_results_that_cannot_be_written_are_fatal(worker, make_video, tmp_path):
    video = str(make_video(tmp_path / 'a.mp4', 24))
    (tmp_path / 'out').write_text('a file')
    result = worker()(Unit(video))
    assert result['state'] == 'fatal' and 'cannot be created' in result['sentence']


def test_an_error_that_nobody_expected_keeps_its_traceback(worker, make_video, tmp_path):
    work = worker()
    work.inferencer.runner.pipeline = None
    result = work(Unit(str(make_video(tmp_path / 'a.mp4', 24))))
    assert result['state'] == 'failed' and result['sentence'].startswith('AttributeError: ')
    assert 'Traceback' in result['traceback']


def test_what_decides_the_results_is_known(worker):
    built = worker(every=3).built
    assert (built['num_past'], built['horizon'], built['stride'], built['every']) == (4, 2, 2, 3)
    assert worker().built['every'] == 2 and worker().built['weights'] == built['weights']
