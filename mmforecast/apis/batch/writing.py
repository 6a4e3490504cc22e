"""Writing of results: an error of it ends the whole batch, unlike one of a video."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmforecast.apis.inferencers.output_check import unwritable
from mmforecast.fileio.partial_file import partial_file
from mmforecast.utils.addresses import refuse_address

__all__ = ['ResultsError', 'durable_file', 'make_folder', 'writing']


class ResultsError(OSError):
    """Results cannot be written: the disk is full, or the folder cannot be written to."""


@contextmanager
def writing(path: str | os.PathLike) -> Iterator[None]:
    """Turn an error of the operating system into a sentence that names the file.

    Raises:
        ResultsError: The block raised an OSError.
    """
    try:
        yield
    except ResultsError:  # it has its sentence
        raise
    except OSError as error:
        try:
            with unwritable(Path(path)):
                raise error
        except OSError as explained:
            raise ResultsError(str(explained)) from error


@contextmanager
def durable_file(path: str | os.PathLike) -> Iterator[Path]:
    """As :func:`partial_file`, on the disk before the file gets its name."""
    with partial_file(path) as partial:
        yield partial
        with writing(path), open(partial, 'rb') as handle:
            os.fsync(handle.fileno())


def make_folder(path: str | os.PathLike) -> None:
    """Create a folder, and those above it, where it is missing.

    Raises:
        ResultsError: It cannot be created.
        ValueError: It is an address.
    """
    refuse_address(path)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise ResultsError(
            f'the folder {os.fspath(path)} cannot be created ({error.strerror}): give another output folder'
        ) from error
