"""The runner: takes a forecaster along a video, and gives forecasts in the order of time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from mmengine.registry import DefaultScope

from mmforecast.models.forecasters import BaseForecaster
from mmforecast.structures import ForecastDataSample

from ..evaluate import SCOPE
from ..streaming import StreamingForecaster, memory_of_stride
from .clips import ClipPlan, Moments, walk, wanted_frames
from .forecast_frames import FrameForecaster
from .geometry import FramePipeline, InverseGeometry
from .read_ahead import read_ahead
from .real_time import RealTimeFrames
from .results import Forecast
from .sources import ArrayFrames, FileFrames, FrameSource, TimedFrame

__all__ = ['ForecastRunner', 'read_tail']


@dataclass
class _Clip:
    """The frames of a forecast.

    Attributes:
        meta: The metainfo of its sample.
        frames: (num_past + k, H, W, 3) uint8 RGB: the past, and the k future frames that are known.
        times: Seconds of the past frames and all steps since the first frame of the video, or None.
        begun: What streaming has forecast, at the network's size, and the way back; None: nothing yet.
    """

    meta: dict
    frames: np.ndarray
    times: list[float] | None
    begun: tuple[ForecastDataSample, InverseGeometry] | None


class ForecastRunner:
    """Runs a forecaster along a video, once, and decodes no frame twice.

    Args:
        model: In eval mode.
        pipeline: What frames go through.
        plan: The time axis.
        collate: Makes the data of a batch from its items.
        forward: Makes samples from the data of a batch.
    """

    def __init__(
        self,
        model: BaseForecaster,
        pipeline: FramePipeline,
        plan: ClipPlan,
        collate: Callable,
        forward: Callable,
    ):
        self.model = model
        self.pipeline = pipeline
        self.plan = plan
        self.collate = collate
        self.forward = forward
        self.memory = memory_of_stride(plan.stride)
        self.move = FrameForecaster(model, self.memory)

    def run(
        self,
        source: FrameSource,
        moments: Moments,
        streaming: bool,
        batch_size: int = 1,
        wait: bool = True,
    ) -> Iterator[Forecast]:
        """A forecast at each moment.

        Args:
            source: The video.
            moments: When to forecast.
            streaming: Encode each frame once, when it comes; else the past of each clip anew, in batches.
            batch_size: Clips of a batch, without streaming.
            wait: Hold each forecast back until its future has come; else only the past is known.

        Raises:
            ValueError: The video is too short.
        """
        if streaming:
            stream = StreamingForecaster(self.model, self.plan.stride, self.memory)
            for clip in self.clips(source, moments, wait, stream):
                sample, back = clip.begun
                sample.set_metainfo(dict(clip.meta, ori_shape=clip.frames.shape[1:3]))
                yield self._settled(sample, clip, back)
            return
        for data, settle in self.load_batches(self.clips(source, moments, wait), batch_size):
            with self.memory.in_use():
                samples = self.forward(data)
            for sample, finish in zip(samples, settle, strict=True):
                yield finish(sample)

    def load_batches(self, clips: Iterable[_Clip], size: int) -> Iterator[tuple]:
        """The data of batches of clips and, of each clip, a function from its sample to a Forecast.

        Args:
            clips: As :meth:`clips` gives them.
            size: Clips of a batch. Where the model looks at the future, too, clips with all of it and clips
                without are in different batches.
        """
        looks = self.model.with_reference or self.model.predictor.reads_future
        for group in _batches(clips, size, partial(self._num_seen, looks=looks)):
            items, settle = [], []
            for clip in group:
                seen = self._num_seen(clip, looks)
                item, back = self.pipeline(clip.frames[:seen], clip.meta)
                items.append(item)
                settle.append(partial(self._settled, clip=clip, back=back))
            yield self.collate(items), settle

    def _num_seen(self, clip: _Clip, looks: bool) -> int:
        """Frames that the model sees: the whole future too, where it looks at that and all is known."""
        whole = len(clip.frames) == self.plan.num_past + self.plan.horizon
        return len(clip.frames) if whole and looks else self.plan.num_past

    def _settled(self, sample: ForecastDataSample, clip: _Clip, back: InverseGeometry) -> Forecast:
        sample.set_metainfo(dict(frame_times=clip.times))
        return Forecast(back.restore(sample), clip.frames, self.move).without_skipped()

    def clips(
        self,
        source: FrameSource,
        moments: Moments,
        wait: bool = True,
        stream: StreamingForecaster | None = None,
    ) -> Iterator[_Clip]:
        """The clips of all moments, each as soon as its frames have come; see :meth:`run`.

        Args:
            source: The video.
            moments: When to forecast.
            wait: Hold each clip back until its future has come.
            stream: Forecasts along the way.
        """
        plan = self.plan
        kept: dict[int, TimedFrame] = {}
        pending: deque[tuple[int, tuple | None]] = deque()
        for frame, past, due in self._walk(source, moments):
            kept[frame.number] = _copied(frame) if source.reuses_buffers else frame
            while next(iter(kept)) < frame.number - plan.reach:
                del kept[next(iter(kept))]
            begun = self._observe(stream, frame, due) if stream and past else None
            if due and isinstance(source, RealTimeFrames):
                source.finished()
            if due:
                pending.append((frame.number, begun))
            while pending and (not wait or plan.future(pending[0][0])[-1] <= frame.number):
                yield self._clip(source, kept, *pending.popleft())
        count = source.num_read if source.num_frames is None else source.num_frames
        plan.require(count, source.path or 'the input', source.problem)
        while pending:
            yield self._clip(source, kept, *pending.popleft())

    def _walk(self, source: FrameSource, moments: Moments) -> Iterator[tuple[TimedFrame, bool, bool]]:
        """As :func:`walk`; frames of files are decoded ahead, in a thread, and real time does not wait."""
        if isinstance(source, RealTimeFrames):
            yield from source.walk(self.plan, moments)
            return
        if not isinstance(source, FileFrames):
            yield from walk(source, self.plan, moments)
            return
        with read_ahead(source, wanted_frames(source, self.plan, moments)) as ahead:
            yield from walk(ahead, self.plan, moments)

    def _observe(self, stream: StreamingForecaster, frame: TimedFrame, due: bool) -> tuple | None:
        """Encode a frame; where a forecast is due, the forecast and the way back to the frame's size."""
        # The scope is left before every yield, so that the user's code never runs in it.
        with DefaultScope.overwrite_default_scope(SCOPE):
            results, back = self.pipeline.transform(frame.image[None], {})
            stream.observe(results['frames'][0], frame.number)
            return (stream.forecast(), back) if due else None

    def _clip(self, source: FrameSource, kept: dict[int, TimedFrame], last: int, begun) -> _Clip:
        plan = self.plan
        past, future = plan.past(last), plan.future(last)
        frames = [kept[number] for number in (*past, *future) if number in kept]
        meta = dict(
            sequence_id=source.name,
            frame_indices=[*past, *future],
            frame_names=[str(number) for number in (*past, *future)],
            num_past=plan.num_past,
            num_future=len(frames) - plan.num_past,
            stride=plan.stride,
            fps=source.fps,
        )
        times = _times(frames, [*past, *future], plan.num_past, source.fps)
        return _Clip(meta, np.stack([frame.image for frame in frames]), times, begun)


