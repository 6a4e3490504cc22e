"""Decoded frames kept in memory, up to a limit."""

import numpy as np

from mmforecast.utils.checks import check_at_least

__all__ = ['FrameCache']


class FrameCache:
    """Arrays by name, kept as long as they fit: what is in stays in, so that nothing is read in turns.

    Each process has its own; what is in is neither pickled nor copied.

    Args:
        megabytes: The limit, in units of 2**20 bytes; 0 keeps nothing.
    """

    def __init__(self, megabytes: float = 0):
        check_at_least(type(self).__name__, 0, cache_mb=megabytes)
        self.megabytes = megabytes
        self._arrays: dict[str, np.ndarray] = {}
        self._left = megabytes * 2**20

    def __getstate__(self) -> dict:
        return dict(megabytes=self.megabytes)

    def __setstate__(self, state: dict) -> None:
        self.__init__(**state)

    def fits(self, num_bytes: int) -> bool:
        """Whether that much more can be kept."""
        return num_bytes <= self._left

    def get(self, name: str) -> np.ndarray | None:
        """What is kept under a name. Don't write to it."""
        return self._arrays.get(name)

    def put(self, name: str, array: np.ndarray) -> None:
        """Keep an array under a new name, if it fits."""
        if self.fits(array.nbytes):
            self._arrays[name] = array
            self._left -= array.nbytes
