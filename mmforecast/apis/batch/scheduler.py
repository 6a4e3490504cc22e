"""The scheduler: hands units to workers, and outlives units and workers that fail."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from .manifest import Manifest
from .pool import BROKEN, DIED, FRAMES, READY, RESULT, Event, Ledger, Work, WorkerPool
from .progress import Progress
from .states import FAILED, FATAL, LEFT, SPLIT
from .units import Shard, Unit
from .writing import ResultsError

__all__ = ['Scheduler']

_TICK = 0.2  # seconds between looks at the time
# A unit whose process ends so often by itself is failed; so is a batch whose workers cannot start.
_DEATHS = 2
# In the sentence of an error after which a process cannot use its GPU any more.
_BROKEN_GPU = 'CUDA error'


@dataclass
class _Running:
    unit: Work
    begin: float


class Scheduler:
    """Hands the units that are left to workers, and writes down what becomes of each.

    Args:
        pool: The workers.
        num_workers: Their number.
        ledger: Takes down what becomes of units. Units that are split need a :class:`Manifest`, which is open.
        progress: Is told of everything.
        shard: The part of the batch that this command does.
        unit_timeout: Seconds after which a unit is failed; None: never.
        settle: Is called once, with what the first worker says of its model, before any unit.
    """

    def __init__(
        self,
        pool: WorkerPool,
        num_workers: int,
        ledger: Manifest | Ledger,
        progress: Progress,
        shard: Shard | None = None,
        unit_timeout: float | None = None,
        settle: Callable[[dict], object] = lambda built: None,
    ):
        self.pool = pool
        self.num_workers = num_workers
        self.ledger = ledger
        self.progress = progress
        self.shard = shard or Shard()
        self.unit_timeout = unit_timeout
        self.settle = settle
        self._left: deque[Work] = deque()
        self._running: dict[int, _Running] = {}
        self._started: set[int] = set()
        self._idle: set[int] = set()
        self._deaths: Counter[str] = Counter()
        self._false_starts = 0
        self._built: dict | None = None

    def run(self, units: Iterable[Work]) -> None:
        """Do units.

        Raises:
            ChildProcessError: No worker can be started.
            ResultsError: Results cannot be written.
            RuntimeError: The model cannot be built, or a unit ends it, for a reason that nobody expected.
            ValueError: The model cannot be built, or is another one in each process.
        """
        self._left.extend(units)
        while self._left or self._running:
            self._start_workers()
            self._hand_out()
            for event in self.pool.wait(_TICK):
                self._on_event(event)
            self._stop_slow_units()
            self.progress.tick()

    def run_and_close(self, units: Iterable[Work]) -> None:
        """As :meth:`run`; pool and progress are closed at the end, and what is unfinished then is removed."""
        try:
            self.run(units)
        finally:
            self.pool.close()
            self.abandon()
            self.progress.close()

    def abandon(self) -> None:
        """Remove the unfinished files of units whose workers were ended with the pool."""
        for running in self._running.values():
            with suppress(OSError):  # the next command removes them
                self.ledger.discard(running.unit)

    def _start_workers(self) -> None:
        """Start workers, no more than there are units for; a long video becomes many on the way."""
        wanted = min(self.num_workers, len(self._left) + len(self._running))
        for worker in range(self.num_workers):
            if len(self._started) >= wanted:
                return
            if worker not in self._started:
                self._started.add(worker)
                self.pool.start(worker)

    def _stop(self, worker: int) -> Work | None:
        """Forget a worker that is gone, and return the unit that it worked on."""
        self._started.discard(worker)
        self._idle.discard(worker)
        running = self._running.pop(worker, None)
        return running and running.unit

    def _hand_out(self) -> None:
        while self._idle and self._left:
            worker, unit = self._idle.pop(), self._left.popleft()
            self._running[worker] = _Running(unit, time.monotonic())
            self.pool.send(worker, unit)

    def _on_event(self, event: Event) -> None:
        if event.kind == FRAMES:
            self.progress.add_frames(event.value)
        elif event.kind == READY:
            self._on_ready(event.worker, event.value)
        elif event.kind == RESULT:
            self._on_result(self._running.pop(event.worker).unit, event.value)
            if _BROKEN_GPU in event.value.get('sentence', ''):
                self._stop(event.worker)
                self.pool.kill(event.worker)
            else:
                self._idle.add(event.worker)
        elif event.kind == DIED:
            self._on_death(event.worker, event.value)
        elif event.kind == BROKEN:
            trace = event.value.get('traceback')
            if trace is not None:
                raise RuntimeError(f'a worker cannot build the model:\n{trace}')
            raise ValueError(event.value['sentence'])

    def _on_ready(self, worker: int, built: dict) -> None:
        self._false_starts = 0
        if self._built is None:
            self.settle(built)
            self._built = built
            self.progress.start(self.num_workers)
        elif built != self._built:
            differ = [key for key in built if built[key] != self._built.get(key)]
            raise ValueError(
                f'each process builds another model ({", ".join(differ)}): give a checkpoint, since weights '
                'that are drawn at random are others in each'
            )
        self._idle.add(worker)

    def _on_result(self, unit: Work, result: dict) -> None:
        state = result.pop('state')
        if state == FATAL:
            if 'traceback' in result:
                raise RuntimeError(f'{unit.title} cannot be done:\n{result["traceback"]}')
            raise ResultsError(result['sentence'])
        if state == SPLIT:
            self._split(unit, result['units'])
        elif unit.plan_only:
            self.progress.skip()  # it cannot be split, and belongs to another shard
        else:
            self._finish(unit, state, **result)

    def _finish(self, unit: Work, state: str, **more) -> None:
        if state == FAILED:
            self.ledger.discard(unit)
        self.progress.finish(self.ledger.record(unit, state, **more))

    def _split(self, unit: Unit, ends: list) -> None:
        stretches = [unit.stretch(*pair) for pair in ends]
        own = [part for place, part in enumerate(stretches) if self.shard.owns(unit.number, place)]
        if len(stretches) == 1:  # only planned
            self.progress.skip()
            return
        if own:
            changes = [(part, LEFT, {}) for part in own if self.ledger.state(part) is None]
            self.ledger.record_all([*changes, (unit, SPLIT, dict(units=ends))])
        left = [part for part in own if self.ledger.state(part) == LEFT]
        self._left.extendleft(reversed(left))
        self.progress.replace(len(left))

    def _on_death(self, worker: int, reason: str) -> None:
        unit = self._stop(worker)
        if unit is None:
            self._count_false_start(reason)
        else:
            self._blame(unit, reason)

    def _count_false_start(self, reason: str) -> None:
        self._false_starts += 1
        if self._false_starts > _DEATHS * self.num_workers:
            raise ChildProcessError(
                f'processes end before they have begun a unit ({reason}): take fewer --workers where memory '
                'runs out'
            )

    def _blame(self, unit: Work, reason: str) -> None:
        self.ledger.discard(unit)
        self._deaths[unit.name] += 1
        if self._deaths[unit.name] < _DEATHS:
            self._left.appendleft(unit)
        elif unit.plan_only:
            self.progress.skip()
        else:
            sentence = f'the process that worked on {unit.title} ended {_DEATHS} times ({reason})'
            self._finish(unit, FAILED, sentence=sentence)

    def _stop_slow_units(self) -> None:
        if self.unit_timeout is None:
            return
        now = time.monotonic()
        slow = [worker for worker, run in self._running.items() if now - run.begin > self.unit_timeout]
        for worker in slow:
            unit = self._stop(worker)
            self.pool.kill(worker)
            if unit.plan_only:
                self.progress.skip()
            else:
                self.ledger.discard(unit)
                sentence = f'{unit.title} took longer than --unit-timeout, {self.unit_timeout:g} s'
                self._finish(unit, FAILED, sentence=sentence)
