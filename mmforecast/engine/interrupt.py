"""Ctrl-C and SIGTERM as a wish that the training loop fulfils between two iterations."""

import os
import signal
import threading
from typing import Any

from mmengine.logging import print_log

__all__ = ['StopRequest', 'TrainingInterrupted']


class TrainingInterrupted(KeyboardInterrupt):
    """Training stopped because the user asked for it; the message says where it can go on."""


class StopRequest:
    """A context where the first SIGINT or SIGTERM sets :attr:`pending`; the second does as ever.

    Signals can only be caught in the main thread of a process; elsewhere the context does nothing.
    """

    def __init__(self):
        self.pending = False
        self._before = {}
        self._owner = None

    def __enter__(self) -> 'StopRequest':
        if threading.current_thread() is threading.main_thread():
            self._owner = os.getpid()
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *error: Any) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    def _request(self, number: int, frame: Any) -> None:
        if os.getpid() != self._owner:  # a forked worker, which inherited this handler
            if number == signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
            # Ctrl-C reaches the workers too, but the iteration that is to be finished needs them.
            return
        self.pending = True
        self.__exit__()
        print_log(
            f'{signal.Signals(number).name}: will save a checkpoint and stop after this iteration; '
            'once more stops at once.',
            logger='current',
        )