def read_tail(source: FrameSource, length: int, progress: Callable = iter) -> ArrayFrames:
    """Read a stream to its end and keep its last ``length`` frames, under their numbers.

    Args:
        source: The stream.
        length: Frames to keep.
        progress: Wraps the iteration over the frames, to show how far it is.
    """
    kept: deque[TimedFrame] = deque(maxlen=length)
    for frame in progress(source):
        kept.append(_copied(frame) if source.reuses_buffers else frame)
    times = {frame.number: frame.time for frame in kept}
    known = all(time is not None for time in times.values())
    tail = ArrayFrames(
        [frame.image for frame in kept],
        source.fps,
        kept[0].number if kept else 0,
        source,
        times if known else None,
    )
    tail.problem = source.problem
    return tail


def _copied(frame: TimedFrame) -> TimedFrame:
    return frame._replace(image=np.array(frame.image))


def _times(
    frames: list[TimedFrame], numbers: list[int], num_past: int, fps: float | None
) -> list[float] | None:
    """Seconds of each of ``numbers`` since the first frame of the video; None where they are unknown.

    Frames that nobody has seen are expected at the mean pace of the past frames.
    """
    if any(frame.time is None for frame in frames):
        return None
    newest, last = frames[-1], frames[num_past - 1]
    seconds, count = last.time - frames[0].time, last.number - frames[0].number
    pace = seconds / count if count and seconds > 0 else (1 / fps if fps else None)
    times = [frame.time for frame in frames]
    if pace is None and len(times) < len(numbers):
        return None
    return times + [newest.time + (number - newest.number) * pace for number in numbers[len(times) :]]


def _batches(clips: Iterator[_Clip], size: int, key: Callable) -> Iterator[list[_Clip]]:
    """Groups of at most ``size`` neighbors of one ``key``, each as soon as it is full."""
    group: list[_Clip] = []
    for clip in clips:
        if group and key(clip) != key(group[0]):
            yield group
            group = []
        group.append(clip)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
