"""The videos of a batch: files, folders of frames, directories, patterns and lists."""

import glob
import os
from collections.abc import Iterable, Iterator

from mmforecast.datasets.text_files import read_lines
from mmforecast.datasets.video import is_video
from mmforecast.datasets.video.listing import find_videos, natural_key
from mmforecast.fileio.remote import expand_address
from mmforecast.utils.addresses import is_address

__all__ = ['find_inputs']


def find_inputs(inputs: Iterable[str], results: str | None = None) -> list[str]:
    """Paths of videos and folders of frames, each once, in the order in which they are named.

    Args:
        inputs: Each of them

            - the path of a video, or of a folder that holds frames and no videos or folders with any;
            - a directory: all videos and folders of frames in it, at any depth, in natural order;
            - a pattern with ``*``, ``?``, ``[...]`` or ``**``, of a name that does not exist as it stands;
            - ``@list.txt``: a text file with any of these on each line, relative to the current folder;
              empty lines and those that begin with # are left out;
            - the address of a video (http, https, s3, gs, ...), or of a folder or a pattern in a storage that
              fsspec can list.
        results: The output folder, in which no video is looked for, since it may lie among the inputs.

    Returns:
        Paths as they are named. One that does not exist is kept: opening it fails, and says so.

    Raises:
        FileNotFoundError: There is no such list, or nothing that matches a pattern or lies in a directory.
        DownloadError: A storage cannot be listed.
        ImportError: A package that a storage needs is not installed.
        ValueError: There is no input at all.
    """
    found: dict[str, str] = {}
    left_out = None if results is None else os.path.join(os.path.abspath(results), '')
    for path in _expand(inputs):
        absolute = path if is_address(path) else os.path.abspath(path)
        if left_out is None or not absolute.startswith(left_out):
            found.setdefault(absolute, path)
    if not found:
        raise ValueError('there is no input: none of the arguments names a video')
    return list(found.values())


def _expand(inputs: Iterable[str], in_list: bool = False) -> Iterator[str]:
    for given in inputs:
        if given.startswith('@') and not in_list and not os.path.exists(given):
            if not os.path.isfile(given[1:]):
                raise FileNotFoundError(f'there is no list of videos {given[1:]}')
            yield from _expand(read_lines(given[1:]), in_list=True)
        elif is_address(given) and not os.path.exists(given):
            yield from expand_address(given, is_video)
        elif os.path.isdir(given):
            yield from _in_folder(given)
        elif glob.has_magic(given) and not os.path.lexists(given):
            matches = glob.glob(given, recursive=True)
            if not matches:
                raise FileNotFoundError(f'nothing matches {given}')
            for match in sorted(matches, key=natural_key):
                # a pattern such as drives/* takes the videos from among other files
                if os.path.isdir(match):
                    yield from _in_folder(match, required=False)
                elif is_video(match):
                    yield match
        else:
            yield given


def _in_folder(folder: str, required: bool = True) -> Iterator[str]:
    """The videos and folders of frames in a directory; one of frames alone is a video itself."""
    try:
        entries = find_videos(folder)
    except FileNotFoundError as error:
        if not required:
            return
        raise FileNotFoundError(f'there is no video and no folder of frames in {folder}') from error
    for entry in entries:
        yield entry.path
