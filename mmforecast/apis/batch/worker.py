"""The work of one unit, whatever drives it."""

import gc
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mmforecast.apis.inferencers.clips import Moments, wanted_frames
from mmforecast.apis.inferencers.drawing import ForecastDrawer
from mmforecast.apis.inferencers.files import playback_rate
from mmforecast.apis.inferencers.opening import open_frames
from mmforecast.apis.inferencers.quiet import quiet_inferencer
from mmforecast.apis.inferencers.read_ahead import read_ahead
from mmforecast.apis.inferencers.results import Forecast
from mmforecast.apis.inferencers.sources import FrameSource
from mmforecast.datasets.video.index import forget_indexes
from mmforecast.fileio.fingerprint import weights_fingerprint
from mmforecast.utils.heap import trim_heap
from mmforecast.visualization import video_file

from .failures import failure
from .settings import BatchSettings
from .states import DONE, FATAL, SPLIT
from .unit_files import UnitFiles, local_copy
from .units import Unit, split_moments
from .workers import settle_process
from .writing import ResultsError

__all__ = ['UnitWorker', 'build_worker']

# Seconds between reports of frames.
_REPORT = 0.5
# Seconds of work after which memory is given back to the system.
_TRIM = 10


def build_worker(
    number: int,
    settings: BatchSettings,
    num_gpus: int = 0,
    threads: int = 1,
    explain: Callable[[BaseException], str | None] | None = None,
) -> 'UnitWorker':
    """The worker of a process of its own.

    Args:
        number: Of the worker, which decides its GPU.
        settings: What is computed.
        num_gpus: GPUs that workers are spread over; 0: as ``settings`` say.
        threads: Threads that the libraries of this process use.
        explain: As for :class:`UnitWorker`.
    """
    worker = UnitWorker(settings, settle_process(number, num_gpus, threads), explain)
    gc.freeze()  # the model is no garbage, and collections need not look at it
    return worker


