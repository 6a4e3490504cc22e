"""Reading ahead: frames are decoded in a thread of their own while the network works."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Full, Queue, SimpleQueue

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
        self._ended: threading.Event | None = None

    def __getattr__(self, name: str):
        return getattr(self._source, name)

    def read(self, numbers: Sequence[int]) -> np.ndarray:
        """(T, H, W, 3) uint8 RGB of the next frames, which must have these numbers."""
        frames = [self._next(number) for number in numbers]
        return frames[0][None] if len(frames) == 1 else np.stack(frames)

    def start(self) -> None:
        self._ended = _in_thread(self._run)

    def close(self) -> None:
        self._closed.set()
        self._ended.wait()

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


class _Thread:
    """A thread that does one piece of work after another, and is idle in between."""

    # Those that are kept for the next video: memory that a new thread allocates comes from another arena of
    # the heap each time, and after a thousand videos all arenas are full of holes.
    idle: list['_Thread'] = []

    def __init__(self):
        self._work: SimpleQueue = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def submit(self, work: Callable[[], None]) -> threading.Event:
        ended = threading.Event()
        self._work.put((work, ended))
        return ended

    def _run(self) -> None:
        while True:
            work, ended = self._work.get()
            work()
            del work
            self.idle.append(self)
            ended.set()
            del ended


def _in_thread(work: Callable[[], None]) -> threading.Event:
    """Let an idle thread, or a new one, do work that raises nothing; the event is set at its end."""
    try:
        thread = _Thread.idle.pop()
    except IndexError:
        thread = _Thread()
    return thread.submit(work)


os.register_at_fork(after_in_child=_Thread.idle.clear)  # a forked process has none of the threads
