"""The one place where inputs are opened: files, folders, arrays, iterators, addresses, cameras, pipes."""

import os
from collections.abc import Iterable
from numbers import Integral

import numpy as np

from mmforecast.datasets.video import VIDEO_SUFFIXES, VideoError, is_video
from mmforecast.datasets.video.listing import IMAGE_SUFFIXES, VideoEntry
from mmforecast.datasets.video.sources import open_sources

from .arguments import integer
from .live import LiveVideo, live_input
from .real_time import RealTimeFrames
from .sources import ArrayFrames, FileFrames, FrameSource, IteratorFrames, check_rate

__all__ = ['open_frames']


def open_frames(
    inputs,
    fps: float | None = None,
    max_frames: int | None = None,
    timeout: float = 10,
    av_options: dict[str, str] | None = None,
    real_time: bool = False,
) -> FrameSource:
    """Open whatever a user has of a video.

    Args:
        inputs: One of

            - the path of a video file, or of a folder of images (in natural order: frame2 before frame10);
            - the address of a live stream or of a file on a server (http, https, rtsp, rtmp, udp, ...);
            - the index of a camera: 0 or '0';
            - '-', the standard input, or the path of a named pipe: an encoded video;
            - an array (T, H, W, 3) or a list of T arrays (H, W, 3), uint8 **RGB**. OpenCV reads BGR: turn
              its frames by ``frame[..., ::-1]``;
            - an iterator of such arrays;
            - a source that this function returned.
        fps: Frames per second, in place of what the file says; any finite number above 0.
        max_frames: Frames to use, from the first one; by default all.
        timeout: Seconds to wait for a live stream to open, and for each of its frames.
        av_options: Options of FFmpeg for addresses, cameras and pipes, e.g. ``dict(video_size='640x480')``;
            ``format`` names the input format.
        real_time: Let frames come at their own pace, and leave out those that come too fast, see
            :class:`RealTimeFrames`.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ImportError: PyAV, which video needs, is not installed.
        ValueError: It has no frame, cannot be opened or read, or an argument is out of range.
    """
    if real_time:
        return RealTimeFrames(open_frames(inputs, fps, max_frames, timeout, av_options))
    fps = check_rate(fps)
    if max_frames is not None:
        max_frames = integer('open_frames', 'max_frames', max_frames)
    if isinstance(inputs, (FileFrames, ArrayFrames, IteratorFrames, LiveVideo, RealTimeFrames)):
        if fps is not None or max_frames is not None:
            raise ValueError('the source is open: give fps and max_frames where it is opened, to open_frames')
        return inputs
    camera = isinstance(inputs, Integral) and not isinstance(inputs, (bool, np.bool_))
    if camera or isinstance(inputs, (str, os.PathLike)):
        path = str(inputs) if camera else os.fspath(inputs)
        live = None if not camera and _is_stored(path) else live_input(path, av_options)
        if live is not None:
            return LiveVideo(live, fps, max_frames, timeout)
        if av_options:
            raise ValueError(f'av_options are for addresses, cameras and pipes, and {path} is none of these')
        return _open_path(path, fps, max_frames)
    if isinstance(inputs, (np.ndarray, list, tuple)):
        if len(inputs) == 0:
            raise ValueError('the input has no frame: give at least the past frames of one clip')
        return ArrayFrames(inputs[:max_frames], fps)
    if isinstance(inputs, Iterable):
        return IteratorFrames(inputs, fps, max_frames)
    raise ValueError(
        'inputs must be the path of a video or of a folder of frames, an address, the index of a camera, an '
        'array (T, H, W, 3) uint8 RGB, a list of (H, W, 3) arrays, or an iterator of them, got '
        f'{type(inputs).__name__}'
    )


def _is_stored(path: str) -> bool:
    """Whether there is a file or a folder of this name, whatever else the name could mean."""
    return os.path.isfile(path) or os.path.isdir(path)


def _open_path(path: str, fps: float | None, max_frames: int | None) -> FileFrames:
    if not os.path.exists(path):
        raise FileNotFoundError(f'there is no video or folder {path}')
    if os.path.isfile(path) and not is_video(path):
        raise ValueError(
            f'{path} is neither a video ({", ".join(VIDEO_SUFFIXES)}) nor a folder of frames '
            f'({", ".join(IMAGE_SUFFIXES)})'
        )
    (source,) = open_sources([VideoEntry(os.path.basename(os.path.abspath(path)), path)])
    if not isinstance(source, VideoError):
        return FileFrames(path, source, fps, max_frames)
    inside = sorted(filter(is_video, os.listdir(path))) if os.path.isdir(path) else []
    hint = f'; it holds videos: give one of them, {os.path.join(path, inside[0])}' if inside else ''
    raise ValueError(f'{path} {source}{hint}')
