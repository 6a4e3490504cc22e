"""Files that cannot be written are found before the model runs, in a sentence that names them."""

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from PIL import Image

from mmforecast.apis import ForecastInferencer
from mmforecast.apis.inferencers.background import BackgroundFiles
from mmforecast.apis.inferencers.files import playback_rate
from mmforecast.apis.inferencers.output_check import check_output
from mmforecast.structures import ForecastDataSample
from mmforecast.visualization.clip import NETWORK, TRUTH, known_titles

KINDS = ('mp4', 'gif', 'png', 'json')


def quiet(*args, **kwargs):
    return ForecastInferencer(*args, show_progress=False, **kwargs)


def test_a_trial_leaves_nothing_behind(tmp_path):
    (tmp_path / 'v_forecast.json').write_text('of an earlier run')
    check_output(tmp_path, 'v', KINDS)
    assert [path.name for path in tmp_path.iterdir()] == ['v_forecast.json']
    assert (tmp_path / 'v_forecast.json').read_text() == 'of an earlier run'
    check_output(tmp_path / 'a/12:30', 'v', KINDS)
    assert not list((tmp_path / 'a/12:30').iterdir())


@pytest.mark.parametrize(
    'folder, name, sentence',
    [
        ('/proc/self', 'v', r'/proc/self/v_forecast.mp4 cannot be written \(.*\): give another output folder'),
        ('/proc/self/new', 'v', 'the folder /proc/self/new cannot be created'),
        ('{tmp}', 'x' * 250, r'x_forecast.mp4 cannot be written \(File name too long\)'),
        ('{tmp}', 'taken', 'taken_forecast.gif is a folder where a file belongs: move it away'),
        ('{tmp}', 'filed', 'filed_frames is a file where a folder of PNG files belongs: move it away'),
    ],
)
def test_what_cannot_be_written(folder, name, sentence, tmp_path):
    (tmp_path / 'taken_forecast.gif').mkdir()
    (tmp_path / 'filed_frames').write_text('')
    with pytest.raises(OSError, match=sentence):
        check_output(Path(folder.format(tmp=tmp_path)), name, KINDS)


def content_of(path):
    """The bytes of a file, or of the frames of an MP4, which holds the time of its creation."""
    if path.suffix != '.mp4':
        return path.read_bytes()
    with av.open(path) as movie:
        return [frame.to_ndarray(format='rgb24').tobytes() for frame in movie.decode(video=0)]


def test_files_of_a_thread_are_those_of_the_caller(video_config, moving_square, tmp_path):
    """Pictures that are returned are drawn by the caller, who then writes the files, too."""
    inferencer = quiet(video_config)
    written = {}
    for name, settings in (('thread', {}), ('caller', dict(return_vis=True))):
        out = inferencer(moving_square, every=1, fps=10, out_dir=str(tmp_path / name), **settings)
        names = sorted(path.name for path in map(Path, out['files']))
        assert names == ['frames_forecast.gif', 'frames_forecast.json', 'frames_forecast.mp4', 'frames_frames']
        files = sorted(path for path in (tmp_path / name).rglob('*') if path.is_file())
        written[name] = {str(path.relative_to(tmp_path / name)): content_of(path) for path in files}
    assert written['thread'] == written['caller'] and len(written['caller']) > 3


class _Full:
    """Files of a disk with space for one forecast."""

    paths = ()

    def __init__(self):
        self.added, self.ended = [], 'never'

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.ended = kind

    def add(self, forecast):
        if self.added:
            raise OSError('no space left')
        self.added.append(forecast)


@pytest.mark.parametrize('count', [1, 2, 20])
def test_errors_of_the_thread_reach_the_caller(count):
    files, added = _Full(), 0
    try:
        with BackgroundFiles(files) as writer:
            for added in range(count):
                writer.add(added)
    except OSError as error:
        assert count > 1 and str(error) == 'no space left'
    assert files.added == [0] and files.ended == (None if count == 1 else OSError)


def test_nothing_more_is_written_after_an_interruption():
    files = _Full()
    with pytest.raises(KeyboardInterrupt), BackgroundFiles(files):
        raise KeyboardInterrupt
    assert files.ended is KeyboardInterrupt and not files.added


def test_it_is_found_before_the_model_runs(video_config, moving_square):
    inferencer = quiet(video_config)
    inferencer.model.encoder.encode = None
    for settings in (dict(), dict(every=2), dict(every=2, streaming=False)):
        with pytest.raises(OSError, match='frames_forecast.mp4 cannot be written'):
            inferencer(moving_square, out_dir='/proc/self', **settings)


