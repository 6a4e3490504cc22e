"""Trying out the output folder before any work is done, and sentences on files that cannot be written."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mmforecast.fileio.partial_file import partial_file

__all__ = ['check_output', 'unwritable']

_TRIAL_BYTES = 2**16  # a disk without as much is full


class _Tried(Exception):
    """Ends a trial, so that the file does not get its name."""


def check_output(folder: Path, name: str, formats: Sequence[str]) -> None:
    """Try whether all files of forecasts can be written, and leave none behind.

    Args:
        folder: It is created if missing.
        name: Of the video.
        formats: Of the files.

    Raises:
        OSError: One of them cannot; the sentence names it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f'the folder {folder} cannot be created ({error.strerror}): give another output folder'
        ) from error
    for form in formats:
        if form != 'png':
            _try(folder / f'{name}_forecast.{form}')
    if 'png' in formats:
        for kind in ('labels', 'panoptic', 'frames'):
            inside = folder / f'{name}_{kind}'
            if inside.exists() and not inside.is_dir():
                raise OSError(f'{inside} is a file where a folder of PNG files belongs: move it away')
            _try((inside if inside.is_dir() else folder) / f'{name}_{kind}.png')


def _try(path: Path) -> None:
    if os.path.isdir(path):  # False where the name is too long
        raise OSError(f'{path} is a folder where a file belongs: move it away')
    try:
        with unwritable(path), partial_file(path) as partial, open(partial, 'wb') as handle:
            handle.write(bytes(_TRIAL_BYTES))
            handle.flush()
            os.fsync(handle.fileno())
            raise _Tried
    except _Tried:
        pass


@contextmanager
def unwritable(path: Path) -> Iterator[None]:
    """Turn an error of writing into a sentence that names the file.

    Raises:
        OSError: The block raised one.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            f'{path} cannot be written ({reason}): give another output folder, or make room there'
        ) from error
