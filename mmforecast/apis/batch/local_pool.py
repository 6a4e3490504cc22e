"""Worker processes on this machine."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait

from .failures import failure
from .pool import BROKEN, DIED, FRAMES, READY, RESULT, Event, Work

__all__ = ['LocalPool', 'available_cores']

# Libraries read these when they are loaded.
_THREAD_VARIABLES = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')
_GRACE = 5  # seconds that a process has to end


def available_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


class LocalPool:
    """A :class:`~.pool.WorkerPool` of fresh processes, which end with the one that started them.

    Args:
        build: Makes the worker of a number, in its own process; it can be pickled.
        threads: Threads of each.
        daemon: Whether they start no processes of their own.
    """

    def __init__(self, build: Callable[[int], Callable], threads: int = 1, daemon: bool = True):
        self._build = build
        self._daemon = daemon
        self._threads = threads
        self._context = multiprocessing.get_context('spawn')
        self._workers: dict[int, tuple[multiprocessing.Process, Connection]] = {}

    def start(self, worker: int) -> None:
        """Begin to start a worker; its first event is 'ready', 'broken' or 'died'."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._build, worker), daemon=self._daemon)
        with _thread_variables(self._threads):
            process.start()
        theirs.close()
        self._workers[worker] = process, ours

    def send(self, worker: int, unit: Work) -> None:
        """Let a worker that is ready do a unit."""
        with suppress(OSError):  # it has died; its event is on the way
            self._workers[worker][1].send(unit)

    def wait(self, seconds: float) -> list[Event]:
        """The events that have come, after at most so many seconds."""
        numbers = {pipe: worker for worker, (_, pipe) in self._workers.items()}
        events = []
        for pipe in wait(list(numbers), seconds):
            worker = numbers[pipe]
            try:
                events.append(Event(worker, *pipe.recv()))
            except (EOFError, OSError):
                events.append(Event(worker, DIED, self._gone(worker)))
        return events

    def kill(self, worker: int) -> None:
        """End a worker at once, without an event."""
        process, pipe = self._workers.pop(worker)
        process.kill()
        process.join(_GRACE)
        pipe.close()

    def close(self) -> None:
        """End all workers."""
        for process, _ in self._workers.values():
            process.kill()  # results are written by now, or in files that have no name yet
        for worker in list(self._workers):
            self.kill(worker)

    def processes(self) -> dict[int, int]:
        """Process ids of the workers."""
        return {worker: process.pid for worker, (process, _) in self._workers.items()}

    def _gone(self, worker: int) -> str:
        """Why a process has ended."""
        process, pipe = self._workers.pop(worker)
        process.join(_GRACE)
        if process.is_alive():  # it has closed its pipe and does not end
            process.kill()
            process.join()
        pipe.close()
        return describe_exit(process.exitcode)


def describe_exit(code: int) -> str:
    """A few words on the exit code of a process, as Python gives it."""
    if code >= 0:
        return f'exit status {code}'
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f'signal {-code}'
    return f'{name}, as where memory runs out' if name == 'SIGKILL' else name


@contextmanager
def _thread_variables(threads: int) -> Iterator[None]:
    """The environment of processes that are started in the block."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# The process of a worker.


def _serve(pipe: Connection, build: Callable, worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    _end_with_parent()
    os.dup2(2, 1)  # what libraries print is none of the command's output
    try:
        work = build(worker)
    except Exception as error:
        explain = getattr(build, 'keywords', {}).get('explain')
        pipe.send((BROKEN, failure(error, explain)))
        return
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the pool is closed
        pipe.send((READY, work.built))
        while True:
            result = work(pipe.recv(), lambda frames: pipe.send((FRAMES, frames)))
            pipe.send((RESULT, result))


def _end_with_parent() -> None:
    """End this process when the one that started it ends, whatever this one is doing."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