FULL = """
import resource, sys
import numpy as np
from mmengine.config import Config
from mmforecast.apis import ForecastInferencer
inferencer = ForecastInferencer('video', predictor='copy-last', show_progress=False)
frames = np.random.default_rng(0).integers(0, 256, (12, 240, 320, 3), dtype=np.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))  # the trial fits, the files do not
for form in sys.argv[2:]:
    try:
        inferencer(frames, out_dir=sys.argv[1], formats=form)
    except OSError as error:
        print(f'{type(error).__name__}: {error}')
"""


@pytest.mark.slow
def test_a_disk_that_fills_up(tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', FULL, str(tmp_path), 'mp4', 'gif', 'png'], capture_output=True, text=True
    )
    lines = [line for line in done.stdout.splitlines() if 'cannot be written' in line]
    assert done.returncode == 0 and len(lines) == 3, done.stdout + done.stderr
    for line, name in zip(lines, ('frames_forecast.mp4', 'frames_forecast.gif', '_t+1.png'), strict=True):
        assert name in line and 'OSError' in line
    assert not [path for path in tmp_path.rglob('*') if path.is_file()]


@pytest.mark.parametrize(
    'fps, every, rate',
    [(20, 2, 10), (25, 100, 0.25), (None, 1, 10), (1e-4, 5, 1), (25, 400, 1), (1e6, 1, 240)],
)
def test_the_rate_of_a_running_video(fps, every, rate):
    assert playback_rate(fps, every) == rate


@pytest.mark.parametrize('fps', [1e-6, 1e-4, 1 / 3600, 1e5, 1e9])
def test_videos_of_any_rate_are_written(fps, video_config, moving_square, tmp_path):
    av = pytest.importorskip('av')
    out = quiet(video_config)(moving_square, every=2, fps=fps, out_dir=tmp_path)
    with av.open(str(tmp_path / 'frames_forecast.mp4')) as video:
        assert len(list(video.decode(video=0))) == 3
    with Image.open(tmp_path / 'frames_forecast.gif') as gif:
        assert gif.n_frames == 3
    report = json.loads((tmp_path / 'frames_forecast.json').read_text())
    assert report['video']['fps'] == fps and len(out['files']) == 4


def test_what_a_network_believes_is_not_called_the_truth(s2s_config, moving_square, tmp_path):
    inferencer = quiet(s2s_config)
    for settings, title in ((dict(at=7), NETWORK), (dict(at=9), TRUTH), (dict(at=11), None)):
        inferencer(moving_square, out_dir=tmp_path, formats='json', **settings)
        (forecast,) = json.loads((tmp_path / 'frames_forecast.json').read_text())['forecasts']
        assert forecast['beside'] == title


def test_frames_are_the_truth(video_config, moving_square, tmp_path):
    quiet(video_config)(moving_square, at=7, out_dir=tmp_path, formats='json')
    (forecast,) = json.loads((tmp_path / 'frames_forecast.json').read_text())['forecasts']
    assert forecast['beside'] == TRUTH


def test_titles_of_what_is_known():
    def sample(labelled, **fields):
        found = ForecastDataSample(metainfo=dict(num_past=1, num_future=2))
        for key in fields:
            found.set_field(PixelData(data=torch.zeros(fields[key], 4, 4)), key, dtype=PixelData)
        if labelled is not None:
            found.set_metainfo(dict(labelled=labelled))
        return known_titles(found)['labels']

    assert sample(None) == TRUTH  # nothing but frames
    assert sample(None, ref_sem_seg=2) == NETWORK
    assert sample([False, True, True], ref_sem_seg=2, gt_sem_seg=3) == TRUTH
    assert sample([True, False, False], ref_sem_seg=2, gt_sem_seg=3) == NETWORK
    assert sample([False, False, True], ref_sem_seg=2, gt_sem_seg=3) == f'{TRUTH}, else {NETWORK}'
    assert sample([False, False, True], gt_sem_seg=3) == TRUTH


def test_pictures_are_returned_and_drawn_once(video_config, moving_square, tmp_path, monkeypatch):
    from mmforecast.apis.inferencers import drawing

    drawn = []
    draw = drawing.forecast_animation
    monkeypatch.setattr(drawing, 'forecast_animation', lambda *a, **k: drawn.append(0) or draw(*a, **k))
    out = quiet(video_config)(moving_square, return_vis=True, out_dir=tmp_path)
    assert len(drawn) == 1 and len(out['visualization'][0]) == 4 + 2
    assert all(isinstance(picture, np.ndarray) for picture in out['visualization'][0])
