"""Real time: frames come at their own pace, whether or not a forecast is ready, and some are left out."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np

from .clips import ClipPlan, Moments
from .sources import FrameSource, TimedFrame, check_frame

__all__ = ['RealTimeFrames', 'RealTimeRate']


@dataclass(frozen=True)
class RealTimeRate:
    """How a forecaster kept up.

    Attributes:
        num_frames: Frames that came.
        num_forecasts: Forecasts that were made.
        seconds: From the first frame to the last forecast.
        delay: Median of the seconds from a frame to the forecast that was made at it.
        longest_delay: The greatest of these.
    """

    num_frames: int
    num_forecasts: int
    seconds: float
    delay: float
    longest_delay: float

    @property
    def forecasts_per_second(self) -> float:
        return self.num_forecasts / self.seconds

    def __str__(self) -> str:
        return (
            f'{self.num_forecasts} forecasts of {self.num_frames} frames, {self.forecasts_per_second:.3g} '
            f'per second; each {self.delay:.3g} s after its frame (median; at most {self.longest_delay:.3g} s)'
        )


class RealTimeFrames:
    """A video that does not wait: who asks for a forecast gets the newest frame that one can be made at.

    A thread reads the frames and holds each back until its time, so that a file is played at its own speed.
    Only frames that the next forecast may need are kept. The time between past frames stays that of the plan:
    what is left out are forecasts, and with them frames that nobody needs, not frames between them.

    Args:
        source: The video.

    Raises:
        ValueError: The frame rate of a video that is not live is unknown.
    """

    num_frames = None
    times = None
    reuses_buffers = False

    def __init__(self, source: FrameSource):
        if source.num_frames is not None and not (source.fps or source.times is not None):
            name = source.path or 'the input'
            raise ValueError(f'{name} has no frame rate, at which it would be played: give it (--fps)')
        self.source = source
        self.num_read = 0
        self._kept: dict[int, TimedFrame] = {}
        self._arrivals: dict[int, float] = {}
        self._wanted: set[int] = set()  # what forecasts are of
        self._delays: list[float] = []
        self._first = self._last = self._came = 0.0
        self._ended = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._closed = threading.Event()

    def __getattr__(self, name: str):
        return getattr(self.source, name)

    @property
    def rate(self) -> RealTimeRate | None:
        """How the forecaster kept up; None before the first forecast."""
        if not self._delays:
            return None
        seconds = self._last - self._first
        return RealTimeRate(self.num_read, len(self._delays), seconds, median(self._delays), max(self._delays))

    def stop(self) -> None:
        """End the video after the newest frame; may be called from a signal handler."""
        self._closed.set()
        if hasattr(self.source, 'stop'):
            self.source.stop()

    def __iter__(self) -> Iterator[TimedFrame]:
        raise ValueError(
            f'{self.path or "the input"} runs in real time: forecast again and again (every), not at its end'
        )

    def walk(self, plan: ClipPlan, moments: Moments) -> Iterator[tuple[TimedFrame, bool, bool]]:
        """As :func:`mmforecast.apis.inferencers.clips.walk`, of the frames that are due by now.

        A frame is never older than one that was given before it. Moments are therefore left out, too, whose
        past has frames that were passed over: where forecasts overlap they are whole steps apart.

        Raises:
            ValueError: A frame is no (H, W, 3) uint8 array, or its size differs from that of the others.
            Exception: What reading a frame raises.
        """
        threading.Thread(target=self._read, args=(plan, moments), daemon=True).start()
        return self._walk(plan, moments)

    def finished(self) -> None:
        """Count the newest forecast, when it is ready."""
        self._last = time.monotonic()
        self._delays.append(self._last - self._came)

    def _walk(self, plan: ClipPlan, moments: Moments) -> Iterator[tuple[TimedFrame, bool, bool]]:
        given, last = set(), -1
        try:
            while True:
                moment, frames = self._next(plan, moments, given, last)
                past = set() if moment is None else set(plan.past(moment))
                for frame in frames:
                    yield frame, frame.number in past, frame.number == moment
                if moment is None:
                    break
                given = {number for number in given if number > moment - plan.span} | past
                last = moment
            if self._error is not None:
                raise self._error
        finally:
            self._closed.set()

    def _next(
        self, plan: ClipPlan, moments: Moments, given: set[int], last: int
    ) -> tuple[int | None, list[TimedFrame]]:
        """Wait for the next moment that a forecast can be made at, the newest there is.

        Args:
            plan: The time axis.
            moments: When forecasts may be made.
            given: Frames that were given as the past of a forecast.
            last: The last moment.

        Returns:
            It, or None at the end of the video; and the frames to give up to there, in their order: those of
            its past that are new, and those that earlier forecasts are of.
        """
        with self._changed:
            while True:
                for number in range(self.num_read - 1, last, -1):
                    if number in moments and all(
                        old in given or (old > last and old in self._kept) for old in plan.past(number)
                    ):
                        self._came = self._arrivals[number]
                        return number, self._take(set(plan.past(number)) - given, last, number, plan)
                if self._ended:
                    return None, self._take(set(), last, self.num_read, plan)
                self._changed.wait()

    def _take(self, needed: set[int], last: int, until: int, plan: ClipPlan) -> list[TimedFrame]:
        known = {number for number in self._wanted if last < number <= until and number in self._kept}
        frames = [self._kept[number] for number in sorted(needed | known)]
        self._wanted = {number for number in self._wanted if number > until} | set(plan.future(until))
        return frames

    # The thread.

    def _read(self, plan: ClipPlan, moments: Moments) -> None:
        size = None
        try:
            for frame in self.source:
                size = check_frame(frame.image, frame.number, size)
                if self.source.reuses_buffers:
                    frame = frame._replace(image=np.array(frame.image))
                if not self._wait_for(frame):
                    return
                self._add(frame, plan, moments)
        except Exception as error:  # it belongs to whoever takes the frames
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()

    def _wait_for(self, frame: TimedFrame) -> bool:
        """Wait until a frame is due; False where the video was stopped."""
        if self.num_read == 0 or frame.time is None:
            return not self._closed.is_set()
        return not self._closed.wait(max(0.0, self._first + frame.time - time.monotonic()))

    def _add(self, frame: TimedFrame, plan: ClipPlan, moments: Moments) -> None:
        with self._changed:
            now = time.monotonic()
            if self.num_read == 0:
                self._first = now
            self.num_read = frame.number + 1
            self._kept[frame.number] = frame
            self._arrivals[frame.number] = now
            moment = frame.number - (frame.number - moments.first) % moments.every
            recent = range(frame.number + 1 - plan.span - plan.stride, frame.number + 1)
            kept = {*recent, *plan.past(moment), *self._wanted}
            for old in [old for old in self._kept if old not in kept]:
                del self._kept[old], self._arrivals[old]
            self._changed.notify()
