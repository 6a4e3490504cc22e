"""Files that get their name once they are whole, for what can only write to a path."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ['partial_file']


@contextmanager
def partial_file(path: str | os.PathLike) -> Iterator[Path]:
    """A path to write to, beside ``path``, which gets the name ``path`` where the block ends without error.

    Where it ends by an error or Ctrl-C nothing is left behind, and a file that was there before is untouched.
    """
    path = Path(path)
    partial = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
