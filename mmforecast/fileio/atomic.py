"""Atomic writing: a file is whole or not there, whatever kills the process that writes it."""

import os
import re
from collections.abc import Callable
from typing import IO

import cv2
import mmengine
import numpy as np
from mmengine.fileio import LocalBackend, register_backend

from mmforecast.fileio.partial_file import partial_file

__all__ = ['AtomicLocalBackend', 'flush_folder', 'remove_leftovers', 'write_atomically', 'write_png']

_LEFTOVER = re.compile(r'^\.(.+)\.\d+\.partial$')


def write_atomically(path: str, data: bytes) -> None:
    """Write ``data`` beside ``path``, force it to the disk, and only then give it its name.

    Raises:
        OSError: The disk is full, say. A file that was there before is untouched, and nothing is
            left behind.
    """
    with partial_file(path) as partial, open(partial, 'wb') as handle:
        _write(handle, data)
    flush_folder(os.path.dirname(os.path.abspath(path)))


def write_png(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Write a picture, RGB (H, W, 3) or gray (H, W), uint8, by :func:`write_atomically`."""
    stored = picture[..., ::-1] if picture.ndim == 3 else picture
    write_atomically(str(path), cv2.imencode('.png', stored)[1].tobytes())


def _write(handle: IO[bytes], data: bytes) -> None:
    handle.write(data)
    handle.flush()
    os.fsync(handle.fileno())


def flush_folder(folder: str) -> None:
    """Force a folder to the disk: only then do new names in it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: str, owned: Callable[[str], bool] | None = None) -> list[str]:
    """Remove and name the partial files that killed writers left in ``folder``.

    Args:
        folder: The folder.
        owned: Accepts the names that whole files would have; by default all.
    """
    if not os.path.isdir(folder):
        return []
    matches = [found for found in map(_LEFTOVER.match, os.listdir(folder)) if found]
    leftovers = sorted(found[0] for found in matches if owned is None or owned(found[1]))
    for name in leftovers:
        os.remove(os.path.join(folder, name))
    return leftovers


@register_backend('atomic_local')
class AtomicLocalBackend(LocalBackend):
    """mmengine's backend of local files, with atomic writes.

    Chosen by ``backend_args=dict(backend='atomic_local')``.
    """

    def put(self, obj: bytes, filepath: str) -> None:
        mmengine.mkdir_or_exist(os.path.dirname(os.path.abspath(filepath)))
        write_atomically(str(filepath), obj)
