"""What a video file or a folder of frames has to offer, looked at before training begins."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from mmforecast.datasets.motion import squared_motion

from . import NumberedFrames, VideoError, VideoReader, index_video, is_video
from .listing import VideoEntry, is_image, natural_key
from .opening import check_size

__all__ = ['Source', 'distinct_frames', 'open_sources']

_THREADS = 4


@dataclass(frozen=True)
class Source:
    """The frames of one video, oldest first.

    Attributes:
        names: Unique in the video.
        paths: As :class:`LoadClipFrames` reads them.
        fps: Frames per second, where that is known.
    """

    names: Sequence[str]
    paths: Sequence[str]
    fps: float | None = None

    def __len__(self) -> int:
        return len(self.names)


def open_sources(
    entries: Iterable[VideoEntry], drop_repeats: float | None = None
) -> list[Source | VideoError]:
    """The source of each entry, or why it can't be used.

    Args:
        drop_repeats: See :class:`VideoFolderDataset`.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda entry: _try_open(entry, drop_repeats), entries))


def distinct_frames(frames: Iterable[np.ndarray | None], threshold: float) -> list[int]:
    """Positions of the frames that aren't repeats of the last one kept.

    Args:
        frames: uint8 arrays; None for one that can't be read, which is kept.
        threshold: Largest mean squared difference of a repeat, of values scaled to [-1, 1].
    """
    kept, last = [], None
    for position, frame in enumerate(frames):
        known = frame is not None and last is not None and frame.shape == last.shape
        if not known or squared_motion(last, frame) > threshold:
            kept.append(position)
            last = last if frame is None else frame
    return kept


def _try_open(entry: VideoEntry, drop_repeats: float | None) -> Source | VideoError:
    try:
        if os.path.isdir(entry.path):
            return _open_folder(entry, drop_repeats)
        if not os.path.isfile(entry.path):
            raise VideoError('is missing')
        if not is_video(entry.path):
            raise VideoError('is neither a video file nor a folder of frames')
        return _open_video(entry, drop_repeats)
    except VideoError as error:
        return error


def _open_video(entry: VideoEntry, drop_repeats: float | None) -> Source:
    index = index_video(entry.path)
    frames, fps = _range(entry, index.num_frames), index.fps
    if drop_repeats is not None:
        reader = VideoReader()
        decoded = (reader.read(entry.path, [number])[0] for number in frames)
        kept = [frames[position] for position in distinct_frames(decoded, drop_repeats)]
        fps = fps and fps * len(kept) / len(frames)
        frames = kept
    return Source(
        names=NumberedFrames(frames, digits=6),
        paths=NumberedFrames(frames, f'{entry.path}#'),
        fps=fps,
    )


def _open_folder(entry: VideoEntry, drop_repeats: float | None) -> Source:
    names = sorted(filter(is_image, os.listdir(entry.path)), key=natural_key)
    names = [name for name in names if name[0] != '.']
    if not names:
        raise VideoError('has no frame')
    names = names[slice(entry.first, _range(entry, len(names)).stop)]
    paths = [os.path.join(entry.path, name) for name in names]
    _check_one_size(names, paths)
    if drop_repeats is not None:
        kept = distinct_frames(map(cv2.imread, paths), drop_repeats)
        names, paths = [names[index] for index in kept], [paths[index] for index in kept]
    return Source(names, paths)


def _range(entry: VideoEntry, length: int) -> range:
    stop = length if entry.stop is None else entry.stop
    if not entry.first < stop <= length:
        raise VideoError(f'has {length} frames, but {entry.first}:{stop} are asked for')
    return range(entry.first, stop)


def _check_one_size(names: list[str], paths: list[str]) -> None:
    first = None
    for name, size in zip(names, _image_sizes(paths)):
        if size is None:
            continue  # a frame that can't be read is skipped when its clip is loaded
        check_size(*size)
        first = first or (name, size)
        if size != first[1]:
            (a, b), (h, w) = first[1], size
            raise VideoError(
                f'has frames of several sizes ({first[0]} is {a}x{b}, {name} is {h}x{w}): convert them to one'
            )


def _image_sizes(paths: list[str]) -> Iterator[tuple[int, int] | None]:
    """(height, width) by the files' headers."""
    for path in paths:
        try:
            with Image.open(path) as image:
                yield image.size[::-1]
        except Image.DecompressionBombError as error:
            raise VideoError(
                f'has a frame, {os.path.basename(path)}, that says to have more than '
                f'{2 * Image.MAX_IMAGE_PIXELS} pixels: its header is wrong or hostile'
            ) from error
        except (OSError, ValueError, SyntaxError):
            yield None
