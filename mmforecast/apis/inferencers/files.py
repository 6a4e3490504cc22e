"""The writer: files of forecasts, MP4 and GIF to look at, PNG and JSON to process further."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mmforecast.fileio.atomic import write_atomically, write_png
from mmforecast.fileio.partial_file import partial_file
from mmforecast.structures.panoptic import panoptic_to_rgb
from mmforecast.visualization import video_file, write_gif, write_video

from .drawing import ForecastDrawer
from .formats import FORMATS
from .output_check import check_output, unwritable
from .real_time import RealTimeFrames
from .results import Forecast, plain_forecast, without_pixels
from .sources import FrameSource

__all__ = ['ForecastFiles', 'playback_rate']

# A GIF of a running video has at most this many pictures, evenly spread.
_MAX_GIF_PICTURES = 60
_CLIP_RATE = 3
# Pictures per second of running videos: outside this range a player shows no motion, or not every picture.
_SLOWEST, _FASTEST = 0.1, 240
# Of a video whose frame rate is unknown.
_ASSUMED_RATE = 10


class ForecastFiles:
    """Writes each forecast as it comes; a context manager. Every file is complete or absent.

    - ``<name>_forecast.mp4`` and ``.gif``: of one forecast, the past frames and each step, three pictures a
      second; of a running video (``every``), each true frame beside what had been forecast for it, at
      :func:`playback_rate`.
    - ``<name>_labels/<frame>_t+<k>.png``: label maps, 8 bit, of step k of the forecast from ``frame``;
      ``<name>_panoptic/...``: panoptic maps in COCO's colors, id = R + 256 G + 65536 B;
      ``<name>_frames/...``: forecast frames, RGB.
    - ``<name>_forecast.json``: all but pixels, with instances in the format of COCO's results.

    Args:
        out_dir: Folder; it is created if missing, and tried out when the context is entered.
        source: The video.
        drawer: Draws the pictures.
        run: What the JSON file says of the run besides its forecasts.
        formats: One or more of :data:`FORMATS`.
        every: Frames between forecasts; None: there is one.

    Raises:
        OSError: The folder or a file cannot be written; the sentence names it.
        ValueError: There is no such format.
    """

    def __init__(
        self,
        out_dir: str | Path,
        source: FrameSource,
        drawer: ForecastDrawer,
        run: dict,
        formats: Sequence[str] = FORMATS,
        every: int | None = None,
    ):
        self.folder = Path(out_dir)
        self.formats = check_formats(formats)
        self.source = source
        self.drawer = drawer
        self.run = run
        self.every = every
        self.paths: list[str] = []
        self._forecasts: list[dict] = []
        self._subsampled: list[tuple[int, np.ndarray]] = []
        self._first: int | None = None
        self._count = 0
        self._step = 1
        self._stack = ExitStack()
        self._video = None

    def __enter__(self) -> 'ForecastFiles':
        check_output(self.folder, self.source.name, self.formats)
        if self.every is not None and 'mp4' in self.formats:
            rate = playback_rate(self.source.fps, self.every)
            self._video = self._stack.enter_context(video_file(self._path('mp4'), rate))
        return self

    def __exit__(self, kind, error, trace) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._writing('mp4'):
            self._stack.close()
        self._finish()

    def add(self, forecast: Forecast) -> None:
        """Write what can be written of a forecast by now."""
        if {'mp4', 'gif'} & set(self.formats):
            pictures = self.drawer.pictures(forecast)
            if self.every is None:
                self._write_clip(pictures)
            else:
                self._add_running(*pictures, forecast.last)
        self._count += 1
        if not {'png', 'json'} & set(self.formats):
            return
        plain = plain_forecast(forecast, self.run.get('instance_classes'))
        images = self._write_images(plain, forecast.step_numbers) if 'png' in self.formats else {}
        if 'json' in self.formats:
            beside = {} if self.every is not None else dict(beside=self.drawer.beside(forecast))
            self._forecasts.append(dict(without_pixels(plain), **beside, **images))

    def _write_clip(self, pictures: list[np.ndarray]) -> None:
        if 'mp4' in self.formats:
            with self._writing('mp4'):
                write_video(self._path('mp4'), pictures, _CLIP_RATE)
            self.paths.append(str(self._path('mp4')))
        if 'gif' in self.formats:
            self._write_gif(pictures, _CLIP_RATE)

    def _add_running(self, picture: np.ndarray, frame: int) -> None:
        self._first = frame if self._first is None else self._first
        position = (frame - self._first) // self.every
        if self._video is not None:
            with self._writing('mp4'):
                self._video.add(picture, position)
        if 'gif' in self.formats and self._count % self._step == 0:
            self._subsampled.append((position, picture))
            if len(self._subsampled) > _MAX_GIF_PICTURES:
                self._subsampled = self._subsampled[::2]
                self._step *= 2

    def _finish(self) -> None:
        if self._video is not None:
            self.paths.append(str(self._path('mp4')))
        if self._subsampled:
            positions, pictures = zip(*self._subsampled)
            rate = playback_rate(self.source.fps, self.every * self._step)
            self._write_gif(pictures, rate, [position / self._step for position in positions])
        if 'json' in self.formats:
            if self.source.num_frames is None:
                self.run['video']['num_frames'] = self.source.num_read
            if isinstance(self.source, RealTimeFrames) and self.source.rate is not None:
                self.run['real_time'] = asdict(self.source.rate)
            text = json.dumps(dict(self.run, forecasts=self._forecasts), indent=1)
            with self._writing('json'):
                write_atomically(str(self._path('json')), text.encode())
            self.paths.append(str(self._path('json')))

    def _write_gif(
        self, pictures: Sequence[np.ndarray], fps: float, positions: Sequence[float] | None = None
    ) -> None:
        with self._writing('gif'), partial_file(self._path('gif')) as partial:
            write_gif(partial, pictures, fps, positions=positions)
        self.paths.append(str(self._path('gif')))

    def _write_images(self, plain: dict, steps: Sequence[int]) -> dict[str, list[str]]:
        """Write PNG files of all kinds of maps and of frames; their paths relative to the folder, by kind."""
        last, written = plain['last_frame'], {}
        for key, kind in (('sem_seg', 'labels'), ('panoptic', 'panoptic'), ('rgb', 'frames')):
            if key not in plain:
                continue
            folder = self.folder / f'{self.source.name}_{kind}'
            names = [f'{last:06d}_t+{step}.png' for step in steps]
            images = panoptic_to_rgb(plain[key]) if key == 'panoptic' else plain[key]
            for name, image in zip(names, images, strict=True):
                with unwritable(folder / name):
                    folder.mkdir(parents=True, exist_ok=True)
                    write_png(folder / name, image)
            if str(folder) not in self.paths:
                self.paths.append(str(folder))
            written[f'{kind}_png'] = [f'{folder.name}/{name}' for name in names]
        return written

    @contextmanager
    def _writing(self, ending: str) -> Iterator[None]:
        with unwritable(self._path(ending)):
            yield

    def _path(self, ending: str) -> Path:
        return self.folder / f'{self.source.name}_forecast.{ending}'


def check_formats(formats: Sequence[str]) -> list[str]:
    """The formats as a list; a ValueError if one is none of :data:`FORMATS`."""
    formats = [formats] if isinstance(formats, str) else list(formats)
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(f'formats must be one or more of {FORMATS}, got {formats}')
    return formats


def playback_rate(fps: float | None, every: int) -> float:
    """Pictures per second of a running video with a picture every ``every`` frames: its own speed.

    A time-lapse, slower than a picture in ten seconds, is played at one a second; above 240 a second no
    player shows every picture.

    Args:
        fps: Frames per second of the video; None where that is unknown: 10.
        every: Frames between pictures.
    """
    rate = (fps or _ASSUMED_RATE) / every
    return 1.0 if rate < _SLOWEST else min(rate, _FASTEST)
