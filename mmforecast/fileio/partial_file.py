"""Temporary names for files that are being written, by code that can only write to a path."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ['partial_file']


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
