"""Reading ahead: frames are decoded in a thread of their own while the network works."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Full, Queue

import numpy as np

from .sources import FrameSource

__all__ = ['read_ahead']

_AHEAD = 8  # frames
_POLL = 0.1  # seconds after which a waiting thread checks whether it must stop


class _ReadAhead:
    """A source whose frames are read in order, each before it is asked for."""

    reuses_buffers = False

    def __init__(self, source: FrameSource, numbers: Iterator[int]):
        self._source = source
        self._numbers = numbers
        self._queue: Queue = Queue(_AHEAD)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __getattr__(self, name: str):
        return getattr(self._source, name)

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        """(T, H, W, 3) uint8 RGB of the next frames, which must have these numbers."""
        frames = [self._next(number) for number in numbers]
        return frames[0][None] if len(frames) == 1 else np.stack(frames)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _next(self, number: int) -> np.ndarray:
        read, result = self._queue.get()
        if isinstance(result, Exception):
            raise result
        if read != number:
            raise RuntimeError(f'frame {number} was asked for, but {read} was read ahead')
        return result

    def _run(self) -> None:
        try:
            for number in self._numbers:
                if not self._send((number, self._source.read([number])[0])):
                    return
        except Exception as error:  # it belongs to whoever asks for the frame
            self._send((None, error))

    def _send(self, item: tuple) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=_POLL)
                return True
            except Full:
                continue
        return False


@contextmanager
def read_ahead(source: FrameSource, numbers: Iterator[int]) -> Iterator[FrameSource]:
    """A source of known length whose frames are decoded in a thread, a few before they are asked for.

    Args:
        source: Of known length. Nobody else reads it meanwhile.
        numbers: The frames that will be asked for, in their order.

    Raises:
        Exception: What reading a frame raises is raised where that frame is asked for.
    """
    ahead = _ReadAhead(source, numbers)
    ahead.start()
    try:
        yield ahead
    finally:
        ahead.close()
