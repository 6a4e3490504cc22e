"""The runs of a comparison by several processes: an entry and a horizon are a unit of work."""

import copy
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from mmengine.logging import MMLogger

from .batch.failures import failure
from .batch.progress import Progress
from .batch.scheduler import Scheduler
from .batch.states import DONE, FAILED, FATAL
from .batch.workers import open_pool, settle_process
from .compare import Entry, Run, RunAll, start_run

__all__ = ['run_by_workers']


def run_by_workers(
    workers: int, threads: int | None = None, explain: Callable[[BaseException], str | None] | None = None
) -> RunAll:
    """For :func:`~.compare.compare`: runs by processes of this machine, with scores of one, to the last bit.

    They are those of one process with as many threads. ``on_sample`` must have ``merge(other)``: each run has
    a copy of it in its process, and these are merged in the order of the runs.

    Args:
        workers: Processes.
        threads: Of each; by default its share of the cores.
        explain: Makes a sentence of an error, or None; it can be pickled.

    Raises:
        ChildProcessError: A process ends by itself, twice for one run.
        OSError: A run fails for a reason that is explained.
        RuntimeError: A run fails for a reason that nobody expected.
    """

    def run_all(
        entries: Sequence[Entry], jobs: Sequence[tuple[int, int]], on_sample: Callable | None
    ) -> Iterator[Run]:
        units = [RunUnit(place, steps, entries[place].name) for place, steps in jobs]
        runs = _Runs()
        build = partial(build_worker, entries=list(entries), on_sample=on_sample, explain=explain)
        pool, count = open_pool(build, workers, threads, has_children=True)
        progress = Progress(len(units))
        Scheduler(pool, count, runs, progress).run_and_close(units)
        for unit in units:
            run, scores, collected = pickle.loads(runs.found[unit.name])
            if on_sample is not None and collected is not None:
                on_sample.merge(collected)
            run.scores = lambda scores=scores: scores
            yield run

    return run_all


@dataclass(frozen=True)
class RunUnit:
    """A run of a comparison."""

    place: int
    steps: int
    method: str
    plan_only: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """Unlike that of any other unit."""
        return f'{self.place}-{self.steps}'

    @property
    def title(self) -> str:
        """What sentences call it."""
        return f'{self.method}, {self.steps} steps'


class _Runs:
    """What runs have found, by the names of their units; the ledger of the scheduler."""

    def __init__(self):
        self.found: dict[str, bytes] = {}

    def record(self, unit: RunUnit, state: str, **more) -> dict:
        if state == FAILED:
            raise ChildProcessError(more['sentence'])
        self.found[unit.name] = more['run']
        return dict(unit=unit.title, state=state)

    def discard(self, unit: RunUnit) -> None:
        """Runs leave nothing."""


def build_worker(
    number: int,
    entries: list[Entry],
    on_sample: Callable | None = None,
    num_gpus: int = 0,
    threads: int = 1,
    explain: Callable | None = None,
) -> 'RunWorker':
    """The worker of a process of its own; arguments as for :func:`~.batch.worker.build_worker`."""
    device = settle_process(number, num_gpus, threads)
    MMLogger.get_current_instance().setLevel('WARNING')
    if device is not None:
        torch.cuda.set_device(device)
    return RunWorker(entries, on_sample, explain)


class RunWorker:
    """Does runs.

    Args:
        entries: Of the comparison.
        on_sample: As for :func:`~.compare.compare`; each run has a copy.
        explain: Makes a sentence of an error, or None where a traceback is needed.
    """

    built: dict = {}

    def __init__(
        self, entries: list[Entry], on_sample: Callable | None = None, explain: Callable | None = None
    ):
        self.entries = entries
        self.on_sample = on_sample
        self.explain = explain

    def __call__(self, unit: RunUnit, report: Callable[[int], None] = lambda frames: None) -> dict:
        """Do a run.

        Returns:
            ``state``: 'done', with ``run``, a pickled tuple of the :class:`~.compare.Run`, its scores and the
            copy of ``on_sample``; or 'fatal', with ``sentence``.
        """
        collected = copy.deepcopy(self.on_sample)
        try:
            run = start_run(self.entries[unit.place], unit.steps, collected)
            scores = {} if run.error is not None else run.scores()
        except Exception as error:
            return dict(failure(error, self.explain), state=FATAL)
        run.scores = dict
        # pickled here: tensors would be sent as handles of memory that ends with this process
        return dict(state=DONE, run=pickle.dumps((run, scores, collected)))
