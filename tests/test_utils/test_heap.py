"""Memory that is freed in pieces goes back to the system."""

import ctypes
from pathlib import Path

import pytest

from mmforecast.utils.heap import trim_heap

PIECE = 16_000  # smaller than what the C library maps by itself


def resident():
    """Bytes of memory of this process."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096


def test_holes_go_back_to_the_system():
    if not hasattr(ctypes.CDLL(None), 'malloc_trim') or not Path('/proc/self/statm').exists():
        pytest.skip('the C library is not glibc, or the system is not Linux')
    trim_heap()
    pieces = [bytearray(PIECE) for _ in range(5000)]
    full = resident()
    kept = pieces[::50]  # what lies between holes, so that the heap cannot shrink
    del pieces
    assert trim_heap()
    assert full - resident() > 0.8 * 5000 * PIECE
    assert not any(map(any, kept))
