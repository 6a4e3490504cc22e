"""Frames of video files, by their numbers."""

import itertools
import math
import os
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

from mmforecast.utils.pyav import import_av

from ..frame_cache import FrameCache
from .decoder import Decoder
from .display import Orientation, pixel_aspect, shown_size, square_size
from .index import MAX_KEYFRAME_GAP, index_video
from .opening import VideoError, reason_of

__all__ = ['VideoReader']

_OPEN_FILES = 8
_RECENT_BYTES = 2**26  # of each


class VideoReader:
    """Reads frames of video files by number: (height, width, 3) uint8 RGB, gray videos too.

    Decoding begins at the last keyframe before a frame, or goes on from the read before. What is
    read is what decoding from the start gives, with square pixels, upright and mirrored as the file asks
    for. A damaged frame, and those predicted from it, are an error.

    A handle shared by forked processes would share its file position; so handles belong to the
    process that opened them, and are neither pickled nor copied.

    Args:
        cache: Keeps the videos that fit in it, each decoded whole as it is first read; by default none.
    """

    def __init__(self, cache: FrameCache | None = None):
        self.cache = cache or FrameCache()
        self._forget()

    def _forget(self) -> None:
        self._handles: OrderedDict[tuple[int, str], _Handle] = OrderedDict()
        self._not_kept: set[str] = set()  # too long, or can't be decoded whole

    def __getstate__(self) -> dict:
        return dict(cache=self.cache)

    def __setstate__(self, state: dict) -> None:
        self.cache = state['cache']
        self._forget()

    def read(self, path: str, frames: Iterable[int]) -> list[np.ndarray]:
        """The frames of these numbers, 0-based in order of presentation. Don't write to them.

        Raises:
            VideoError: The file, or one of the frames, can't be read.
        """
        source = self.cache.get(path)
        if source is None:
            source = self._handle(path)
            if path not in self._not_kept and not self._keep(path, source):
                self._not_kept.add(path)
        return [source[number] for number in _checked(frames, len(source))]

    def _keep(self, path: str, handle: '_Handle') -> bool:
        """Put a video into the cache; False where that is impossible."""
        shape = (handle.index.num_frames, *handle.index.size, 3)
        if not self.cache.fits(math.prod(shape)):
            return False
        video = np.empty(shape, np.uint8)
        try:
            for number in range(len(video)):
                video[number] = handle[number]
        except VideoError:
            return False  # who asks for frames that can be decoded gets them
        self.cache.put(path, video)
        return True

    def _handle(self, path: str) -> '_Handle':
        key = (os.getpid(), path)
        if key not in self._handles:
            self._handles[key] = _Handle(path)
            if len(self._handles) > _OPEN_FILES:
                (owner, _), handle = self._handles.popitem(last=False)
                if owner == key[0]:
                    handle.close()
        self._handles.move_to_end(key)
        return self._handles[key]


