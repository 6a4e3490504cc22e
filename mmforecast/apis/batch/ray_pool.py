"""Workers as actors of a Ray cluster."""

import logging
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .failures import failure
from .pool import BROKEN, DIED, FRAMES, READY, RESULT, Event, Work

__all__ = ['RayPool', 'connect', 'require_ray']

_LOCAL = 'local'


def require_ray() -> ModuleType:
    """The module ``ray``.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import ray
        from ray import remote  # noqa: F401  a folder called ray, as Ray makes one in /tmp, can be imported, too
    except ImportError as error:
        raise ImportError(
            "--ray needs Ray, which is not installed: pip install ray, or pip install 'mmforecast[ray]'; "
            '--workers needs nothing'
        ) from error
    return ray


def connect(address: str) -> dict[str, float]:
    """Connect to a cluster, and return its resources ('CPU', 'GPU', ...).

    Args:
        address: Of a running cluster; 'auto' for the one that this machine is part of, 'local' to start one
            that ends with this process.

    Raises:
        ConnectionError: There is no such cluster.
        ImportError: Ray is not installed.
    """
    ray = require_ray()
    if not ray.is_initialized():
        quiet = dict(logging_level=logging.ERROR, log_to_driver=False)
        try:
            if address == _LOCAL:  # without it, Ray would join a cluster that this machine is part of
                ray.init(_LOCAL, include_dashboard=False, **quiet)
            else:
                ray.init(address, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConnectionError(
                f'no Ray cluster answers at {address!r} ({str(error).splitlines()[0]}): start one by '
                f"`ray start --head`, give its address, or '{_LOCAL}' for one on this machine alone"
            ) from error
    return ray.cluster_resources()


class RayPool:
    """A :class:`~.pool.WorkerPool` of actors; :func:`connect` comes first.

    All machines see the inputs, the output folder and this package at the same paths.

    Args:
        build: Makes the worker of a number, in its own process; it can be pickled.
        threads: Threads of each.
        gpus: GPUs of each.
        environment: Variables that their processes need.
        processors: What each occupies of its machine; None: one per thread.
    """

    def __init__(
        self,
        build: Callable[[int], Callable],
        threads: int = 1,
        gpus: int = 0,
        environment: dict[str, str] | None = None,
        processors: float | None = None,
    ):
        self._ray = require_ray()
        self._build = build
        variables = {'OMP_NUM_THREADS': str(threads), **(environment or {})}
        self._class = self._ray.remote(
            num_cpus=threads if processors is None else processors,
            num_gpus=gpus,
            max_restarts=0,
            runtime_env=dict(env_vars=variables),
        )(_Actor)
        self._actors: dict[int, Any] = {}
        self._tasks: dict[Any, tuple[int, str]] = {}

    def start(self, worker: int) -> None:
        """Begin to start a worker; its first event is 'ready', 'broken' or 'died'."""
        actor = self._class.remote(self._build, worker, os.getcwd())
        self._actors[worker] = actor
        self._tasks[actor.begin.remote()] = worker, READY

    def send(self, worker: int, unit: Work) -> None:
        """Let a worker that is ready do a unit."""
        self._tasks[self._actors[worker].do.remote(unit)] = worker, RESULT

    def wait(self, seconds: float) -> list[Event]:
        """The events that have come, after at most so many seconds."""
        if not self._tasks:
            return []
        self._ray.wait(list(self._tasks), timeout=seconds)
        ready, _ = self._ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=0)
        return [event for task in ready for event in self._events(task)]

    def kill(self, worker: int) -> None:
        """End a worker at once, without an event."""
        self._forget(worker)

    def close(self) -> None:
        """End all workers, and the connection to the cluster."""
        for worker in list(self._actors):
            self._forget(worker)
        self._ray.shutdown()

    def _events(self, task) -> list[Event]:
        worker, kind = self._tasks.pop(task)
        try:
            value = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            self._forget(worker)
            return [Event(worker, DIED, _reason(error))]
        if kind == READY:
            return [Event(worker, *value)]
        return [Event(worker, FRAMES, value.get('frames', 0)), Event(worker, RESULT, value)]

    def _forget(self, worker: int) -> None:
        actor = self._actors.pop(worker)
        self._tasks = {task: owner for task, owner in self._tasks.items() if owner[0] != worker}
        self._ray.kill(actor)


class _Actor:
    """A worker in a process of Ray.

    Args:
        build: Makes it.
        number: Its number.
        folder: Where relative paths begin.
    """

    def __init__(self, build: Callable[[int], Callable], number: int, folder: str):
        os.chdir(folder)
        try:
            self._work = build(number)
        except Exception as error:
            self._begun = BROKEN, failure(error, getattr(build, 'keywords', {}).get('explain'))
        else:
            self._begun = READY, self._work.built

    def begin(self) -> tuple[str, dict]:
        """The kind and the value of the first event."""
        return self._begun

    def do(self, unit: Work) -> dict:
        """The result of a unit."""
        return self._work(unit)


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(':.') if lines else type(error).__name__
