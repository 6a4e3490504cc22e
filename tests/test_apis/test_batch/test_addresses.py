"""Videos and weights by address: a server of HTTP, and a storage of fsspec, both in this process."""

import http.server
import shutil
import threading
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmforecast.apis.batch.inputs import find_inputs
from mmforecast.apis.batch.settings import BatchSettings
from mmforecast.apis.batch.unit_files import COPIES, remove_files
from mmforecast.apis.batch.units import Unit
from mmforecast.apis.batch.writing import make_folder
from mmforecast.cli.errors import explain
from mmforecast.fileio import load_checkpoint
from mmforecast.fileio.download import DownloadError
from mmforecast.fileio.remote import expand_address, fetch

parquet = pytest.importorskip('pyarrow.parquet')
NAME = "it's größe #1.mp4"


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        if not self.path.startswith('/cut'):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header('Content-Length', '1000')
        self.end_headers()
        self.wfile.write(b'x' * 10)


@pytest.fixture
def server(tmp_path):
    """A folder, and the address at which it is served."""
    (tmp_path / 'served').mkdir()
    handler = partial(Handler, directory=str(tmp_path / 'served'))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield tmp_path / 'served', f'http://127.0.0.1:{running.server_port}'
        running.shutdown()


@pytest.fixture
def storage():
    """The storage ``memory://`` of fsspec, as s3:// and gs:// but in this process."""
    fsspec = pytest.importorskip('fsspec')
    files = fsspec.filesystem('memory')
    yield files
    files.rm('/', recursive=True)


@pytest.fixture
def worker(tmp_path, video_config):
    from mmforecast.apis.batch.worker import UnitWorker

    return UnitWorker(BatchSettings(str(tmp_path / 'out'), dict(model=video_config)), explain=explain)


def rows(folder, unit):
    """Rows of a unit but the name of the video."""
    found = parquet.read_table(folder / f'forecasts/{unit.name}.parquet').to_pylist()
    assert {row.pop('video') for row in found} == {unit.video}
    return found


def test_videos_by_address_are_forecast_as_files(worker, make_video, server, storage, tmp_path):
    served, address = server
    make_video(served / NAME, 24)
    storage.pipe_file('/bucket/drives/a.mp4', (served / NAME).read_bytes())
    storage.pipe_file('/bucket/drives/notes.txt', b'')
    videos = find_inputs([str(served / NAME), f'{address}/{quote(NAME)}', 'memory://bucket/drives'])
    assert videos[1:] == [f'{address}/{quote(NAME)}', 'memory:///bucket/drives/a.mp4']
    units = [Unit(video) for video in videos]
    assert len({unit.name for unit in units}) == 3
    for unit in units:
        assert worker(unit)['state'] == 'done'
    first, *others = (rows(tmp_path / 'out', unit) for unit in units)
    assert len(first) == 18 and all(found == first for found in others)
    assert not (tmp_path / 'out' / COPIES).exists()


def test_what_cannot_be_fetched_is_a_sentence(worker, server, storage, tmp_path):
    served, address = server
    (served / 'text.mp4').write_text('no video')
    sentences = {
        f'{address}/gone.mp4?x=1': '(404 File not found)',
        f'{address}/cut.mp4': '(the connection was closed after 0.0 of 0.0 MB)',
        f'{address}/text.mp4': f'{address}/text.mp4 cannot be opened',
        f'{address}/list.m3u8': 'is not the address of a video',
        'http://127.0.0.1:9/a.mp4': '(Connection refused)',
        'memory://gone.mp4': 'cannot be read',
        'nosuch://gone.mp4': 'no address of a storage',
    }
    for video, sentence in sentences.items():
        result = worker(Unit(video))
        assert result['state'] == 'failed' and sentence in result['sentence'] and video in result['sentence']
        assert 'traceback' not in result and str(tmp_path) not in result['sentence']
    assert not (tmp_path / 'out' / COPIES).exists()


def test_copies_of_killed_processes_go(tmp_path):
    copy = tmp_path / COPIES / 'a-1/a.mp4'
    make_folder(copy.parent)
    copy.touch()
    remove_files(tmp_path, 'b-1')
    assert copy.exists()
    remove_files(tmp_path, 'a-1')
    assert not list(tmp_path.iterdir())


def test_listing(storage):
    for name in ('a.mp4', 'b/c.mp4', 'b/d.txt'):
        storage.pipe_file(f'/bucket/{name}', b'')
    wanted = str.endswith
    listed = expand_address('memory://bucket', lambda name: wanted(name, '.mp4'))
    assert listed == ['memory:///bucket/a.mp4', 'memory:///bucket/b/c.mp4']
    assert expand_address('memory://bucket/*/*', lambda name: True)[1:] == ['memory:///bucket/b/d.txt']
    assert expand_address('memory://bucket/a.mp4', lambda name: False) == ['memory://bucket/a.mp4']
    with pytest.raises(FileNotFoundError, match='there is no video at memory://bucket/x\\*'):
        expand_address('memory://bucket/x*', lambda name: True)


