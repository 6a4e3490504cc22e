"""Extraction of representations by several processes: each sequence is a unit of work."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from mmforecast.datasets import CorruptFrameError, Level, StoreWriter
from mmforecast.datasets.representation_store.files import read_index, write_array
from mmforecast.fileio.atomic import remove_leftovers

from .batch.failures import failure
from .batch.progress import Progress
from .batch.scheduler import Scheduler
from .batch.states import DONE, FAILED, FATAL
from .batch.units import Shard
from .batch.workers import open_pool, settle_process
from .extract import (
    Extractor,
    name_sources,
    open_store,
    owned_sequences,
    print_sizes,
    sequences_in_use,
)
from .extract_frames import SequenceFrames
from .extract_job import ExtractionJob

__all__ = ['extract_by_workers']


def extract_by_workers(
    job: ExtractionJob,
    workers: int | None = None,
    threads: int | None = None,
    ray: str | None = None,
    shard: Shard | None = None,
    unit_timeout: float | None = None,
    explain: Callable[[BaseException], str | None] | None = None,
) -> dict[str, dict]:
    """Extract by processes that load the network once each; stores are those of one process, byte for byte.

    Args:
        job: What is extracted.
        workers: As for :func:`~.batch.workers.open_pool`.
        threads: As for :func:`~.batch.workers.open_pool`.
        ray: As for :func:`~.batch.workers.open_pool`.
        shard: The part of each split's sequences to write, where other commands write the others.
        unit_timeout: Seconds after which a sequence is left out.
        explain: Makes a sentence of an error, or None; it can be pickled.

    Returns:
        By split, ``written``, ``kept`` and ``corrupt`` as of :func:`extract_representations`.

    Raises:
        ChildProcessError: No worker can be started.
        OSError: A store cannot be written.
        RuntimeError: A worker meets an error that nobody expected.
        ValueError: As of :func:`extract_representations`.
    """
    parts = {split: _part_of(job, split) for split in job.splits}
    units = [
        SequenceUnit(split, name)
        for split, part in parts.items()
        for name in owned_sequences(part.sequences, shard)
    ]
    stores = _Stores(job, parts, shard)
    pool, count = open_pool(partial(build_worker, job=job, explain=explain), workers, threads, ray)
    progress = Progress(len(units))
    scheduler = Scheduler(pool, count, stores, progress, shard, unit_timeout, stores.open)
    scheduler.run_and_close(units)
    return stores.finish()


@dataclass(frozen=True)
class SequenceUnit:
    """A sequence of a split, which one process encodes."""

    split: str
    sequence: str
    plan_only: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """Unlike that of any other unit."""
        return f'{self.split}/{self.sequence}'

    @property
    def title(self) -> str:
        """What sentences call it."""
        return f'sequence {self.sequence} of {self.split}'


@dataclass(frozen=True)
class _Part:
    """A split.

    Attributes:
        sequences: Those with a frame to extract, by id.
        source: The data sets that they are of, for the manifest of the store.
    """

    sequences: dict[str, SequenceFrames]
    source: str


def _part_of(job: ExtractionJob, split: str) -> _Part:
    dataset = job.build_dataset(split)
    return _Part(sequences_in_use(dataset), name_sources(dataset))


class _Stores:
    """The stores of a job, one per split; the ledger of its scheduler.

    Workers write the arrays. Everything else, the indexes and manifests, is written here alone.

    Args:
        job: What is extracted.
        parts: Its splits.
        shard: The part of each split's sequences that is written; None for all.
    """

    def __init__(self, job: ExtractionJob, parts: dict[str, _Part], shard: Shard | None):
        self.job = job
        self.parts = parts
        self.shard = shard
        self.writers: dict[str, StoreWriter] = {}
        self._written = dict.fromkeys(parts, 0)
        self._kept = dict.fromkeys(parts, 0)
        self._corrupt: dict[str, dict[str, str]] = {split: {} for split in parts}

    def open(self, built: dict) -> None:
        """Print the sizes and begin, once a worker has said what its network makes.

        Args:
            built: As of :attr:`ExtractionWorker.built`.

        Raises:
            StoreError: A store holds other representations, or the disk is too small.
        """
        for split, part in self.parts.items():
            levels = [Level(*level) for level in built['levels'][split]]
            names, root = built['names'], self.job.root(split)
            print(f'{split}:')
            print_sizes(levels, names, part.sequences, root)
            self.writers[split] = open_store(
                root,
                self.job.model,
                built['weights'],
                levels,
                names,
                part.source,
                part.sequences,
                self.shard,
            )

    def record(self, unit: SequenceUnit, state: str, **more) -> dict:
        """Name the arrays of a sequence in the index, or remember why there are none.

        Args:
            unit: The sequence.
            state: 'done' or 'failed'.
            more: The rest of what :class:`ExtractionWorker` returns.

        Returns:
            What the progress prints.
        """
        if state == FAILED:
            self._corrupt[unit.split][unit.sequence] = more['sentence']
        else:
            names = self.parts[unit.split].sequences[unit.sequence].names
            for level in more['levels']:
                self.writers[unit.split].enter(level, unit.sequence, names)
            self._written[unit.split] += bool(more['levels'])
            self._kept[unit.split] += not more['levels']
        return dict(unit=unit.name, state=state, **more)

    def discard(self, unit: SequenceUnit) -> None:
        """Remove what a process has left of a sequence."""
        if unit.split in self.writers:
            root = self.job.root(unit.split)
            for level in self.writers[unit.split].manifest.level_names:
                remove_leftovers(os.path.join(root, 'data', level), f'{unit.sequence}.npy'.__eq__)

    def finish(self) -> dict[str, dict]:
        """Bring the indexes to their order, and say what was done, by split."""
        for writer in self.writers.values():
            writer.finish()
        return {
            split: dict(
                written=self._written[split],
                kept=self._kept[split],
                corrupt=[
                    self._corrupt[split][name] for name in part.sequences if name in self._corrupt[split]
                ],
            )
            for split, part in self.parts.items()
        }


def build_worker(
    number: int, job: ExtractionJob, num_gpus: int = 0, threads: int = 1, explain: Callable | None = None
) -> 'ExtractionWorker':
    """The worker of a process of its own; arguments as for :func:`~.batch.worker.build_worker`."""
    return ExtractionWorker(job, settle_process(number, num_gpus, threads), explain)


class ExtractionWorker:
    """Encodes sequences with one network, which it loads once, and writes their arrays.

    Args:
        job: What is extracted.
        device: Of the network.
        explain: Makes a sentence of an error, or None where a traceback is needed.
    """

    def __init__(self, job: ExtractionJob, device: str | None = None, explain: Callable | None = None):
        self.job = job
        self.explain = explain
        encoder = job.build_encoder(device)
        self.extractors = {
            split: Extractor(encoder, job.build_dataset(split), job.levels, job.chunk) for split in job.splits
        }
        self._index = {split: read_index(job.root(split)) for split in job.splits}

    @property
    def built(self) -> dict:
        """What its network makes: of each split the name and the shape of each level."""
        first = next(iter(self.extractors.values()))
        return dict(
            weights=first.weights,
            names=first.names,
            levels={
                split: [(level.name, level.shape) for level in extractor.levels]
                for split, extractor in self.extractors.items()
            },
        )

    def __call__(self, unit: SequenceUnit, report: Callable[[int], None] = lambda frames: None) -> dict:
        """Write the arrays of a sequence that the store lacks.

        Returns:
            ``state``: 'done', with ``levels``, the names of those that were written, and ``frames``; 'failed'
            or 'fatal', with ``sentence``.
        """
        try:
            return self._do(unit, report)
        except CorruptFrameError as error:
            return dict(state=FAILED, sentence=str(error))
        except Exception as error:  # it is not about the sequence
            return dict(failure(error, self.explain), state=FATAL)

    def _do(self, unit: SequenceUnit, report: Callable[[int], None]) -> dict:
        """Write the levels of a sequence that the index does not name."""
        extractor, index = self.extractors[unit.split], self._index[unit.split]
        names = extractor.work[unit.sequence].names
        missing = [
            level for level in extractor.names if not set(names) <= set(index.get((level, unit.sequence), ()))
        ]
        if missing:
            shapes = {level.name: level for level in extractor.levels}
            for level, array in extractor.compute(unit.sequence, missing).items():
                write_array(self.job.root(unit.split), shapes[level], unit.sequence, len(names), array)
            report(len(names))
        return dict(state=DONE, levels=missing, frames=len(names) if missing else 0)
