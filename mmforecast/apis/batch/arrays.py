"""Compressed NPZ files of arrays, written piece by piece; equal arrays give equal bytes."""

import zipfile
from pathlib import Path

import numpy as np

__all__ = ['ArrayWriter']

_LEVEL = 3  # label maps are small at any level, and higher ones take longer than the network


class ArrayWriter:
    """A file that :func:`numpy.load` reads, to which arrays are added one by one.

    Args:
        path: The file.
    """

    def __init__(self, path: Path):
        self._archive = zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)

    def add(self, name: str, array: np.ndarray) -> None:
        """Append an array under a name of its own."""
        # opened by name, an entry has no time stamp
        with self._archive.open(f'{name}.npy', 'w', force_zip64=True) as handle:
            np.lib.format.write_array(handle, np.ascontiguousarray(array), allow_pickle=False)

    def close(self) -> None:
        """Write the table of contents."""
        self._archive.close()
