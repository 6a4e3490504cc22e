"""MP4 files that players and browsers show: H.264, written by PyAV."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np

from mmforecast.fileio.partial_file import partial_file
from mmforecast.utils.pyav import import_av

__all__ = ['VideoFile', 'video_file', 'write_video']


class VideoFile:
    """What :func:`video_file` gives: pictures are added to it."""

    def __init__(self, container: Any, path: str | os.PathLike, fps: float):
        self.path = path
        self.fps = Fraction(fps).limit_denominator(1001)
        self.num_pictures = 0
        self._container = container
        self._stream = None

    def add(self, picture: np.ndarray) -> None:
        """Append a picture, uint8 (H, W, 3), RGB. Odd sides lose their last pixel: H.264 needs even ones.

        Raises:
            ValueError: It is of another size than the first.
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
        frame.pts = self.num_pictures
        frame.time_base = 1 / self.fps
        self._container.mux(self._stream.encode(frame))
        self.num_pictures += 1

    def finish(self) -> None:
        """Write what the encoder still holds back."""
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
    """An MP4 file that pictures are added to; it has its name once it is whole.

    Where the block ends by an error or Ctrl-C, nothing is left behind, and a file that had the name before
    is untouched.

    Args:
        path: File to write, ending in .mp4; missing folders are made.
        fps: Pictures per second.

    Raises:
        ImportError: PyAV isn't installed.
        ValueError: The name ends otherwise, ``fps`` isn't above 0, or no picture was added.
    """
    av = import_av()
    if os.path.splitext(path)[1].lower() != '.mp4':
        raise ValueError(f'a video has to be named .mp4, got {os.fspath(path)!r}')
    if not fps > 0:
        raise ValueError(f'fps must be above 0, got {fps}')
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with partial_file(path) as partial, av.open(str(partial), 'w', format='mp4') as container:
        file = VideoFile(container, path, fps)
        yield file
        file.finish()


def write_video(
    path: str | os.PathLike, frames: Sequence[np.ndarray], fps: float = 3, hold_last: float = 1.5
) -> None:
    """Write pictures by :func:`video_file`; arguments as of :func:`write_gif`."""
    with video_file(path, fps) as file:
        for frame in [*frames, *[frames[-1]] * max(0, round(hold_last * fps) - 1)]:
            file.add(frame)
