"""The heap of the C library."""

import ctypes

__all__ = ['trim_heap']


def trim_heap() -> bool:
    """Give memory that is free, but kept by the C library, back to the system.

    Decoders allocate and free in many sizes. Later allocations do not fit into the holes, and the heap grows
    from video to video though no more of it is in use. This takes about 10 ms.

    Returns:
        Whether there was any; False where the C library is not glibc.
    """
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    return trim is not None and bool(trim(0))
