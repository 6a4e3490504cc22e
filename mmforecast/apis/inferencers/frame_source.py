"""What a user has of a video: a file, a folder of frames, arrays, or frames that come one by one."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from mmforecast.datasets.transforms import LoadClipFrames
from mmforecast.datasets.video import VIDEO_SUFFIXES, VideoError, is_video
from mmforecast.datasets.video.listing import IMAGE_SUFFIXES, VideoEntry
from mmforecast.datasets.video.sources import Source, open_sources

__all__ = ['ArrayFrames', 'FileFrames', 'FrameStream', 'check_frame', 'open_frames']


class FileFrames:
    """The frames of a video file or of a folder of images, read when they are asked for.

    Attributes:
        name: The file's name without its ending, or the folder's.
        num_frames: Frames in it.
        fps: Frames per second; None where that is unknown.
    """

    def __init__(self, path: str, source: Source, fps: float | None = None):
        self.path = path
        self.name = Path(os.path.abspath(path)).stem if is_video(path) else folder_name(path)
        self.num_frames = len(source)
        self.fps = fps or source.fps
        self._paths = source.paths
        self._loader = LoadClipFrames()

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        """(T, H, W, 3) uint8 RGB of these frames, 0-based.

        Raises:
            CorruptFrameError: One of them can't be read.
            ValueError: They differ in size.
        """
        paths = [self._paths[number] for number in numbers]
        return self._loader.transform(dict(img_paths=paths, sequence_id=self.name))['frames']


class ArrayFrames:
    """Frames that are in memory; attributes and methods as of :class:`FileFrames`."""

    name = 'frames'
    path = None

    def __init__(self, frames: Sequence[np.ndarray], fps: float | None = None):
        size = None
        for number, frame in enumerate(frames):
            size = check_frame(frame, number, size)
        self._frames = frames
        self.num_frames = len(frames)
        self.fps = fps

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        return np.stack([self._frames[number] for number in numbers])


class FrameStream:
    """Frames that come one by one, of which nobody knows how many: a camera's, say.

    They can be gone through once. ``num_frames`` is None.
    """

    name = 'frames'
    path = None
    num_frames = None

    def __init__(self, frames: Iterable[np.ndarray], fps: float | None = None):
        self._frames = frames
        self.fps = fps

    def __iter__(self) -> Iterator[np.ndarray]:
        size = None
        for number, frame in enumerate(self._frames):
            size = check_frame(frame, number, size)
            yield frame


def open_frames(inputs, fps: float | None = None) -> FileFrames | ArrayFrames | FrameStream:
    """The frames of whatever a user gives.

    Args:
        inputs: Path of a video file or of a folder of images (in natural order: frame2 before frame10);
            an array (T, H, W, 3) or a list of T arrays (H, W, 3), uint8 **RGB**; or an iterator of such
            arrays. OpenCV reads BGR: turn its frames by ``frame[..., ::-1]``.
        fps: Frames per second, in place of what the file says.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ImportError: A video file needs PyAV, which isn't installed.
        ValueError: It has no frame, can't be read, or is none of these.
    """
    if fps is not None and not fps > 0:
        raise ValueError(f'fps has to be above 0 or None, got {fps}')
    if isinstance(inputs, (str, os.PathLike)):
        return _open_path(os.fspath(inputs), fps)
    if isinstance(inputs, np.ndarray) or isinstance(inputs, (list, tuple)):
        if len(inputs) == 0:
            raise ValueError('the input has no frame: give at least the past frames of one clip')
        return ArrayFrames(inputs, fps)
    if isinstance(inputs, Iterable):
        return FrameStream(inputs, fps)
    raise ValueError(
        'inputs has to be the path of a video or of a folder of frames, an array (T, H, W, 3) uint8 RGB, '
        f'a list of (H, W, 3) arrays, or an iterator of them, got {type(inputs).__name__}'
    )


def check_frame(frame, number: int, size: tuple[int, int] | None = None) -> tuple[int, int]:
    """(H, W) of a frame; a ValueError where it is no (H, W, 3) uint8 array, or not of ``size``."""
    array = isinstance(frame, np.ndarray)
    if not array or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        given = f'{frame.dtype} of shape {frame.shape}' if array else type(frame).__name__
        raise ValueError(f'frame {number} has to be a (H, W, 3) uint8 RGB array, got {given}')
    if size not in (None, frame.shape[:2]):
        raise ValueError(
            f'frame {number} is {frame.shape[0]}x{frame.shape[1]}, but those before it are '
            f'{size[0]}x{size[1]}: bring all to one size'
        )
    return frame.shape[:2]


def folder_name(path: str) -> str:
    """The last part of a path, also of '.' and 'frames/'."""
    return os.path.basename(os.path.abspath(path))


def _open_path(path: str, fps: float | None) -> FileFrames:
    if not os.path.exists(path):
        raise FileNotFoundError(f'there is no video or folder {path}')
    if os.path.isfile(path) and not is_video(path):
        raise ValueError(
            f'{path} is neither a video ({", ".join(VIDEO_SUFFIXES)}) nor a folder of frames '
            f'({", ".join(IMAGE_SUFFIXES)})'
        )
    (source,) = open_sources([VideoEntry(folder_name(path), path)])
    if not isinstance(source, VideoError):
        return FileFrames(path, source, fps)
    inside = sorted(filter(is_video, os.listdir(path))) if os.path.isdir(path) else []
    hint = f'; it holds videos: give one of them, {os.path.join(path, inside[0])}' if inside else ''
    raise ValueError(f'{path} {source}{hint}')
