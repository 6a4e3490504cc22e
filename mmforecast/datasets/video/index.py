"""Contents of a video file, counted from its packets: headers are not trusted."""

import functools
import itertools
import math
import os
from dataclasses import dataclass

import numpy as np

from mmforecast.utils.pyav import import_av

from .decoder import Decoder
from .display import pixel_aspect, shown_size
from .opening import VideoError, check_size, reason_of
from .packets import Packets, read_packets

__all__ = ['MAX_KEYFRAME_GAP', 'VideoIndex', 'forget_indexes', 'index_video']

# Beyond this a file is refused: what must be decoded to reach one frame (about ten seconds of work at
# 320x240).
MAX_KEYFRAME_GAP = 10_000

# Ways to fix it.
_MORE_KEYFRAMES = 'encode it again with more keyframes (ffmpeg -i IN -g 30 OUT.mp4)'
_TIME_STAMPS = 'copy it into a file with time stamps (ffmpeg -i IN -c copy OUT.mp4)'

# Time that goes back by more than this belongs to another recording.
_JOINT_SECONDS = 0.5


@dataclass(frozen=True)
class VideoIndex:
    """The frames of one video file, in order of presentation.

    Attributes:
        num_frames: Frames that can be shown.
        size: (height, width) of a frame as it is shown: with square pixels, turned and mirrored as the
            file asks for.
        fps: Mean frames per second; None where the file has no usable time stamps. Nominal where the
            frame rate varies: see ``times``.
        stamps: (num_frames,) int64 time stamps, ascending; None where they don't tell the frames
            apart, so that frames must be counted from the first one.
        keyframes: Ascending frame numbers where decoding can begin; the first is 0.
        times: (num_frames,) float64 seconds after the first frame; None where they are unknown.
        stream: Position of the stream among the file's video streams.
        damaged: Positions of packets known to be damaged, in order of decoding.
    """

    num_frames: int
    size: tuple[int, int]
    fps: float | None
    stamps: np.ndarray | None
    keyframes: np.ndarray
    times: np.ndarray | None = None
    stream: int = 0
    damaged: frozenset[int] = frozenset()

    def keyframe_before(self, frame: int) -> int:
        """The last keyframe that is not after ``frame``."""
        return int(self.keyframes[np.searchsorted(self.keyframes, frame, side='right') - 1])

    def keyframe_after(self, frame: int) -> int | None:
        """The first keyframe after ``frame``; None where there is none."""
        place = np.searchsorted(self.keyframes, frame, side='right')
        return int(self.keyframes[place]) if place < len(self.keyframes) else None


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


# A dataset looks at all its files before its first clip is read.
@functools.lru_cache(maxsize=2**15)
def _index_video(path: str, size_in_bytes: int, time: int) -> VideoIndex:
    packets = read_packets(path)
    size, shown = _decode(path, packets, 1)
    if packets.reorders and packets.container == 'avi':
        return _counted(packets, size, [None] * len(packets.stamps))
    expected = sorted(packets.stamps) if packets.stamped else []
    if shown != expected[:1] or packets.doubtful:
        size, shown = _decode(path, packets, MAX_KEYFRAME_GAP + 1)
    if shown != expected[: len(shown)]:
        return _counted(packets, size, shown)
    stamps = np.array(expected, dtype=np.int64)
    keyframes = np.union1d(np.searchsorted(stamps, packets.keys), [0])
    _check_gap(int(np.diff(keyframes, append=len(stamps)).max()), _MORE_KEYFRAMES)
    times = (stamps - stamps[0]) * packets.seconds
    fps = _measured_rate(times, packets.rate)
    return VideoIndex(len(stamps), size, fps, stamps, keyframes, times, packets.stream)


def forget_indexes() -> None:
    """Free the memory of all indexes that are kept; for programs that see many videos, each once."""
    _index_video.cache_clear()


def _decode(path: str, packets: Packets, num_frames: int) -> tuple[tuple[int, int], list[int | None]]:
    """The size of the first frame, and the time stamps of the first ``num_frames``."""
    stamps: list[int | None] = []
    size = None
    decoder = Decoder(path, packets.stream, packets.damaged)
    with decoder.container:
        aspect = pixel_aspect(decoder.stream)
        try:
            for frame, _ in itertools.islice(decoder, num_frames):
                check_size(frame.height, frame.width)
                size = size or shown_size(frame, aspect)
                stamps.append(frame.pts)
        except import_av().FFmpegError as error:
            if size is None:
                raise VideoError(f'cannot be decoded ({reason_of(error)})') from error
    if size is None:
        raise VideoError('has no frame that can be decoded')
    check_size(*size)
    return size, stamps


def _check_gap(
    gap: int, fix: str = 'encode it again with more keyframes (ffmpeg -i IN -g 30 OUT.mp4)'
) -> None:
    """Refuse a video in which reaching a frame may take minutes."""
    if gap > MAX_KEYFRAME_GAP:
        raise VideoError(f'has {gap} frames or more to be decoded to reach one: {fix}')


def _counted(packets: Packets, size: tuple[int, int], shown: list[int | None]) -> VideoIndex:
    """The index of a file whose frames must be counted from the first one."""
    num_frames = len(shown)
    _check_gap(num_frames, _TIME_STAMPS)
    fps = _usable(packets.rate)
    times = None
    if None not in shown:
        times = _joined_times(np.array(shown, dtype=np.int64) * packets.seconds)
    if times is None and fps:
        times = np.arange(num_frames) / fps
    first = np.zeros(1, int)
    return VideoIndex(num_frames, size, fps, None, first, times, packets.stream, packets.damaged)


def _joined_times(times: np.ndarray) -> np.ndarray | None:
    """Seconds after the first frame; where recordings are joined, time goes on by one frame.

    None where the times of neighbors are in disorder: then they are FFmpeg's guesses.
    """
    steps = np.diff(times)
    forward = steps[steps > 0]
    is_joint = steps < -_JOINT_SECONDS
    if (~is_joint & (steps <= 0)).any() or (len(steps) and not len(forward)):
        return None
    frame = np.median(forward) if len(forward) else 0
    return np.concatenate([[0], np.cumsum(np.where(is_joint, frame, steps))])


def _usable(rate: float) -> float | None:
    return rate if math.isfinite(rate) and rate > 0 else None


def _measured_rate(times: np.ndarray, header: float) -> float | None:
    """Mean frames per second by the times; the header's where it says the same more exactly."""
    if len(times) < 2:
        return _usable(header)
    measured = (len(times) - 1) / float(times[-1])
    return _usable(header if abs(header - measured) < 0.05 * measured else measured)
