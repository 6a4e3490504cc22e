"""Temporary names for files that are being written, by code that can only write to a path."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ['partial_file', 'resumable_file']


@contextmanager
def partial_file(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a path to write to, beside ``path``; it is renamed to ``path`` when the block ends without error.

    If it ends with an error or Ctrl-C, nothing is left behind, and a file that was there before is untouched.
    """
    path = Path(path)
    partial = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def resumable_file(path: str | os.PathLike) -> Iterator[IO[bytes] | None]:
    """Yield a file to append to, beside ``path``; it is renamed to ``path`` when the block ends without error.

    If it ends with an error or Ctrl-C, what was written stays as ``<path>.partial``, and the next call appends
    to it; an empty file is removed. Other processes that call it with this path wait, and then get None, since
    ``path`` is there.
    """
    path = Path(path)
    partial = path.with_name(f'{path.name}.partial')
    with _opened_alone(partial) as handle:
        if path.exists():  # another process was faster
            partial.unlink()
            yield None
            return
        try:
            yield handle
            handle.flush()
            os.replace(partial, path)
        except BaseException:
            if handle.seek(0, os.SEEK_END) == 0:
                partial.unlink(missing_ok=True)
            raise


@contextmanager
def _opened_alone(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to append to, once no other process has it open in this way."""
    while True:
        handle = open(path, 'ab')
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        # whoever had it may have renamed or removed it in the meantime
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                break
        handle.close()
    with handle:
        yield handle
