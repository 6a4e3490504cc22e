"""Frame sources: a video file, a folder of frames, arrays, an iterator or a live stream, read alike."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from numbers import Real
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from mmforecast.datasets.transforms import LoadClipFrames
from mmforecast.datasets.video import is_video
from mmforecast.datasets.video.sources import Source

__all__ = [
    'ArrayFrames',
    'FileFrames',
    'FrameSource',
    'IteratorFrames',
    'TimedFrame',
    'check_frame',
    'check_rate',
    'frames_of',
]


class TimedFrame(NamedTuple):
    """A frame of a video.

    Attributes:
        number: Its position in the video, 0-based.
        image: uint8 (H, W, 3), RGB. Not to be written to.
        time: Seconds since the first frame; None where that is unknown.
    """

    number: int
    image: np.ndarray
    time: float | None


class FrameSource(Protocol):
    """The protocol of all sources.

    Attributes:
        name: What files of forecasts are named after.
        path: Path or address; None for frames in memory.
        num_frames: Number of frames; None for a stream, which is read once, from its start to its end,
            and counts what it has read in ``num_read``.
        fps: Frames per second, the mean where it varies; None where that is unknown.
        times: Seconds of each frame since the first, where time stamps tell them; else None.
        reuses_buffers: Whether a frame may be overwritten when the next one is asked for.
        problem: The sentence on why a stream ended early; None where it did not, or has not ended.
    """

    name: str
    path: str | None
    num_frames: int | None
    fps: float | None
    times: Sequence[float] | None
    reuses_buffers: bool
    problem: str | None

    def __iter__(self) -> Iterator[TimedFrame]: ...


class _IndexedFrames:
    """Base of sources of known length, whose frames are read by their numbers."""

    reuses_buffers = False
    problem = None
    path: str | None = None
    times: Sequence[float] | None = None

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        """(T, H, W, 3) uint8 RGB of the frames of these numbers, 0-based."""
        raise NotImplementedError(f'{type(self).__name__} must implement read()')

    def __iter__(self) -> Iterator[TimedFrame]:
        return frames_of(self, range(self.num_frames))


class FileFrames(_IndexedFrames):
    """The frames of a video file or of a folder of images, read on demand.

    Args:
        path: The file or folder.
        source: Its frames.
        fps: Frames per second, in place of what the file says.
        max_frames: Frames to use, from the first one; by default all.
    """

    def __init__(self, path: str, source: Source, fps: float | None = None, max_frames: int | None = None):
        absolute = os.path.abspath(path)
        self.path = path
        self.name = Path(absolute).stem if is_video(path) else os.path.basename(absolute)
        self.num_frames = len(source) if max_frames is None else min(len(source), max_frames)
        self.fps = fps or source.fps
        self.times = None if fps else getattr(source, 'times', None)
        self._paths = source.paths
        self._loader = LoadClipFrames()

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        """(T, H, W, 3) uint8 RGB of the frames of these numbers, 0-based.

        Raises:
            CorruptFrameError: One of them cannot be read.
            ValueError: They differ in size.
        """
        paths = [self._paths[number] for number in numbers]
        return self._loader.transform(dict(img_paths=paths, sequence_id=self.name))['frames']


class ArrayFrames(_IndexedFrames):
    """Frames in memory.

    Args:
        frames: T arrays (H, W, 3) uint8 RGB, or one array of them.
        fps: Frames per second; None where that is unknown.
        first: The number of the first of ``frames``: the rest of a stream that has ended.
        like: The source that they come from, for its name.
        times: Seconds of each since the first frame of the video.
    """

    name = 'frames'

    def __init__(
        self,
        frames: Sequence[np.ndarray],
        fps: float | None = None,
        first: int = 0,
        like: FrameSource | None = None,
        times: dict[int, float] | None = None,
    ):
        size = None
        for number, frame in enumerate(frames, first):
            size = check_frame(frame, number, size)
        if like is not None:
            self.name = like.name
            self.path = like.path
        self.num_frames = first + len(frames)
        self.fps = fps
        self.times = times
        self._frames = frames
        self._first = first

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        """(T, H, W, 3) uint8 RGB of the frames of these numbers."""
        return np.stack([self._frames[number - self._first] for number in numbers])


class IteratorFrames:
    """Frames that a program yields one by one, of unknown number.

    The iterator may yield one buffer again and again: what is kept of a frame is copied.
    """

    name = 'frames'
    path = None
    num_frames = None
    times = None
    reuses_buffers = True
    problem = None

    def __init__(self, frames: Iterable[np.ndarray], fps: float | None = None, max_frames: int | None = None):
        self.fps = fps
        self.num_read = 0
        self._frames = islice(frames, max_frames)

    def __iter__(self) -> Iterator[TimedFrame]:
        for image in self._frames:
            number = self.num_read
            self.num_read += 1
            yield TimedFrame(number, image, None if self.fps is None else number / self.fps)


def frames_of(source: FrameSource, numbers: Iterable[int] | None) -> Iterator[TimedFrame]:
    """The frames of these numbers, ascending; of a stream, all its frames.

    Args:
        source: A source of known length needs no more than ``read`` and ``num_frames``.
        numbers: 0-based; None for a stream.
    """
    if numbers is None:
        yield from source
        return
    times, fps = getattr(source, 'times', None), getattr(source, 'fps', None)
    for number in numbers:
        image = source.read([number])[0]
        if times is not None:
            time = float(times[number])
        else:
            time = number / fps if fps else None
        yield TimedFrame(number, image, time)


def check_frame(frame: np.ndarray, number: int, size: tuple[int, int] | None = None) -> tuple[int, int]:
    """(H, W) of a frame; a ValueError if it is no (H, W, 3) uint8 array, or not of ``size``."""
    array = isinstance(frame, np.ndarray)
    if not array or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        given = f'{frame.dtype} of shape {frame.shape}' if array else type(frame).__name__
        raise ValueError(f'frame {number} must be a (H, W, 3) uint8 RGB array, got {given}')
    if 0 in frame.shape:
        raise ValueError(f'frame {number} has no pixel: its shape is {frame.shape}')
    if size not in (None, frame.shape[:2]):
        raise ValueError(
            f'frame {number} is {frame.shape[0]}x{frame.shape[1]}, but those before it are '
            f'{size[0]}x{size[1]}: bring all to one size'
        )
    return frame.shape[:2]


def check_rate(fps: float | None) -> float | None:
    """Frames per second as a float, of a number of any type (Fraction, numpy).

    Raises:
        ValueError: It is not a finite number above 0.
    """
    if isinstance(fps, np.ndarray) and fps.ndim == 0:
        fps = fps.item()
    if fps is None:
        return None
    if isinstance(fps, Real) and not isinstance(fps, bool) and math.isfinite(fps) and fps > 0:
        return float(fps)
    raise ValueError(f'fps must be a finite number above 0, or None, got {fps!r}')
