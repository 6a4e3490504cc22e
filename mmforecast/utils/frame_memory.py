"""A memory of what was computed of frames, for clips that overlap: no optical flow is estimated twice."""

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from torch import Tensor

from .checks import check_positive

__all__ = ['FrameMemory', 'remembered']

Result = TypeVar('Result')


class FrameMemory:
    """Keeps the newest results of functions of frames; frames are told apart by their pixels.

    It serves the calls of :func:`remembered` within ``with memory.in_use():``.

    Args:
        size: Results of each kind that are kept, at least 1; the one that was not asked for longest goes
            first. Of clips that begin at every frame, a pair of frames comes back after as many clips as there
            are frames in a step.
    """

    def __init__(self, size: int = 8):
        check_positive('FrameMemory', size=size)
        self.size = size
        self.num_computed: Counter[str] = Counter()
        self._results: dict[str, OrderedDict[Hashable, object]] = {}
        self._lock = threading.RLock()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let this thread, or task, remember here."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def recall(
        self, kind: str, key: Hashable, compute: Callable[[], Result], keep: int | None = None
    ) -> Result:
        """The result of a kind under a key, computed if it is not there; see :func:`remembered`."""
        with self._lock:
            results = self._results.setdefault(kind, OrderedDict())
            if key not in results:
                self.num_computed[kind] += 1
                results[key] = compute()
                if len(results) > min(self.size, keep or self.size):
                    results.popitem(last=False)
            results.move_to_end(key)
            return results[key]


_CURRENT: ContextVar[FrameMemory | None] = ContextVar('frame_memory', default=None)


def remembered(
    kind: str,
    frames: Sequence[Tensor],
    settings: Hashable,
    compute: Callable[[], Result],
    keep: int | None = None,
) -> Result:
    """The result of a function of frames: from the memory in use, or computed.

    Args:
        kind: Names the function.
        frames: Its frames.
        settings: Whatever else the result depends on.
        compute: Gives the result, which nobody changes in place.
        keep: Results of this kind that are kept at most, where they are large.
    """
    memory = _CURRENT.get()
    if memory is None:
        return compute()
    return memory.recall(kind, (settings, *map(_digest, frames)), compute, keep)


def _digest(frame: Tensor) -> tuple:
    pixels = frame.detach().cpu().contiguous().numpy()
    return frame.shape, frame.dtype, frame.device, hashlib.sha1(pixels, usedforsecurity=False).digest()
