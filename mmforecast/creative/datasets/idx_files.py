"""The IDX files of MNIST and its successors, plain or gzipped."""

import gzip
import os
import struct
import zlib

import numpy as np

__all__ = ['find_idx', 'read_idx']

_UINT8 = 8
_MAX_BYTES = 1 << 30


def find_idx(root: str, name: str) -> str:
    """The path of ``name`` or ``name.gz`` below ``root``; FileNotFoundError where there is neither."""
    for path in (os.path.join(root, name), os.path.join(root, f'{name}.gz')):
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(f'there is neither {name} nor {name}.gz in {root or "."}')


def read_idx(path: str, ndim: int, max_bytes: int = _MAX_BYTES) -> np.ndarray:
    """Read an IDX file of unsigned bytes.

    No more is decompressed than the header says and ``max_bytes`` allows.

    Args:
        path: ``*`` or ``*.gz``.
        ndim: Number of dimensions the file must have: 3 for images, 1 for labels.
        max_bytes: Largest content.

    Returns:
        uint8, of the header's shape.

    Raises:
        ValueError: The file is of another kind, truncated, longer than it says, or too large.
    """
    try:
        with (gzip.open if path.endswith('.gz') else open)(path, 'rb') as file:
            shape = _header(file.read(4 + 4 * ndim), ndim, path)
            size = int(np.prod(shape, dtype=object))
            if size > max_bytes:
                raise ValueError(
                    f'{path} says to hold {"x".join(map(str, shape))} bytes, more than the '
                    f'{max_bytes} allowed: its header is wrong or hostile'
                )
            content = file.read(size + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f'{path} is no whole gzip file ({error}): download it again') from error
    if len(content) != size:
        what = 'ends early' if len(content) < size else 'goes on'
        raise ValueError(f'{path} {what} after {size} bytes of its header: download it again')
    return np.frombuffer(content, np.uint8).reshape(shape)


def _header(head: bytes, ndim: int, path: str) -> tuple[int, ...]:
    if len(head) < 4 + 4 * ndim or head[:3] != bytes((0, 0, _UINT8)) or head[3] != ndim:
        raise ValueError(
            f'{path} is no IDX file of unsigned bytes with {ndim} dimensions (it starts with '
            f'{head[:4].hex()}): is it another file of the set, or an error page?'
        )
    return struct.unpack(f'>{ndim}I', head[4:])