class UnitWorker:
    """Makes the forecasts of units with one model, which it loads once.

    Args:
        settings: What is computed.
        device: In place of the one in ``settings``.
        explain: Makes a sentence of an error, or None where a traceback is needed.
    """

    def __init__(
        self,
        settings: BatchSettings,
        device: str | None = None,
        explain: Callable[[BaseException], str | None] | None = None,
    ):
        model = dict(settings.model, show_progress=False)
        if device is not None:
            model['device'] = device
        self.settings = settings
        self.explain = explain
        self.inferencer = quiet_inferencer(**model)
        self.every = settings.every or self.inferencer.plan.stride
        self._video: str | None = None
        self._trimmed = time.monotonic()

    @property
    def built(self) -> dict:
        """What decides the results of its model."""
        inferencer, plan = self.inferencer, self.inferencer.plan
        config = inferencer.choice.cfg.pretty_text.encode()
        classes = inferencer.dataset_meta.get('classes')
        return dict(
            title=inferencer.choice.title,
            note=inferencer.choice.note,
            num_past=plan.num_past,
            horizon=plan.horizon,
            stride=plan.stride,
            every=self.every,
            classes=classes and list(classes),
            instance_classes=inferencer.instance_classes and list(inferencer.instance_classes),
            config=hashlib.sha256(config).hexdigest()[:16],
            weights=weights_fingerprint(inferencer.model)[:16],
        )

    def __call__(self, unit: Unit, report: Callable[[int], None] = lambda frames: None) -> dict:
        """Do a unit.

        Args:
            unit: The unit.
            report: Is told the number of frames done since it was last called.

        Returns:
            ``state``: 'done', with ``forecasts``, ``instances``, ``frames``, ``files`` and ``seconds``;
            'split', with ``units``, the (start, stop) of each stretch; 'failed' or 'fatal', with ``sentence``.
        """
        begin = time.monotonic()
        self._release()
        try:
            result = self._do(unit, report)
        except ResultsError as error:
            return dict(state=FATAL, sentence=str(error))
        except Exception as error:
            return failure(error, self.explain)
        return dict(result, seconds=round(time.monotonic() - begin, 3))

    def _release(self) -> None:
        """Free what earlier units have left."""
        gc.collect()  # decoders are in cycles
        if time.monotonic() - self._trimmed > _TRIM:
            trim_heap()
            self._trimmed = time.monotonic()

    def _do(self, unit: Unit, report: Callable) -> dict:
        if self._video != unit.video:
            forget_indexes()  # a worker sees a thousand videos, each once
            self._video = unit.video
        with local_copy(Path(self.settings.folder), unit.name, unit.video) as path:
            try:
                return self._forecast_file(unit, path, report)
            except ResultsError:
                raise
            except Exception as error:
                result = failure(error, self.explain)
                return dict(result, sentence=result['sentence'].replace(path, unit.video))

    def _forecast_file(self, unit: Unit, path: str, report: Callable) -> dict:
        if not (os.path.isfile(path) or os.path.isdir(path)):
            raise FileNotFoundError(f'there is no video or folder {path}')
        source = open_frames(path, self.settings.fps, self.settings.max_frames)
        moments = self._moments(source)
        if unit.whole and self.settings.unit_frames is not None:
            stretches = self._stretches(source, moments)
            if len(stretches) > 1 or unit.plan_only:
                return dict(state=SPLIT, units=stretches)
        if not unit.whole:
            moments = replace(moments, first=unit.start, stop=unit.stop)
        files = UnitFiles(
            self.settings.folder,
            unit.name,
            unit.video,
            self.inferencer.instance_classes,
            self.settings.keep_frames,
            self._video_opener(source) if self.settings.render else None,
        )
        with files:
            num_frames = self._forecast(source, moments, files, report)
        return dict(
            state=DONE,
            forecasts=files.num_forecasts,
            instances=files.num_instances,
            frames=num_frames,
            files=sorted(files.paths),
        )

    def _moments(self, source: FrameSource) -> Moments:
        oracle = self.inferencer.model.predictor.reads_future
        return self.inferencer.plan.choose(source.num_frames, source.path, self.every, None, oracle)

    def _stretches(self, source: FrameSource, moments: Moments) -> list[tuple[int, int]]:
        plan = self.inferencer.plan
        return split_moments(
            range(moments.first, moments.stop, moments.every),
            source.num_frames,
            plan.horizon * plan.stride,
            self.settings.unit_frames,
            1 if self._streamed else self.settings.batch_size,
        )

    @property
    def _streamed(self) -> bool:
        return self.settings.streaming is not False and not self.inferencer.model.predictor.reads_future

    def _forecast(self, source: FrameSource, moments: Moments, files: UnitFiles, report: Callable) -> int:
        """Forecast along the unit; the number of frames that were read."""
        plan, runner = self.inferencer.plan, self.inferencer.runner
        counter = _Counter(wanted_frames(source, plan, moments), report)
        with read_ahead(source, iter(counter)) as frames:
            for forecast in runner.run(frames, moments, self._streamed, self.settings.batch_size):
                files.add(forecast)
                counter.report()
        counter.report(last=True)
        return counter.total

    def _video_opener(self, source: FrameSource) -> Callable:
        """Opens an MP4 file that forecasts are drawn to, beside the true frames."""
        settings, inferencer = self.settings, self.inferencer
        drawer = ForecastDrawer(
            inferencer.choice.title,
            inferencer.dataset_meta,
            True,
            source.num_frames,
            settings.score_thr,
            settings.panel_height,
        )

        @contextmanager
        def opened(path: Path) -> Iterator[Callable[[Forecast], None]]:
            with video_file(path, playback_rate(source.fps, self.every)) as file:

                def add(forecast: Forecast) -> None:
                    for picture in drawer.pictures(forecast):
                        file.add(picture)

                yield add

        return opened


class _Counter:
    """Counts the frames that go by, and reports them now and then."""

    def __init__(self, numbers: Iterator[int], report: Callable[[int], None]):
        self.total = 0
        self._numbers = numbers
        self._report = report
        self._reported = 0
        self._time = time.monotonic()

    def __iter__(self) -> Iterator[int]:
        for number in self._numbers:
            yield number
            self.total += 1

    def report(self, last: bool = False) -> None:
        now, new = time.monotonic(), self.total - self._reported
        if new and (last or now - self._time >= _REPORT):
            self._report(new)
            self._reported, self._time = self._reported + new, now
