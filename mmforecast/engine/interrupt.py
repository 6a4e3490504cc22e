"""Graceful shutdown: SIGINT and SIGTERM stop training after the current iteration."""

import mmap
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from mmengine.logging import print_log

__all__ = ['StopRequest', 'TrainingInterrupted', 'keep_sigterm_handler']


_RUNNING, _ASKED, _OVER = range(3)


class TrainingInterrupted(KeyboardInterrupt):
    """Training stopped because the user asked for it; the message says how to resume it."""


def keep_sigterm_handler(worker_init_fn: Callable[[int], None] | None, worker_id: int) -> None:
    """Start a worker of a data loader: torch has put its own handler in the place of an inherited one."""
    handler = signal.getsignal(signal.SIGTERM)  # Python still knows that
    if isinstance(getattr(handler, '__self__', None), StopRequest):
        signal.signal(signal.SIGTERM, handler)
    if worker_init_fn is not None:
        worker_init_fn(worker_id)


class StopRequest:
    """A context where the first SIGINT or SIGTERM sets :attr:`pending`; the second does as ever.

    Signals can only be caught in the main thread of a process; elsewhere the context does nothing.

    Batch systems, and Ctrl-C, signal the forked workers that load data as well, but the iteration that is to
    be finished needs them: they keep running if their parent was asked to stop too.

    Attributes:
        grace: Seconds that a worker waits after a SIGTERM to see whether its parent got one.
    """

    grace = 10.0

    def __init__(self):
        self._state = mmap.mmap(-1, 1)  # shared with forked workers
        self._spared = False
        self._before = {}
        self._owner = None

    @property
    def pending(self) -> bool:
        """Whether this process, or the one that a worker was forked from, was asked to stop."""
        return self._state[0] == _ASKED

    def __enter__(self) -> 'StopRequest':
        if threading.current_thread() is threading.main_thread():
            self._owner = os.getpid()
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *error: Any) -> None:
        if not self.pending:
            self._state[0] = _OVER
        while self._before:
            signal.signal(*self._before.popitem())

    def _request(self, number: int, frame: Any) -> None:
        if os.getpid() != self._owner:  # a forked worker, which inherited this handler
            if number == signal.SIGTERM and not self._spare():
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
            return
        self._state[0] = _ASKED
        self.__exit__()
        print_log(
            f'{signal.Signals(number).name}: will save a checkpoint and stop after this iteration; '
            'once more stops at once.',
            logger='current',
        )

    def _spare(self) -> bool:
        """Whether this worker outlives its first SIGTERM, since its parent was asked to stop as well."""
        waits_until = time.monotonic() + self.grace
        while self._state[0] == _RUNNING and time.monotonic() < waits_until:
            time.sleep(0.02)  # the parent hears of it between two operations
        first, self._spared = not self._spared, True
        return first and self.pending
