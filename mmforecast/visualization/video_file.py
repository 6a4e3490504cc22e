"""MP4 files (H.264) that players and browsers show, written by PyAV."""

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

from mmforecast.fileio.partial_file import partial_file
from mmforecast.utils.pyav import import_av

__all__ = ['VideoFile', 'picture_rate', 'video_file', 'write_video']

# Pictures per second that MP4 files are written with.
MIN_RATE, MAX_RATE = 1e-5, 1000


class VideoFile:
    """An open MP4 file, as :func:`video_file` yields it; pictures are appended by :meth:`add`."""

    def __init__(self, container: Any, path: str | os.PathLike, fps: float):
        self.path = path
        self.fps = picture_rate(fps)
        self.num_pictures = 0
        self._position = -1
        self._container = container
        self._stream = None

    def add(self, picture: np.ndarray, position: int | None = None) -> None:
        """Append a picture. Odd sides lose their last pixel: H.264 needs even ones.

        Args:
            picture: uint8 (H, W, 3), RGB.
            position: When it is shown, in multiples of 1 / fps, above that of the last one; by default 1 more.

        Raises:
            ValueError: Its size differs from that of the first.
        """
        height, width = (side // 2 * 2 for side in picture.shape[:2])
        if self._stream is None:
            self._stream = self._new_stream(height, width)
        if (height, width) != (self._stream.height, self._stream.width):
            raise ValueError(
                f'picture {self.num_pictures} of {self.path} is {height}x{width}, but the first was '
                f'{self._stream.height}x{self._stream.width}'
            )
        array = np.ascontiguousarray(picture[:height, :width])
        frame = import_av().VideoFrame.from_ndarray(array, format='rgb24')
        self._position = self._position + 1 if position is None else position
        frame.pts = self._position
        frame.time_base = 1 / self.fps
        self._container.mux(self._stream.encode(frame))
        self.num_pictures += 1

    def finish(self) -> None:
        """Flush the encoder."""
        if self._stream is None:
            raise ValueError(f'{self.path} has no picture to write')
        self._container.mux(self._stream.encode())

    def _new_stream(self, height: int, width: int) -> Any:
        stream = self._container.add_stream('libx264', rate=self.fps, options=dict(crf='20'))
        stream.height, stream.width, stream.pix_fmt = height, width, 'yuv420p'
        stream.thread_count = 1
        return stream


@contextmanager
def video_file(path: str | os.PathLike, fps: float = 3) -> Iterator[VideoFile]:
    """Open an MP4 file that pictures are added to; it gets its name when it is complete.

    If the block ends by an error or Ctrl-C, nothing is left behind, and an earlier file of that name is
    untouched.

    Args:
        path: File to write, ending in .mp4; missing folders are created.
        fps: Pictures per second, see :func:`picture_rate`.

    Raises:
        ImportError: PyAV is not installed.
        ValueError: The name does not end in .mp4, ``fps`` is out of range, or no picture was added.
    """
    av = import_av()
    if os.path.splitext(path)[1].lower() != '.mp4':
        raise ValueError(f'a video must be named .mp4, got {os.fspath(path)!r}')
    fps = picture_rate(fps)
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    # Without `file:`, FFmpeg takes what precedes a colon (a time of day, a drive) for a protocol.
    with partial_file(path) as partial, av.open(f'file:{partial}', 'w', format='mp4') as container:
        file = VideoFile(container, path, fps)
        yield file
        file.finish()


def picture_rate(fps: float | Fraction) -> Fraction:
    """The rate that an MP4 file is written with: ``fps`` as a fraction of small numbers.

    Args:
        fps: Pictures per second, from 0.00001 to 1000; an int, float, Fraction or numpy number.

    Raises:
        ValueError: It is out of range, or not a number.
    """
    number = isinstance(fps, Real) and not isinstance(fps, bool) and math.isfinite(fps)
    if not number or not MIN_RATE <= fps <= MAX_RATE:
        raise ValueError(f'fps must lie in [{MIN_RATE:g}, {MAX_RATE}], got {fps!r}')
    if fps < 1:  # a long time between pictures, which is what keeps its precision
        return 1 / Fraction(1 / float(fps)).limit_denominator(1001)
    return Fraction(float(fps)).limit_denominator(1001)


def write_video(
    path: str | os.PathLike, frames: Sequence[np.ndarray], fps: float = 3, hold_last: float = 1.5
) -> None:
    """Write pictures by :func:`video_file`; arguments as for :func:`write_gif`."""
    with video_file(path, fps) as file:
        for frame in [*frames, *[frames[-1]] * max(0, round(hold_last * float(fps)) - 1)]:
            file.add(frame)
