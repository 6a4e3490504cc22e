"""Paths of single frames of a video: the file's path with the frame's number after it, ``clip.mp4#12``."""

import os
import re
from collections.abc import Sequence

__all__ = ['NumberedFrames', 'VIDEO_SUFFIXES', 'is_video', 'split_frame_path']

VIDEO_SUFFIXES = tuple(
    '.3g2 .3gp .asf .avi .f4v .flv .gif .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm '
    '.wmv .y4m'.split()
)

_FRAME_PATH = re.compile(
    rf'(?P<path>.+({"|".join(map(re.escape, VIDEO_SUFFIXES))}))#(?P<number>\d+)',
    re.IGNORECASE | re.DOTALL,
)


def is_video(path: str) -> bool:
    """Whether a file's name is that of a video."""
    return os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES


def split_frame_path(path: str) -> tuple[str, int] | None:
    """The video and the frame's number of ``clip.mp4#12``; None for any other path."""
    match = _FRAME_PATH.fullmatch(path)
    return match and (match['path'], int(match['number']))


class NumberedFrames(Sequence):
    """Names or paths of frames that differ in a number, made when they are asked for.

    A dataset may hold millions of frames of videos.

    Args:
        frames: The numbers.
        prefix: What stands before each: a path of frames of a video is ``<video>#<number>``, numbered
            from 0 in order of presentation.
        digits: Digits to fill up with zeros.
    """

    def __init__(self, frames: Sequence[int], prefix: str = '', digits: int = 0):
        self.frames = frames
        self.prefix = prefix
        self.digits = digits

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, item):
        if isinstance(item, slice):
            return NumberedFrames(self.frames[item], self.prefix, self.digits)
        return f'{self.prefix}{self.frames[item]:0{self.digits}d}'
