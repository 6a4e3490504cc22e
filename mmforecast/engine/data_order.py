"""Training data as a pure function of (seed, epoch, position), for runs that resume exactly.

mmengine draws random transforms from generators whose state depends on everything drawn before, in
each worker process, and skips data on resuming by loading it. Here every draw of an item carries
its own seed, and a loader can begin at any batch for the price of its indices. The result doesn't
depend on the number of workers either, and only on the whole batch, not on how it is split over
processes.
"""

import itertools
import os
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_dist_info
from torch.utils.data import DataLoader, IterableDataset, Sampler, get_worker_info

from .data_watch import CollateWithFaults, Faults, WorkerDiedError, merge_faults, worker_death
from .interrupt import keep_sigterm_handler

__all__ = [
    'DATA_STREAM',
    'MODEL_STREAM',
    'ResumableBatchSampler',
    'ResumableDataLoader',
    'SeededDataset',
    'SeededIndex',
    'seed_generators',
]

# Streams that never share a key.
DATA_STREAM, MODEL_STREAM, ORDER_STREAM = 1, 2, 3


def seed_generators(stream: int, *key: int) -> None:
    """Seed the global generators of random, numpy and torch from non-negative integers."""
    words = np.random.SeedSequence((stream, *key)).generate_state(4)
    random.seed(words.tobytes())
    np.random.seed(words)
    # torch.manual_seed queues a call with its stack trace for every accelerator that isn't
    # initialized.
    seed = int(words[0]) << 32 | int(words[1])
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


class SeededIndex(int):
    """The index of an item, with the key that its random transforms are seeded from."""

    key: tuple[int, ...]

    def __new__(cls, index: int, key: tuple[int, ...]) -> 'SeededIndex':
        self = super().__new__(cls, index)
        self.key = key
        return self

    def __reduce__(self):  # on its way to a worker process
        return SeededIndex, (int(self), self.key)


class SeededDataset:
    """A dataset that seeds the global generators before it loads an item of a :class:`SeededIndex`.

    In all else it is the dataset it wraps: attributes are read from and written to that one.

    Args:
        dataset: To be wrapped.
        held: (workers, 2) int64 in shared memory, where each worker notes its process and the item that
            it is loading, -1 in between.
    """

    def __init__(self, dataset: Any, held: torch.Tensor | None = None):
        self.__dict__.update(dataset=dataset, held=held)

    def __getitem__(self, index: int) -> Any:
        if isinstance(index, SeededIndex):
            seed_generators(DATA_STREAM, *index.key)
        worker = get_worker_info()
        if self.held is None or worker is None:
            return self.dataset[int(index)]
        self.held[worker.id] = torch.tensor([os.getpid(), int(index)])
        try:
            return self.dataset[int(index)]
        finally:
            self.held[worker.id, 1] = -1

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        # Without a dataset it is just being unpickled in a worker.
        if name.startswith('__') or 'dataset' not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.dataset, name, value)


class ResumableBatchSampler(Sampler):
    """Another batch sampler's batches, from any batch on, as :class:`SeededIndex`.

    Args:
        batch_sampler: Draws its order from its ``sampler``'s seed and epoch, or at once from the
            global generators.
        seed: Of the random transforms; the same in all processes.
        endless: Go on with the next epoch where one ends.

    Raises:
        ValueError: ``batch_sampler`` has no batch.
    """

    def __init__(self, batch_sampler: Any, seed: int, endless: bool = False):
        if len(batch_sampler) == 0:
            raise ValueError(
                'train_dataloader has no batch: the dataset is empty, or smaller than one batch '
                'under drop_last'
            )
        self.batch_sampler = batch_sampler
        self.seed = seed
        self.endless = endless
        self.seek(0, 0)

    @property
    def sampler(self) -> Any:
        """The sampler of single indices below."""
        return self.batch_sampler.sampler

    @property
    def batch_size(self) -> int:
        """Items per batch, in this process."""
        return self.batch_sampler.batch_size

    def seek(self, epoch: int, batch: int) -> None:
        """Begin the next iteration at batch ``batch`` (0-based) after the start of ``epoch``."""
        self.epoch, self.batch = epoch, batch

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[list[SeededIndex]]:
        rank, world_size = get_dist_info()
        skip = self.batch
        for epoch in itertools.count(self.epoch) if self.endless else (self.epoch,):
            seed_generators(ORDER_STREAM, self.seed, epoch)  # for samplers without a seed
            if hasattr(self.sampler, 'set_epoch'):
                self.sampler.set_epoch(epoch)
            # In the order of all processes together: mmengine's samplers deal indices in turn.
            position = rank
            for batch in self.batch_sampler:
                if skip:
                    skip -= 1
                else:
                    yield [
                        SeededIndex(index, (self.seed, epoch, position + number * world_size))
                        for number, index in enumerate(batch)
                    ]
                position += len(batch) * world_size


class ResumableDataLoader(DataLoader):
    """A data loader over a :class:`ResumableBatchSampler`, started with its first batch.

    Args:
        loader: The loader to take over, of a map-style dataset and with a batch size.
        seed: Of order and random transforms where the sampler has no seed of its own.
        endless: See :class:`ResumableBatchSampler`.
    """

    def __init__(self, loader: DataLoader, seed: int, endless: bool = False):
        if loader.batch_sampler is None or isinstance(loader.dataset, IterableDataset):
            raise ValueError(
                'train_dataloader needs a batch_size and a dataset with __getitem__ to be '
                "resumable; train on others with train_cfg type 'mmengine.IterBasedTrainLoop'"
            )
        seed = getattr(loader.batch_sampler.sampler, 'seed', seed)
        held = torch.full((max(loader.num_workers, 1), 2), -1).share_memory_()
        dataset = SeededDataset(loader.dataset, held)
        super().__init__(
            dataset=dataset,
            batch_sampler=ResumableBatchSampler(loader.batch_sampler, seed, endless),
            num_workers=loader.num_workers,
            collate_fn=CollateWithFaults(loader.collate_fn, dataset),
            pin_memory=loader.pin_memory,
            timeout=loader.timeout,
            worker_init_fn=partial(keep_sigterm_handler, loader.worker_init_fn),
            multiprocessing_context=loader.multiprocessing_context,
            generator=loader.generator,
            prefetch_factor=loader.prefetch_factor,
            persistent_workers=loader.persistent_workers,
        )
        self._faults: Faults = {}
        self._batches = self._generate()

    @property
    def seed(self) -> int:
        """What order and random transforms are drawn from."""
        return self.batch_sampler.seed

    def reseed(self, seed: int) -> None:
        """Set :attr:`seed`, before the first batch."""
        self.batch_sampler.seed = seed
        if hasattr(self.batch_sampler.sampler, 'seed'):
            self.batch_sampler.sampler.seed = seed

    def __iter__(self) -> Iterator[Any]:
        self._batches = self._generate()
        return self._batches

    def _generate(self) -> Iterator[Any]:
        # A generator, so that nothing is drawn or started before the run is where it resumes.
        for batch, faults in super().__iter__():
            merge_faults(self._faults, faults)
            yield batch

    def take_faults(self) -> Faults:
        """The faults of the batches since the last call."""
        faults, self._faults = self._faults, {}
        return faults

    def worker_death(self, error: RuntimeError) -> WorkerDiedError | None:
        """Which worker an error of torch is about, and what it was loading; None for other errors."""
        return worker_death(error, self.dataset.held, self.dataset.dataset)

    def stop_workers(self) -> None:
        """End the worker processes. Left to the garbage collector, they take five seconds each."""
        self._batches.close()
        self._iterator = None  # where persistent workers are kept
