"""The planner: which frames of a video each forecast needs, and when it is made."""

from collections.abc import Iterator
from dataclasses import dataclass

from mmforecast.datasets.clip_layout import ClipLayout
from mmforecast.utils.text import plural

from .sources import FrameSource, TimedFrame, check_frame, frames_of

__all__ = ['ClipPlan', 'Moments', 'walk', 'wanted_frames']


@dataclass(frozen=True)
class Moments:
    """The frames that forecasts are made at.

    Args:
        first: The first of them, 0-based.
        every: Frames from one to the next; None: there is only the first.
        stop: They lie before this frame; None: the end is unknown.
    """

    first: int
    every: int | None = None
    stop: int | None = None

    def __contains__(self, number: int) -> bool:
        if self.every is None:
            return number == self.first
        inside = number >= self.first and (self.stop is None or number < self.stop)
        return inside and (number - self.first) % self.every == 0

    def __len__(self) -> int:
        """Their number, where the end is known."""
        return 1 if self.every is None else len(range(self.first, self.stop, self.every))

    @property
    def last(self) -> int | None:
        """The last of them; None where the end is unknown."""
        if self.every is None:
            return self.first
        return None if self.stop is None else self.first + (len(self) - 1) * self.every


@dataclass(frozen=True)
class ClipPlan:
    """The time axis of forecasts.

    Args:
        num_past: Past frames of a forecast.
        horizon: Steps that are forecast.
        stride: Frames of the video from one past frame, or step, to the next.
    """

    num_past: int
    horizon: int
    stride: int

    @property
    def span(self) -> int:
        """Frames of the video from the first past frame to the last, both included."""
        return (self.num_past - 1) * self.stride + 1

    @property
    def reach(self) -> int:
        """Frames of the video from the first past frame to the last step."""
        return (self.num_past - 1 + self.horizon) * self.stride

    def past(self, last: int) -> list[int]:
        """The past frames of a forecast made at frame ``last``."""
        return ClipLayout(self.num_past, 0).indices(last, self.stride)

    def future(self, last: int) -> list[int]:
        """The frames that a forecast made at frame ``last`` is of."""
        return [last + step * self.stride for step in range(1, self.horizon + 1)]

    def is_past(self, number: int, moments: Moments) -> bool:
        """Whether a forecast has this frame in its past."""
        return any(number + step * self.stride in moments for step in range(self.num_past))

    def is_future(self, number: int, moments: Moments) -> bool:
        """Whether this frame is forecast."""
        return any(number - step * self.stride in moments for step in range(1, self.horizon + 1))

    def moments(self, every: int, num_frames: int | None, whole: bool = False) -> Moments:
        """Every ``every``-th frame from the first that a forecast can be made at.

        Args:
            every: Frames between forecasts.
            num_frames: Frames of the video; None where that is unknown.
            whole: Leave out moments whose future the video does not contain in full.
        """
        ahead = self.horizon * self.stride if whole else 0
        return Moments(self.span - 1, every, None if num_frames is None else num_frames - ahead)

    def require(self, num_frames: int, name: str, problem: str | None = None) -> None:
        """Raise a ValueError if a video has too few frames for a forecast.

        Args:
            num_frames: Frames of the video.
            name: The video, for the message.
            problem: Why it ended early, if it did.
        """
        if num_frames == 0:
            raise ValueError(problem or f'{name} has no frame')
        if num_frames < self.span:
            before = f'{problem}; ' if problem else ''
            fits = (num_frames - 1) // (self.num_past - 1)
            raise ValueError(
                f'{before}{name} has {plural(num_frames, "frame")}, but a forecast is made from '
                f'{self.num_past} frames, {self.stride} apart, and needs {self.span}: give a longer video'
                + (f' or a stride of at most {fits}' if fits else '')
            )

    def choose(self, num_frames: int, name: str, every: int | None, at: int | None, oracle: bool) -> Moments:
        """The moments of a video of known length: the last frame, ``at``, or every ``every``-th frame.

        Args:
            num_frames: Frames of the video.
            name: The video, for messages.
            every: Frames between forecasts, or None.
            at: The frame to forecast at, or None.
            oracle: Whether the whole future must be known.

        Raises:
            ValueError: There is no such frame, or the future that the oracle needs is not in the video.
        """
        self.require(num_frames, name)
        low, high = self.span - 1, num_frames - 1
        if at is not None and not low <= at <= high:
            raise ValueError(f'at must be a frame from {low} to {high} of {name}, got {at}')
        if every is None:
            moments = Moments(high if at is None else at)
        else:
            moments = self.moments(every, num_frames, oracle)
        if oracle and not (len(moments) and self.future(moments.first)[-1] <= high):
            raise ValueError(
                f'the oracle looks at the true future, which comes after the end of {name}: forecast at '
                'an earlier frame, or take another baseline'
            )
        return moments


def walk(
    source: FrameSource, plan: ClipPlan, moments: Moments | int
) -> Iterator[tuple[TimedFrame, bool, bool]]:
    """Go along a video and give the frames that forecasts need, in the order of time; no others are read.

    Args:
        source: The video. A stream is read from its start to its end, and frames that no forecast needs
            are skipped.
        plan: The time axis.
        moments: When forecasts are made; an integer n: at every n-th frame.

    Yields:
        The frame, whether it is in the past of a forecast (and must be encoded), and whether a forecast
        is made at it.

    Raises:
        ValueError: A frame is no (H, W, 3) uint8 array, or its size differs from that of the others.
    """
    if isinstance(moments, int):
        moments = plan.moments(moments, source.num_frames)
    size = None
    for frame in frames_of(source, wanted_frames(source, plan, moments)):
        size = check_frame(frame.image, frame.number, size)
        past = plan.is_past(frame.number, moments)
        if past or plan.is_future(frame.number, moments):
            yield frame, past, frame.number in moments


def wanted_frames(source: FrameSource, plan: ClipPlan, moments: Moments) -> Iterator[int] | None:
    """The numbers of the frames to read of a video of known length, ascending; None for a stream."""
    if source.num_frames is None:
        return None
    first = moments.first - plan.span + 1
    stop = min(source.num_frames, moments.last + plan.horizon * plan.stride + 1)
    return (
        number
        for number in range(first, stop)
        if plan.is_past(number, moments) or plan.is_future(number, moments)
    )
