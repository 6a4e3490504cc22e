"""Files of forecasts: MP4 and GIF to look at, PNG and JSON to go on with."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from mmforecast.fileio.atomic import write_atomically, write_png
from mmforecast.fileio.partial_file import partial_file
from mmforecast.visualization import video_file, write_gif, write_video

from .drawing import clip_pictures, running_picture
from .results import Forecast, plain_forecast, without_pixels

__all__ = ['FORMATS', 'ForecastFiles']

FORMATS = ('mp4', 'gif', 'png', 'json')
# A GIF of a running video has at most so many pictures, evenly spread.
_MOST_GIF_PICTURES = 60


class ForecastFiles:
    """Writes each forecast as it comes; a context. Every file is whole or not there.

    - ``<name>_forecast.mp4`` and ``.gif``: of one forecast, the past frames and each step, three pictures a
      second; of a running video (``every``), what came beside what had been forecast for it, at the video's
      own speed.
    - ``<name>_labels/<frame>_t+<k>.png``: label maps, 8 bit, of step k of the forecast from ``frame``;
      ``<name>_frames/...``: forecast frames, RGB.
    - ``<name>_forecast.json``: everything but pixels, and instances as COCO's results.

    Args:
        run: What the JSON file says of the run besides its forecasts; ``title`` and ``meta`` as for
            :func:`clip_pictures`.
        source: The video.
        formats: Of :data:`FORMATS`.
        every: Frames between forecasts; None: there is one.
        drawing: ``score_thr`` and ``panel_height``.

    Raises:
        ValueError: There is no such format, or no such picture.
    """

    def __init__(
        self,
        out_dir: str | Path,
        source,
        title: str,
        meta: dict,
        run: dict,
        formats: Sequence[str] = FORMATS,
        every: int | None = None,
        drawing: dict | None = None,
    ):
        formats = [formats] if isinstance(formats, str) else list(formats)
        unknown = sorted(set(formats) - set(FORMATS))
        if unknown or not formats:
            raise ValueError(f'formats has to be one or more of {FORMATS}, got {formats}')
        _check_drawing(drawing or {})
        self.folder, self.formats, self.source = Path(out_dir), formats, source
        self.title, self.meta, self.run = title, meta, run
        self.every, self.drawing = every, drawing or {}
        self.paths: list[str] = []
        self._forecasts: list[dict] = []
        self._thinned: list[np.ndarray] = []
        self._count, self._step = 0, 1
        self._stack = ExitStack()
        self._video = None

    @property
    def fps(self) -> float:
        """Pictures per second of a running video."""
        return (self.source.fps or 10) / self.every

    def __enter__(self) -> 'ForecastFiles':
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(f'there can be no folder {self.folder} ({error.strerror})') from error
        if self.every is not None and 'mp4' in self.formats:
            self._video = self._stack.enter_context(video_file(self._path('mp4'), self.fps))
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)
        if error[0] is None:
            self._finish()

    def add(self, forecast: Forecast) -> None:
        """Write what can be written of a forecast by now."""
        if self.every is not None:
            self._add_running(forecast)
        else:
            self._write_clip(forecast)
        if not {'png', 'json'} & set(self.formats):
            return
        plain = plain_forecast(forecast, self.run.get('instance_classes'))
        images = self._write_images(plain) if 'png' in self.formats else {}
        if 'json' in self.formats:
            self._forecasts.append(dict(without_pixels(plain), **images))

    def _write_clip(self, forecast: Forecast) -> None:
        if not {'mp4', 'gif'} & set(self.formats):
            return
        pictures = clip_pictures(forecast, self.title, self.meta, **self.drawing)
        if 'mp4' in self.formats:
            write_video(self._path('mp4'), pictures)
            self.paths.append(str(self._path('mp4')))
        if 'gif' in self.formats:
            self._write_gif(pictures, fps=3)

    def _add_running(self, forecast: Forecast) -> None:
        if not {'mp4', 'gif'} & set(self.formats):
            return
        total = self.source.num_frames
        picture = running_picture(forecast, self.title, self.meta, total, **self.drawing)
        if self._video is not None:
            self._video.add(picture)
        if 'gif' in self.formats and self._count % self._step == 0:
            self._thinned.append(picture)
            if len(self._thinned) > _MOST_GIF_PICTURES:
                self._thinned, self._step = self._thinned[::2], 2 * self._step
        self._count += 1

    def _finish(self) -> None:
        if self._video is not None:
            self.paths.append(str(self._path('mp4')))
        if self._thinned:
            self._write_gif(self._thinned, fps=self.fps / self._step)
        if 'json' in self.formats:
            text = json.dumps(dict(self.run, forecasts=self._forecasts), indent=1)
            write_atomically(str(self._path('json')), text.encode())
            self.paths.append(str(self._path('json')))

    def _write_gif(self, pictures: list[np.ndarray], fps: float) -> None:
        with partial_file(self._path('gif')) as partial:
            write_gif(partial, pictures, fps)
        self.paths.append(str(self._path('gif')))

    def _write_images(self, plain: dict) -> dict[str, list[str]]:
        """PNG files of label maps and frames; their paths under the folder, by what they are."""
        last, written = plain['last_frame'], {}
        for key, kind in (('sem_seg', 'labels'), ('rgb', 'frames')):
            if key not in plain:
                continue
            folder = self.folder / f'{self.source.name}_{kind}'
            folder.mkdir(parents=True, exist_ok=True)
            names = [f'{last:06d}_t+{step}.png' for step in range(1, len(plain[key]) + 1)]
            for name, image in zip(names, plain[key], strict=True):
                write_png(folder / name, image)
            if str(folder) not in self.paths:
                self.paths.append(str(folder))
            written[f'{kind}_png'] = [f'{folder.name}/{name}' for name in names]
        return written

    def _path(self, ending: str) -> Path:
        return self.folder / f'{self.source.name}_forecast.{ending}'


def _check_drawing(drawing: dict) -> None:
    threshold, height = drawing.get('score_thr', 0), drawing.get('panel_height', 32)
    if not 0 <= threshold <= 1:
        raise ValueError(f'score_thr has to be in [0, 1], got {threshold}')
    if height < 32:
        raise ValueError(f'panel_height has to be at least 32 pixels, got {height}')
