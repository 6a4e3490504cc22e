"""What a scheduler sees of workers, wherever they run."""

from typing import Any, NamedTuple, Protocol

__all__ = ['BROKEN', 'DIED', 'FRAMES', 'READY', 'RESULT', 'Event', 'Ledger', 'Work', 'WorkerPool']

READY, BROKEN, FRAMES, RESULT, DIED = 'ready', 'broken', 'frames', 'result', 'died'


class Event(NamedTuple):
    """What happened to a worker.

    Attributes:
        worker: Its number.
        kind: 'ready', when its model is loaded; 'broken', when that cannot be done; 'frames', as work goes
            on; 'result', at the end of a unit; 'died', when its process is gone by itself.
        value: What the worker says of its model; the result of :func:`~.worker.failure`; a number of frames;
            the result of a unit; a few words on the end of the process.
    """

    worker: int
    kind: str
    value: Any


class Work(Protocol):
    """A unit of work, which one process does; it can be pickled.

    Attributes:
        name: Unlike that of any other unit.
        title: What sentences call it.
        plan_only: Only say how it is split.
    """

    name: str
    title: str
    plan_only: bool


class Ledger(Protocol):
    """Takes down what becomes of units."""

    def record(self, unit: Work, state: str, **more) -> dict:
        """Write the state of a unit, 'done' or 'failed', with what its worker says of it.

        Returns:
            What :class:`~.progress.Progress` prints of it, ``state`` among it.
        """

    def discard(self, unit: Work) -> None:
        """Remove what a process has left of a unit that it did not finish."""


class WorkerPool(Protocol):
    """Workers with numbers from 0. One that is killed or has died is gone until it is started again."""

    def start(self, worker: int) -> None:
        """Begin to start a worker; its first event is 'ready', 'broken' or 'died'."""

    def send(self, worker: int, unit: Work) -> None:
        """Let a worker that is ready do a unit."""

    def wait(self, seconds: float) -> list[Event]:
        """The events that have come, after at most so many seconds."""

    def kill(self, worker: int) -> None:
        """End a worker at once, without an event."""

    def close(self) -> None:
        """End all workers."""
