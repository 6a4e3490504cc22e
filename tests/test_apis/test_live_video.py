"""Live streams give the frames of the file behind them, end in time, and say in a sentence what failed."""

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.inferencers import open_frames

av = pytest.importorskip('av')
NUM_FRAMES = 60
ENDLESS = 'testsrc=size=64x48:rate=50'  # a camera without hardware
LAVFI = dict(format='lavfi')


def write(path, form, codec='mpeg4', num_frames=NUM_FRAMES, size=(64, 48)):
    """Noise that moves, 20 frames a second."""
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    with av.open(str(path), 'w', format=form) as container:
        stream = container.add_stream(codec, rate=20)
        stream.width, stream.height = size
        stream.pix_fmt = 'yuv420p'
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(np.roll(noise, 2 * number, 1), format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('served')
    for name, form in (('a.mp4', 'mp4'), ('a.mkv', 'matroska'), ('a.ts', 'mpegts')):
        write(folder / name, form)
    (folder / 'text.html').write_text('<p>no video</p>')
    return folder


@pytest.fixture(scope='module')
def address(folder):
    """A server of the folder: /half/ breaks off after half a file, /stall/ goes silent there."""
    stalled = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            *mode, name = self.path.split('?')[0].strip('/').split('/')
            path = folder / name
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            self.send_response(200)
            self.send_header('Content-Length', str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if mode else data)
            self.wfile.flush()
            if mode == ['stall']:
                stalled.wait(30)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    stalled.set()
    server.shutdown()
    server.server_close()


def decoded(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]


@contextmanager
def written_to(pipe, data, hold=0):
    """A process that writes to a named pipe, and holds it open for some seconds afterwards."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(data)
        stdin.seek(0)
        process = subprocess.Popen(['sh', '-c', f'{{ cat; sleep {hold}; }} > "$0"', str(pipe)], stdin=stdin)
    yield
    process.kill()
    process.wait()


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv', 'a.ts'])
def test_an_address_is_the_file_behind_it(address, folder, name):
    source = open_frames(f'{address}/{name}?token=1')
    frames = list(source)
    expected = decoded(folder / name)
    assert len(frames) == len(expected) == NUM_FRAMES == source.num_read and source.problem is None
    assert all(np.array_equal(frame.image, other) for frame, other in zip(frames, expected, strict=True))
    assert [frame.number for frame in frames] == list(range(NUM_FRAMES))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(NUM_FRAMES) / 20, abs=2e-3)
    assert source.name == 'a' and source.fps == 20 and source.num_frames is None
    with pytest.raises(ValueError, match='has been read already'):
        next(iter(source))


def test_a_named_pipe_is_the_file_behind_it(folder, tmp_path):
    pipe = tmp_path / 'live'
    os.mkfifo(pipe)
    with written_to(pipe, (folder / 'a.ts').read_bytes()):
        frames = list(open_frames(pipe))
    expected = decoded(folder / 'a.ts')
    assert all(np.array_equal(frame.image, other) for frame, other in zip(frames, expected, strict=True))


def test_a_camera_has_no_end():
    source = open_frames(ENDLESS, av_options=LAVFI, max_frames=7)
    assert [frame.number for frame in source] == list(range(7))
    assert source.fps == 50 and source.problem is None
    source = open_frames(ENDLESS, fps=10, av_options=LAVFI)
    for frame in source:
        if frame.number == 9:
            source.stop()
    assert source.num_read == 10 and frame.time == 0.9  # as fps says


@pytest.mark.parametrize(
    'inputs, sentence',
    [
        ('{address}/gone.mp4', r'gone.mp4 cannot be opened \(Server returned 404 Not Found\): check the add'),
        ('{address}/text.html', r'text.html cannot be opened \(Invalid data found .*download the file'),
        ('http://127.0.0.1:1/a.mp4', r'cannot be opened \(Connection refused\): check the address'),
        ('rtsp://me:secret@127.0.0.1:1/a', r'^rtsp://127.0.0.1:1/a cannot be opened'),
        ('gopher://x/a.mp4', 'gopher:// is not supported: give a path, or an address of http, https, '),
        ('97', r'camera 97 cannot be opened: there is no /dev/video97 \(.*\); give the index of another'),
        (97, 'camera 97 cannot be opened'),
    ],
)
def test_what_cannot_be_opened(address, inputs, sentence):
    inputs = inputs.format(address=address) if isinstance(inputs, str) else inputs
    with pytest.raises(ValueError, match=sentence) as error:
        open_frames(inputs, timeout=5)
    assert 'secret' not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize(
    'settings, sentence',
    [
        (dict(timeout=0), 'timeout must be above 0, got 0'),
        (dict(timeout=float('nan')), 'timeout must be above 0'),
        (dict(max_frames=0), 'max_frames must be an integer >= 1, got 0'),
        (dict(fps=float('inf')), 'fps must be a finite number above 0, or None, got inf'),
    ],
)
def test_arguments(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        open_frames(ENDLESS, av_options=LAVFI, **settings)


def test_options_of_what_is_no_stream(folder):
    with pytest.raises(ValueError, match='av_options are for addresses, cameras and pipes, and .*a.mp4 is'):
        open_frames(folder / 'a.mp4', av_options=dict(video_size='640x480'))


def test_a_pipe_that_nobody_writes_to(tmp_path):
    os.mkfifo(tmp_path / 'live')
    start = time.monotonic()
    with pytest.raises(ValueError, match=r'live cannot be opened \(nothing came for 0.5 s\): pipe a format'):
        open_frames(tmp_path / 'live', timeout=0.5)
    assert time.monotonic() - start < 5


def test_a_format_that_no_pipe_can_carry(inferencer, tmp_path):
    """MP4 has its index at the end, where no pipe goes back from."""
    os.mkfifo(tmp_path / 'live')
    write(tmp_path / 'large.mp4', 'mp4', 'libx264', size=(320, 240))
    with written_to(tmp_path / 'live', (tmp_path / 'large.mp4').read_bytes()):
        source = open_frames(tmp_path / 'live')
        with pytest.raises(ValueError, match='live has no frame that can be decoded .* such as MPEG-TS'):
            inferencer(source)


@pytest.mark.parametrize('kind', ['pipe', 'address'])
def test_a_stream_that_stalls_ends_with_what_came(kind, address, folder, tmp_path):
    inputs = f'{address}/stall/a.ts'
    if kind == 'pipe':
        inputs = tmp_path / 'live'
        os.mkfifo(inputs)
    data = (folder / 'a.ts').read_bytes()
    with written_to(tmp_path / 'live' if kind == 'pipe' else os.devnull, data[: len(data) // 2], hold=30):
        source = open_frames(inputs, timeout=1)
        start = time.monotonic()
        count = len(list(source))
    assert 10 <= count < NUM_FRAMES and 0.5 < time.monotonic() - start < 5
    assert re.search(r'has stalled|nothing came for 1 s', source.problem), source.problem


def test_a_lost_connection_ends_with_what_came(address):
    source = open_frames(f'{address}/half/a.ts', timeout=5)
    assert 10 <= len(list(source)) < NUM_FRAMES
    assert re.search(r'a.ts ended after \d+ frames \(Input/output error\)', source.problem)


def test_frames_that_change_their_size(tmp_path):
    write(tmp_path / 'small.ts', 'mpegts', 'mpeg2video', 12)
    write(tmp_path / 'large.ts', 'mpegts', 'mpeg2video', 12, (96, 48))
    os.mkfifo(tmp_path / 'live')
    data = (tmp_path / 'small.ts').read_bytes() + (tmp_path / 'large.ts').read_bytes()
    with written_to(tmp_path / 'live', data):
        source = open_frames(tmp_path / 'live')
        frames = list(source)
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert 'changes from 48x64 to 48x96 pixels at frame' in source.problem


@pytest.fixture
def inferencer(video_config):
    return ForecastInferencer(video_config, predictor='copy-last', show_progress=False)


def test_forecasts_of_a_stream_are_those_of_its_file(inferencer, address, folder):
    for settings in (dict(), dict(every=7)):
        live = inferencer(f'{address}/a.mkv', **settings)['predictions']
        stored = inferencer(str(folder / 'a.mkv'), **settings)['predictions']
        for mine, other in zip(live, stored, strict=True):
            assert np.array_equal(mine['rgb'], other['rgb'])
            assert mine['frames'] == other['frames']
            assert mine['seconds'] == other['seconds'] == pytest.approx([0.1, 0.2])


@pytest.fixture
def interruptible():
    """Ctrl-C as in a shell; processes that a script starts in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('interruptible')
@pytest.mark.parametrize('every', [None, 5])
def test_the_first_ctrl_c_ends_a_stream_with_everything_written(inferencer, tmp_path, every):
    source = open_frames(ENDLESS, av_options=LAVFI)
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    out = inferencer(source, every=every, out_dir=tmp_path)
    assert source.stopped and source.num_read > 20
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    report = json.loads(next(tmp_path.glob('*.json')).read_text())
    assert len(report['forecasts']) == len(out['predictions']) >= 1
    assert report['video']['num_frames'] == source.num_read
    with av.open(str(next(tmp_path.glob('*.mp4')))) as video:
        assert len(list(video.decode(video=0))) == (9 if every is None else len(out['predictions']))
    assert not [path for path in tmp_path.rglob('*') if 'partial' in path.name]


def test_a_stalled_stream_that_is_too_short(inferencer, folder, tmp_path):
    os.mkfifo(tmp_path / 'live')
    write(tmp_path / 'short.ts', 'mpegts', num_frames=5)
    with written_to(tmp_path / 'live', (tmp_path / 'short.ts').read_bytes()):
        source = open_frames(tmp_path / 'live')
        with pytest.raises(ValueError, match='live has 5 frames, but a forecast is made from 4 frames, 2 ap'):
            inferencer(source, every=1)


def test_a_stream_cannot_go_back(inferencer, address):
    with pytest.raises(ValueError, match='a live stream cannot go back'):
        inferencer(f'{address}/a.ts', at=20)


@pytest.mark.slow
def test_the_standard_input(folder, tmp_path):
    words = ['predict', '-', '--baseline', 'copy-last', '--every', '10', '--out', str(tmp_path / 'out')]
    words += ['--max-frames', '40', '--formats', 'json', '--stride', '1']
    with open(folder / 'a.ts', 'rb') as stdin:
        done = subprocess.run(
            [sys.executable, '-m', 'mmforecast', *words], stdin=stdin, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert 'standard input: a live stream, 20 per second; Ctrl-C ends it' in done.stdout
    report = json.loads((tmp_path / 'out/stdin_forecast.json').read_text())
    assert report['video'] == dict(path='standard input', num_frames=40, fps=20.0)
    assert [forecast['last_frame'] for forecast in report['forecasts']] == [3, 13, 23, 33]
