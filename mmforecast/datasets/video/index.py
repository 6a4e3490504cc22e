"""What a video file holds, counted from its packets: headers are not trusted."""

import functools
import itertools
import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from .opening import VideoError, check_size, import_av, open_video, reason_of, shown_size

__all__ = ['MAX_KEYFRAME_GAP', 'VideoIndex', 'index_video']

# Beyond these a file is refused: the frames of 38 hours at 30 Hz, and what has to be decoded to reach
# one frame (about ten seconds of work at 320x240).
MAX_FRAMES = 2**22
MAX_KEYFRAME_GAP = 10_000


@dataclass(frozen=True)
class VideoIndex:
    """The frames of one video file, in order of presentation.

    Attributes:
        num_frames: Frames that can be shown.
        size: (height, width) of a frame as it is shown, rotated as the file asks for.
        fps: Mean frames per second; None where the file has no usable time stamps.
        times: (num_frames,) int64 time stamps, ascending; None where they don't tell the frames
            apart, so that frames have to be counted from the first one.
        keyframes: Ascending frame numbers where decoding can begin; the first is 0.
    """

    num_frames: int
    size: tuple[int, int]
    fps: float | None
    times: np.ndarray | None
    keyframes: np.ndarray

    def keyframe_before(self, frame: int) -> int:
        """The last keyframe that is not after ``frame``."""
        return int(self.keyframes[np.searchsorted(self.keyframes, frame, side='right') - 1])


def index_video(path: str) -> VideoIndex:
    """Read through a file's packets, and decode its first frame.

    Only MP4 and Matroska store a time stamp for every frame. In AVI with B-frames they are guesses,
    but each packet is a frame. In all else, MPEG streams above all, frames are counted by decoding the
    file, up to the limit above. The result is kept as long as the file doesn't change.

    Raises:
        ImportError: PyAV isn't installed.
        VideoError: The file can't be opened, is truncated or damaged, has no frame, or is beyond the
            limits above.
    """
    try:
        state = os.stat(path)
    except OSError as error:
        raise VideoError(f'cannot be opened ({reason_of(error)})') from error
    return _index_video(path, state.st_size, state.st_mtime_ns)


# A data set looks at all its files before its first clip is read.
@functools.lru_cache(maxsize=2**15)
def _index_video(path: str, size_in_bytes: int, time: int) -> VideoIndex:
    packets = _read_packets(path)
    size, shown = _decode(path, 1)
    if packets.reorders and packets.container == 'avi':
        return _counted(len(packets.times), size, packets.rate)
    expected = sorted(packets.times) if packets.stamped else []
    if shown != expected[:1] or packets.doubtful:
        size, shown = _decode(path, MAX_KEYFRAME_GAP + 1)
    if shown != expected[: len(shown)]:
        return _counted(len(shown), size, packets.rate)
    times = np.array(expected, dtype=np.int64)
    keyframes = np.union1d(np.searchsorted(times, packets.keys), [0])
    _check_gap(int(np.diff(keyframes, append=len(times)).max()))
    fps = _measured_rate(times, packets.seconds, packets.rate)
    return VideoIndex(len(times), size, fps, times, keyframes)


@dataclass(frozen=True)
class _Packets:
    """What the packets of a file say, before any is decoded.

    Attributes:
        times: Time stamps of all frames, as they lie in the file.
        keys: Those of the keyframes.
        seconds: The unit of both.
        rate: Frames per second that the header claims; 0: none.
        reorders: Whether frames may be shown in another order than they are stored in.
        container: FFmpeg's name of the format.
    """

    times: list[int | None]
    keys: list[int | None]
    seconds: float
    rate: float
    reorders: bool
    container: str

    @property
    def stamped(self) -> bool:
        """Whether each frame has its own time stamp, the same after a seek."""
        unique = None not in self.times and len(set(self.times)) == len(self.times)
        return unique and self.container.startswith(('mov', 'matroska', 'avi'))

    @property
    def doubtful(self) -> bool:
        """Frames may be shown in another order, but their time stamps show no sign of it."""
        return self.reorders and all(a < b for a, b in itertools.pairwise(self.times))


def _read_packets(path: str) -> _Packets:
    container, stream = open_video(path)
    with container:
        times, keys = _packet_times(container, stream)
        return _Packets(
            times=times,
            keys=keys,
            seconds=float(stream.time_base),
            rate=float(stream.average_rate or 0),
            reorders=bool(stream.codec_context.has_b_frames),
            container=container.format.name,
        )


def _packet_times(container: Any, stream: Any) -> tuple[list[int | None], list[int | None]]:
    """The time stamps of all frames, and of the keyframes, as they lie in the file."""
    times, keys = [], []
    try:
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            if packet.is_corrupt:
                raise VideoError(f'is truncated or damaged after {len(times)} frames')
            times.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
            if len(times) > MAX_FRAMES:
                raise VideoError(f'has more than {MAX_FRAMES} frames: cut it into parts')
    except import_av().FFmpegError as error:
        raise VideoError(f'is damaged after {len(times)} frames ({reason_of(error)})') from error
    if not times:
        raise VideoError('has no frame')
    return times, keys


def _decode(path: str, num_frames: int) -> tuple[tuple[int, int], list[int | None]]:
    """The size of the first frame, and the time stamps of the first ``num_frames``, up to any damage."""
    times: list[int | None] = []
    size = None
    container, stream = open_video(path)
    with container:
        try:
            for frame in itertools.islice(container.decode(stream), num_frames):
                check_size(frame.height, frame.width)
                size = size or shown_size(frame)
                times.append(frame.pts)
        except import_av().FFmpegError as error:
            if size is None:
                raise VideoError(f'cannot be decoded ({reason_of(error)})') from error
    if size is None:
        raise VideoError('has no frame that can be decoded')
    return size, times


def _check_gap(gap: int) -> None:
    """Refuse a video in which reaching a frame may take minutes."""
    if gap > MAX_KEYFRAME_GAP:
        raise VideoError(
            f'has {gap} frames or more to be decoded to reach one: encode it again with more '
            'keyframes (ffmpeg -i IN -g 30 OUT.mp4)'
        )


def _counted(num_frames: int, size: tuple[int, int], rate: float) -> VideoIndex:
    """The index of a file whose frames have to be counted from the first one."""
    _check_gap(num_frames)
    return VideoIndex(num_frames, size, _usable(rate), None, np.zeros(1, int))


def _usable(rate: float) -> float | None:
    return rate if math.isfinite(rate) and rate > 0 else None


def _measured_rate(times: np.ndarray, seconds: float, header: float) -> float | None:
    """Frames per second by the time stamps; the header's where it says the same more exactly."""
    if len(times) < 2:
        return _usable(header)
    measured = (len(times) - 1) / ((int(times[-1]) - int(times[0])) * seconds)
    return _usable(header if abs(header - measured) < 0.05 * measured else measured)
