"""Videos of a dataset: found under a folder, or named in a list."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmforecast.datasets.junk_files import walk_visible
from mmforecast.datasets.text_files import read_lines

from . import VIDEO_SUFFIXES, is_video
from .frame_names import natural_key

__all__ = ['IMAGE_SUFFIXES', 'VideoEntry', 'find_videos', 'natural_key', 'read_entries']

IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')

_LINE = re.compile(r'(?P<path>[^\0]+?)(\s+(?P<first>[0-9]{0,18}):(?P<stop>[0-9]{0,18}))?', re.DOTALL)


@dataclass(frozen=True)
class VideoEntry:
    """A video file or a folder of frames, which need not exist.

    Attributes:
        name: Its path in the dataset.
        path: Where it is.
        first: The first frame taken, 0-based.
        stop: The frame after the last one taken; None for all.
    """

    name: str
    path: str
    first: int = 0
    stop: int | None = None

    @property
    def sequence_id(self) -> str:
        name = self.name.replace(os.sep, '__')
        return f'{name}__{self.first}' if self.first else name


def find_videos(root: str) -> list[VideoEntry]:
    """All video files and folders of frames under a folder; see :mod:`mmforecast.datasets.junk_files`.

    Raises:
        FileNotFoundError: The folder doesn't exist, or holds neither.
    """
    if not os.path.isdir(root):
        raise FileNotFoundError(f'no folder {root} to look for videos in: check data_root')
    names = []
    for folder, _, files in walk_visible(root):
        names += [os.path.join(folder, name) for name in files if is_video(name)]
        if any(is_image(name) for name in files):
            names.append(folder)
    if not names:
        raise FileNotFoundError(
            f'no videos under {root}: looked for {", ".join(VIDEO_SUFFIXES)} and for folders of '
            f'{", ".join(IMAGE_SUFFIXES)}; check data_root'
        )
    home = os.path.basename(os.path.abspath(root))  # where its own frames lie
    entries = [VideoEntry(home if path == root else os.path.relpath(path, root), path) for path in names]
    return sorted(entries, key=lambda entry: natural_key(entry.name))


def read_entries(root: str, videos: str | Sequence[str]) -> list[VideoEntry]:
    """The videos of a list, in its order: paths under ``root``, each with ``first:stop`` if need be.

    Args:
        root: Folder of the videos.
        videos: The list, or the text file that it is in.

    Raises:
        FileNotFoundError: There is no such text file.
        ValueError: The list is empty or has the same frames twice, or a range has no frame.
    """
    source = 'videos'
    if isinstance(videos, str):
        source = videos if os.path.isfile(videos) else os.path.join(root, videos)
        if not os.path.isfile(source):
            raise FileNotFoundError(
                f'no list of videos {videos}, neither as it stands nor under {root}: a text file '
                'with one path on each line'
            )
        videos = read_lines(source)
    entries = [_read_entry(root, line, source) for line in videos]
    seen = set()
    for name in (entry.sequence_id for entry in entries):
        if name in seen:
            raise ValueError(f'{source} has {name} twice: take one of them out')
        seen.add(name)
    if not entries:
        raise ValueError(f'{source} names no video')
    return entries


def is_image(name: str) -> bool:
    """Whether a file's name is that of a frame."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _read_entry(root: str, line: str, source: str) -> VideoEntry:
    match = _LINE.fullmatch(line)
    if not match:
        raise ValueError(f'{source}: {line!r} is no path of a video')
    first, stop = int(match['first'] or 0), int(match['stop']) if match['stop'] else None
    if stop is not None and stop <= first:
        raise ValueError(f'{source}: {line!r} has no frame: write <path> <first>:<stop>')
    path = match['path']
    if not os.path.exists(os.path.join(root, path)):
        path = path.replace('\\', '/')  # as Windows writes it
    name = os.path.normpath(path)
    return VideoEntry(name, os.path.join(root, name), first, stop)
