"""Frames of a video file or of a folder, looked at before training begins."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from mmengine.logging import print_log
from PIL import Image

from mmforecast.datasets.junk_files import visible_names, walk_visible
from mmforecast.datasets.motion import squared_motion

from . import VIDEO_SUFFIXES, NumberedFrames, VideoError, VideoReader, index_video, is_video
from .frame_names import arrange_frames, find_breaks
from .listing import IMAGE_SUFFIXES, VideoEntry, is_image
from .opening import check_size

__all__ = ['Source', 'distinct_frames', 'open_sources']

_THREADS = 4

# Steps of time that differ from the median by more than this factor make a variable frame rate.
_UNEVEN = 1.5


@dataclass(frozen=True)
class Source:
    """The frames of one video, oldest first.

    Attributes:
        names: Unique in the video.
        paths: As :class:`LoadClipFrames` reads them.
        fps: Mean frames per second, where that is known.
        times: Seconds of each frame after the first of the file, where they are known.
        breaks: Ascending positions of frames that do not follow the one before.
        remark: What a user should know, in words that go on after the name; empty for nothing.
    """

    names: Sequence[str]
    paths: Sequence[str]
    fps: float | None = None
    times: np.ndarray | None = None
    breaks: tuple[int, ...] = ()
    remark: str = ''

    def __len__(self) -> int:
        return len(self.names)


def open_sources(
    entries: Iterable[VideoEntry], drop_repeats: float | None = None
) -> list[Source | VideoError]:
    """The source of each entry, or why it can't be used.

    Args:
        drop_repeats: See :class:`VideoFolderDataset`.
    """
    entries = list(entries)
    if len(entries) == 1:  # new threads for each of many videos would scatter the heap over their arenas
        sources = [_try_open(entries[0], drop_repeats)]
    else:
        with ThreadPoolExecutor(_THREADS) as pool:
            sources = list(pool.map(lambda entry: _try_open(entry, drop_repeats), entries))
    remarks = [
        f'{entry.name} {source.remark}'
        for entry, source in zip(entries, sources)
        if isinstance(source, Source) and source.remark
    ]
    if remarks:
        more = f'; and {len(remarks) - 3} more videos' if len(remarks) > 3 else ''
        print_log('; '.join(remarks[:3]) + more, logger='current', level=logging.WARNING)
    return sources


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
            raise VideoError(
                f'is neither a video file ({", ".join(VIDEO_SUFFIXES)}) nor a folder of frames '
                f'({", ".join(IMAGE_SUFFIXES)}): convert it (ffmpeg -i IN OUT.mp4)'
            )
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
    times = None if index.times is None else index.times[frames]
    return Source(
        names=NumberedFrames(frames, digits=6),
        paths=NumberedFrames(frames, f'{entry.path}#'),
        fps=fps,
        times=times,
        remark='' if times is None or drop_repeats is not None else _remark_on_times(times),
    )


def _remark_on_times(times: np.ndarray) -> str:
    """A remark on frames that are not evenly spaced."""
    steps = np.diff(times)
    usual = np.median(steps) if len(steps) else 0
    if len(steps) < 2 or usual / _UNEVEN <= steps.min() <= steps.max() <= usual * _UNEVEN:
        return ''
    return (
        f'has a variable frame rate: its frames are {steps.min():.3g} to {steps.max():.3g} s apart; strides '
        'count frames, and fps is the mean'
    )


def _open_folder(entry: VideoEntry, drop_repeats: float | None) -> Source:
    images = list(filter(is_image, visible_names(entry.path)))
    if not images:
        raise VideoError('has no frame' + _hint_below(entry.path))
    arranged = arrange_frames(images)
    names = arranged.names[slice(entry.first, _range(entry, len(arranged.names)).stop)]
    paths = [os.path.join(entry.path, name) for name in names]
    _check_one_size(names, paths)
    breaks = find_breaks(names, arranged.decimal)
    remark = _remark_on_folder(names, breaks, arranged.left_out)
    if drop_repeats is not None:
        kept = distinct_frames(map(cv2.imread, paths), drop_repeats)
        breaks = _breaks_of_part(breaks, kept)
        names, paths = [names[index] for index in kept], [paths[index] for index in kept]
    return Source(names, paths, breaks=tuple(breaks), remark=remark)


def _remark_on_folder(names: list[str], breaks: list[int], left_out: list[str]) -> str:
    """A remark on missing frames and on images that are no frames."""
    remarks = []
    if breaks:
        place = breaks[0]
        remarks.append(
            f'lacks frames in {len(breaks)} places, first between {names[place - 1]} and {names[place]}: '
            'no clip of a data set goes over them'
        )
    if left_out:
        remarks.append(f'holds {len(left_out)} images that are no frames, such as {left_out[0]}: left out')
    return ', and '.join(remarks)


def _breaks_of_part(breaks: list[int], kept: list[int]) -> list[int]:
    """Breaks as positions among the frames that are kept."""
    places = np.searchsorted(kept, breaks)
    return sorted({int(place) for place in places if 0 < place < len(kept)})


def _hint_below(folder: str) -> str:
    """A hint at folders of frames further down."""
    for below, _, files in walk_visible(folder):
        if any(map(is_image, files)):
            return f'; the folders in it have: give one of them, {below}'
    return ''


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
                if getattr(image, 'n_frames', 1) > 1:
                    raise VideoError(
                        f'has a file of {image.n_frames} pictures, {os.path.basename(path)}: save each as a '
                        'file of its own'
                    )
                yield image.size[::-1]
        except VideoError:
            raise
        except Image.DecompressionBombError as error:
            raise VideoError(
                f'has a frame, {os.path.basename(path)}, that says to have more than '
                f'{2 * Image.MAX_IMAGE_PIXELS} pixels: its header is wrong or hostile'
            ) from error
        except (OSError, ValueError, SyntaxError):
            yield None
