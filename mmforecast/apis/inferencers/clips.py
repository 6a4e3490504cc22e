"""Which frames of a video a forecast is made from, and which it is of."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from math import gcd

import numpy as np

from mmforecast.datasets.clip_layout import ClipLayout

from .frame_source import FrameStream

__all__ = ['ClipPlan', 'Tail', 'at_least_1', 'batches', 'grid', 'keep_tail', 'walk']


@dataclass(frozen=True)
class ClipPlan:
    """The time axis of forecasts.

    Args:
        num_past: Past frames.
        horizon: Steps that are forecast.
        stride: Frames from one of them to the next.
    """

    num_past: int
    horizon: int
    stride: int

    @property
    def span(self) -> int:
        """Frames of the video that the past takes."""
        return (self.num_past - 1) * self.stride + 1

    def past(self, last: int) -> list[int]:
        """The past frames of a forecast made at frame ``last``."""
        return ClipLayout(self.num_past, 0).indices(last, self.stride)

    def future(self, last: int) -> list[int]:
        """The frames that it is of."""
        return [last + step * self.stride for step in range(1, self.horizon + 1)]

    def moments(self, num_frames: int, every: int, whole: bool = False) -> list[int]:
        """The frames that forecasts are made at, ``every`` frames apart, from the first one possible.

        Args:
            whole: Leave out those whose future the video doesn't have in full.
        """
        length = num_frames - (self.horizon * self.stride if whole else 0)
        return ClipLayout(self.num_past, 0).sliding_anchors(length, self.stride, every)

    def require(self, num_frames: int, name: str) -> None:
        """A ValueError where a video has too few frames for a forecast."""
        if num_frames == 0:
            raise ValueError(f'{name} has no frame')
        if num_frames < self.span:
            raise ValueError(
                f'{name} has {num_frames} frames, but a forecast is made from {self.num_past} frames, '
                f'{self.stride} apart, and needs {self.span}: give a longer video or a smaller stride'
            )

    def choose(self, num_frames: int, name: str, every: int | None, at: int | None, oracle: bool) -> list[int]:
        """The frames that forecasts are made at: the last one, ``at``, or every ``every``-th.

        Args:
            name: Of the video, for messages.
            oracle: Whether the whole future has to be known.

        Raises:
            ValueError: There is no such frame, or what the oracle needs isn't there.
        """
        self.require(num_frames, name)
        if every is not None:
            lasts = self.moments(num_frames, at_least_1('every', every), oracle)
        else:
            lasts = [num_frames - 1 if at is None else at]
        low, high = self.span - 1, num_frames - 1
        if at is not None and not low <= at <= high:
            raise ValueError(f'at has to be a frame from {low} to {high} of {name}, got {at}')
        if oracle and not (lasts and self.future(lasts[0])[-1] <= high):
            raise ValueError(
                f'the oracle looks at the true future, which comes after the end of {name}: forecast at '
                'an earlier frame, or take another baseline'
            )
        return lasts


def at_least_1(name: str, value: int) -> int:
    """The value; a ValueError where it is no integer of at least 1."""
    if not isinstance(value, int) or value < 1:
        raise ValueError(f'{name} has to be an integer of at least 1, got {value!r}')
    return value


class Tail:
    """The newest frames of a stream that is over, under their numbers in it."""

    path = None

    def __init__(self, frames: list[np.ndarray], first: int, stream: FrameStream):
        self._frames, self._first = frames, first
        self.num_frames = first + len(frames)
        self.name, self.fps = stream.name, stream.fps

    def read(self, numbers: list[int]) -> np.ndarray:
        return np.stack([self._frames[number - self._first] for number in numbers])


def keep_tail(stream: FrameStream, length: int) -> Tail:
    """Go through a stream and keep its last ``length`` frames."""
    kept, count = deque(maxlen=length), 0
    for frame in stream:
        kept.append(frame)
        count += 1
    return Tail(list(kept), count - len(kept), stream)


def walk(source, plan: ClipPlan, every: int) -> Iterator[tuple[int, np.ndarray, bool]]:
    """The frames that streaming has to encode: number, frame, and whether a forecast is made at it.

    With a stride of 3 and forecasts at every third frame, that is one frame in three.
    """
    step = grid(plan, every)
    if isinstance(source, FrameStream):
        frames = ((number, frame) for number, frame in enumerate(source) if number % step == 0)
    else:
        numbers = range(0, source.num_frames, step)
        frames = ((number, source.read([number])[0]) for number in numbers)
    for number, frame in frames:
        late = number - plan.span + 1
        yield number, frame, late >= 0 and late % every == 0


def grid(plan: ClipPlan, every: int) -> int:
    """Frames from one that streaming has to encode to the next."""
    return gcd(plan.stride, every)


def batches(clips: Iterable[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    """Groups of at most ``size`` neighbours of one length, the second number of each pair."""
    for _, group in groupby(clips, key=lambda clip: clip[1]):
        group = list(group)
        for start in range(0, len(group), size):
            yield group[start : start + size]