class _Handle:
    """One open file: a decoder, the number of the frame it gives next, and the frames read last."""

    def __init__(self, path: str):
        self.av = import_av()
        self.path = path
        self.index = index_video(path)
        self.formatter = self.av.video.reformatter.VideoReformatter()
        self.recent: OrderedDict[int, np.ndarray] = OrderedDict()
        height, width = self.index.size
        self.num_recent = min(32, _RECENT_BYTES // (height * width * 3) + 1)
        self.decoder = None
        self._begin()

    def __len__(self) -> int:
        return self.index.num_frames

    def close(self) -> None:
        self.decoder.close()

    def __getitem__(self, number: int) -> np.ndarray:
        if number not in self.recent:
            self.recent[number] = self._to_rgb(self._decode(number), number)
            if len(self.recent) > self.num_recent:
                self.recent.popitem(last=False)
        return self.recent[number]

    def _decode(self, number: int) -> Any:
        keyframe = self.index.keyframe_before(number)
        # Some containers go by decoding time, and may land one keyframe too late. Where a keyframe is
        # damaged, what comes after it is looked at from the one before.
        starts = [keyframe, self.index.keyframe_before(max(keyframe - 1, 0)), 0]
        if keyframe <= self.next <= number:
            starts = [self.next, *starts]
        for start in dict.fromkeys(starts):
            if start != self.next:
                self._go_to(start)
            frame = self._look_for(number)
            if frame is not None:
                return frame
        raise VideoError(f'has no frame {number} that can be decoded')

    def _look_for(self, number: int) -> Any:
        """Decode on until frame ``number``; None where it doesn't come, or decoding did not begin well."""
        try:
            for frame, damaged in itertools.islice(self.decoder, 2 * MAX_KEYFRAME_GAP):
                found = self._number_of(frame)
                if found is None or found < self.next:
                    continue
                if self.is_landing:
                    if found != self.next or damaged or not frame.key_frame:
                        break
                elif found > self.next:
                    damaged = self.decoder.lost_before(frame) or damaged
                self._note(found, damaged)
                if found >= number:
                    self._check_whole(found)
                    return frame if found == number else None
        except self.av.FFmpegError as error:
            self.next = -1  # wherever it is, not where a frame can be read
            raise VideoError(f'cannot be decoded at frame {number} ({reason_of(error)})') from error
        self.next = -1
        return None

    def _note(self, found: int, damaged: bool) -> None:
        """Count a decoded frame, and keep the number of the first damaged one of a stretch."""
        if not damaged:
            self.first_damaged = None
        elif self.first_damaged is None:
            self.first_damaged = self.next
        self.is_landing = False
        self.next = found + 1

    def _check_whole(self, number: int) -> None:
        if self.first_damaged is None:
            return
        first, after = self.first_damaged, self.index.keyframe_after(number)
        if after is not None:
            last = f'to frame {after - 1}, before the next keyframe'
        elif self.index.stamps is None:
            last = 'up to the next keyframe'
        else:
            last = 'to its end'
        raise VideoError(f'is damaged from frame {first} {last}, so that frame {number} cannot be used')

    def _number_of(self, frame: Any) -> int | None:
        stamps = self.index.stamps
        if stamps is None:
            return self.next
        if frame.pts is None:
            return None
        number = int(np.searchsorted(stamps, frame.pts))
        return number if number < len(stamps) and stamps[number] == frame.pts else None

    def _go_to(self, keyframe: int) -> None:
        if keyframe == 0 or self.index.stamps is None:
            self._begin()
            return
        try:
            self.decoder.seek(int(self.index.stamps[keyframe]))
        except self.av.FFmpegError:
            self._begin()
            return
        self.next = keyframe
        self.is_landing = True
        self.first_damaged = None

    def _begin(self) -> None:
        """Go to the first frame."""
        if self.decoder is not None:
            self.decoder.close()
        self.decoder = Decoder(self.path, self.index.stream, self.index.damaged)
        self.aspect = pixel_aspect(self.decoder.stream)
        self.next = 0
        self.is_landing = False
        self.first_damaged: int | None = None

    def _to_rgb(self, frame: Any, number: int) -> np.ndarray:
        if shown_size(frame, self.aspect) != self.index.size:
            (height, width), (h, w) = self.index.size, shown_size(frame, self.aspect)
            raise VideoError(f'changes from {height}x{width} to {h}x{w} pixels at frame {number}')
        height, width = square_size(frame.height, frame.width, self.aspect)
        try:
            picture = self.formatter.reformat(frame, width=width, height=height, format='rgb24')
        except self.av.FFmpegError as error:
            raise VideoError(f'is damaged at frame {number} ({reason_of(error)})') from error
        return Orientation.of_frame(frame).apply(picture.to_ndarray())


def _checked(frames: Iterable[int], length: int) -> list[int]:
    frames = list(frames)
    for number in frames:
        if not 0 <= number < length:
            raise VideoError(f'has {length} frames, none of number {number} (0-based)')
    return frames
