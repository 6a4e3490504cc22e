"""Files that are drawn and written in a thread of their own, while the network works on the next forecast."""

import threading
from queue import Queue

from .files import ForecastFiles
from .results import Forecast

__all__ = ['BackgroundFiles']

_WAITING = 3  # forecasts


class BackgroundFiles:
    """Passes forecasts on to files in a thread; a context manager, with the files as those of its end.

    Whoever calls computes what is to be computed of a forecast, such as its visibility, before it is added:
    nothing is computed twice then.

    Args:
        files: What the forecasts are written to, in the order in which they were added.

    Raises:
        Exception: What writing raises is raised by the next ``add``, or at the end.
    """

    def __init__(self, files: ForecastFiles):
        self._files = files
        self._queue: Queue[Forecast | None] = Queue(_WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='forecast files', daemon=True)

    def __enter__(self) -> 'BackgroundFiles':
        self._files.__enter__()
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._queue.put(None)
        self._thread.join()  # forecasts that were added are written, after an interruption too
        if kind is None and self._error is not None:
            error = self._error
            self._files.__exit__(type(error), error, error.__traceback__)
            raise error
        self._files.__exit__(kind, error, trace)

    @property
    def paths(self) -> list[str]:
        """What was written, complete after the end."""
        return self._files.paths

    def add(self, forecast: Forecast) -> None:
        """Let a forecast be written; waits while several others are waiting."""
        if self._error is not None:
            raise self._error
        self._queue.put(forecast)

    def _run(self) -> None:
        while (forecast := self._queue.get()) is not None:
            if self._error is not None:
                continue  # nobody waits for room in the queue
            try:
                self._files.add(forecast)
            except BaseException as error:  # it belongs to whoever adds forecasts
                self._error = error
