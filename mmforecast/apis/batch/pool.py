"""What a scheduler sees of workers, wherever they run."""

from typing import Any, NamedTuple, Protocol

from .units import Unit

__all__ = ['BROKEN', 'DIED', 'FRAMES', 'READY', 'RESULT', 'Event', 'WorkerPool']

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


class WorkerPool(Protocol):
    """Workers with numbers from 0. One that is killed or has died is gone until it is started again."""

    def start(self, worker: int) -> None:
        """Begin to start a worker; its first event is 'ready', 'broken' or 'died'."""

    def send(self, worker: int, unit: Unit) -> None:
        """Let a worker that is ready do a unit."""

    def wait(self, seconds: float) -> list[Event]:
        """The events that have come, after at most so many seconds."""

    def kill(self, worker: int) -> None:
        """End a worker at once, without an event."""

    def close(self) -> None:
        """End all workers."""