def test_a_storage_that_fails_is_a_sentence(storage, monkeypatch):
    def fail(*args, **more):
        raise RuntimeError('no credentials')  # as of S3, which is no OSError

    monkeypatch.setattr(type(storage), 'isdir', fail)
    monkeypatch.setattr(type(storage), 'glob', fail)
    for address in ('memory://bucket', 'memory://bucket/*'):
        with pytest.raises(DownloadError, match=r'cannot be listed \(no credentials\)'):
            find_inputs([address])


def test_results_are_written_to_folders(tmp_path):
    with pytest.raises(ValueError, match='s3://bucket/out is an address, and results are written to a folder'):
        make_folder('s3://bucket/out')


def test_a_full_disk_is_not_the_fault_of_the_server(server, monkeypatch):
    served, address = server
    (served / 'a.mp4').write_bytes(b'x' * 100)
    if not Path('/dev/full').exists():
        pytest.skip('there is no /dev/full')
    with pytest.raises(OSError, match='No space left') as caught:
        fetch(f'{address}/a.mp4', '/dev/full')
    assert not isinstance(caught.value, DownloadError)


def test_weights_by_address(server, storage, tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    served, address = server
    weights = dict(state_dict=dict(a=torch.arange(3.0)))
    torch.save(weights, served / 'w.pth')
    storage.pipe_file('/w.pth', (served / 'w.pth').read_bytes())
    for place in (f'{address}/w.pth', 'memory://w.pth'):
        assert torch.equal(load_checkpoint(place)['state_dict']['a'], weights['state_dict']['a'])
    with pytest.raises(DownloadError, match='memory://gone.pth cannot be read'):
        load_checkpoint('memory://gone.pth')


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of a server of S3 in this process, by s3fs, where both are installed."""
    pytest.importorskip('s3fs')
    server = pytest.importorskip('moto.server').ThreadedMotoServer(port=0)
    import fsspec

    server.start()
    host, port = server.get_host_and_port()
    options = dict(endpoint_url=f'http://{host}:{port}', key='a', secret='b')
    monkeypatch.setitem(fsspec.config.conf, 's3', options)
    storage = fsspec.filesystem('s3')
    storage.makedirs('bucket', exist_ok=True)  # moto keeps it from test to test
    yield storage
    server.stop()


def test_videos_and_weights_in_s3(bucket, make_video, worker, tmp_path):
    video = make_video(tmp_path / NAME, 24)
    bucket.put_file(str(video), f'bucket/drives/{NAME}')
    bucket.pipe_file('bucket/drives/notes.txt', b'')
    address = f's3://bucket/drives/{NAME}'
    assert find_inputs(['s3://bucket/drives']) == find_inputs(['s3://bucket/*/*.mp4']) == [address]
    units = Unit(str(video)), Unit(address), Unit('s3://bucket/gone.mp4')
    assert [worker(unit)['state'] for unit in units] == ['done', 'done', 'failed']
    assert rows(tmp_path / 'out', units[0]) == rows(tmp_path / 'out', units[1])
    torch.save(dict(state_dict=dict(a=torch.arange(3.0))), tmp_path / 'w.pth')
    bucket.put_file(str(tmp_path / 'w.pth'), 'bucket/w.pth')
    assert torch.equal(load_checkpoint('s3://bucket/w.pth')['state_dict']['a'], torch.arange(3.0))
    with pytest.raises(DownloadError, match='s3://bucket/gone.pth cannot be read'):
        load_checkpoint('s3://bucket/gone.pth')


def test_a_data_set_in_s3(bucket, street_root, tmp_path):
    from mmforecast.datasets import CityscapesSequenceDataset

    bucket.put(str(street_root / 'leftImg8bit_sequence'), 'bucket/street/leftImg8bit_sequence', recursive=True)
    archive = shutil.make_archive(str(tmp_path / 'gtFine'), 'zip', street_root, 'gtFine')
    bucket.put_file(archive, 'bucket/street/gtFine_trainvaltest.zip')
    steps = [dict(type='LoadClipFrames'), dict(type='LoadClipSemSeg')]
    options = dict(split='val', num_future=1, pipeline=steps, test_mode=True)
    local, remote = (
        CityscapesSequenceDataset(root, **options) for root in (str(street_root), 's3://bucket/street')
    )
    assert len(local) == len(remote) == 2
    # the bucket is read by processes that have forked from this one
    for one, two in zip(local, DataLoader(remote, None, num_workers=1, collate_fn=dict), strict=True):
        assert np.array_equal(one['frames'], two['frames'])
        assert np.array_equal(one['gt_sem_seg'], two['gt_sem_seg'])
