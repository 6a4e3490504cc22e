import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler

from mmforecast.engine import data_order
from mmforecast.engine.data_order import (
    ResumableBatchSampler,
    ResumableDataLoader,
    SeededDataset,
    SeededIndex,
    seed_generators,
)


class Draws:
    """Items that show the generators' next numbers."""

    scale = 1

    def __init__(self, size=10):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return index, random.random(), np.random.rand(), float(torch.rand(1))


def draw():
    return random.random(), np.random.rand(), float(torch.rand(1))


def batches(sampler, count=None):
    taken = []
    for batch in sampler:
        taken.append([(int(index), index.key) for index in batch])
        if len(taken) == count:
            break
    return taken


def resumable(sampler_type=DefaultSampler, batch_size=2, size=10, **kwargs):
    sampler = sampler_type(Draws(size), shuffle=True, seed=4)
    return ResumableBatchSampler(BatchSampler(sampler, batch_size, drop_last=False), seed=4, **kwargs)


def test_seeding_determines_all_three_generators():
    seed_generators(1, 2, 3)
    first = draw()
    draw()
    seed_generators(1, 2, 3)
    assert draw() == first
    others = set()
    for key in ((1, 2, 4), (1, 3, 3), (2, 2, 3), (1, 3, 2), (1, 2), (1, 2, 3, 1)):
        seed_generators(*key)
        others.add(draw())
    assert len(others | {first}) == 7
    assert all(ours != theirs for other in others for ours, theirs in zip(first, other))


def test_an_index_keeps_its_key_on_the_way_to_a_worker():
    index = pickle.loads(pickle.dumps(SeededIndex(5, (1, 2, 3))))
    assert index == 5 and index.key == (1, 2, 3)


def test_an_item_is_a_function_of_its_key_alone():
    dataset = SeededDataset(Draws())
    first = dataset[SeededIndex(3, (1, 0, 0))]
    draw()
    assert dataset[SeededIndex(3, (1, 0, 0))] == first
    assert dataset[SeededIndex(3, (1, 0, 1))] != first
    assert dataset[3] != dataset[3]  # a bare index is left alone


def test_seeded_dataset_is_otherwise_the_dataset():
    dataset = SeededDataset(Draws(7))
    assert len(dataset) == 7 and dataset.size == 7
    dataset.scale = 3
    assert dataset.dataset.scale == 3 and pickle.loads(pickle.dumps(dataset)).scale == 3
    with pytest.raises(AttributeError, match='missing'):
        getattr(dataset, 'missing')  # noqa: B009


@pytest.mark.parametrize('sampler_type', [DefaultSampler, InfiniteSampler])
@pytest.mark.parametrize('start', [0, 1, 5, 13])
def test_any_batch_can_be_the_first(sampler_type, start):
    whole = batches(resumable(sampler_type, endless=True), 20)
    sampler = resumable(sampler_type, endless=True)
    sampler.seek(0, start)
    assert batches(sampler, 20 - start) == whole[start:]


def test_one_epoch_from_its_middle():
    sampler = resumable()
    epochs = []
    for epoch in (0, 1):
        sampler.seek(epoch, 0)
        epochs.append(batches(sampler))
    assert sorted(index for batch in epochs[0] for index, _ in batch) == list(range(10))
    assert epochs[0] != epochs[1]
    sampler.seek(1, 3)
    assert batches(sampler) == epochs[1][3:]
    sampler.seek(1, 5)
    assert batches(sampler) == []
    assert [key for batch in epochs[1] for _, key in batch] == [(4, 1, position) for position in range(10)]


def test_a_batch_is_the_same_however_it_is_split(monkeypatch):
    """2 x 2 draws the items of 1 x 4, in the same random transforms."""
    whole = batches(resumable(batch_size=4, size=8))
    parts = []
    for rank in range(2):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 2))
        monkeypatch.setattr(data_order, 'get_dist_info', lambda rank=rank: (rank, 2))
        parts.append(batches(resumable(batch_size=2, size=8)))
    assert len(whole) == len(parts[0]) == 2
    for batch, ours, theirs in zip(whole, *parts):
        assert sorted(batch) == sorted(ours + theirs)


def test_order_of_a_sampler_without_a_seed_is_positioned_too():
    def sampler():
        return ResumableBatchSampler(BatchSampler(RandomSampler(range(10)), 2, False), seed=4)

    whole = batches(sampler())
    rest = sampler()
    rest.seek(0, 2)
    assert batches(rest) == whole[2:]
    rest.seek(1, 0)
    assert batches(rest) != whole


def test_loader_yields_the_same_with_workers_and_without():
    def items(workers):
        loader = DataLoader(
            Draws(),
            3,
            sampler=DefaultSampler(Draws(), seed=1),
            num_workers=workers,
            collate_fn=list,
        )
        loader = ResumableDataLoader(loader, seed=0)
        taken = list(loader)
        loader.stop_workers()
        return taken

    assert items(0) == items(2)


def test_loader_takes_the_samplers_seed_and_another():
    loader = ResumableDataLoader(DataLoader(Draws(), 2, sampler=DefaultSampler(Draws(), seed=7)), seed=0)
    assert loader.seed == 7 and len(loader) == 5
    loader.reseed(9)
    assert loader.seed == loader.batch_sampler.sampler.seed == 9
    assert ResumableDataLoader(DataLoader(Draws(), 2), seed=5).seed == 5


def test_what_cannot_be_positioned_is_refused():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(range(3))

    for loader in (DataLoader(Draws(), batch_size=None), DataLoader(Stream(), batch_size=1)):
        with pytest.raises(ValueError, match='mmengine.IterBasedTrainLoop'):
            ResumableDataLoader(loader, seed=0)
    with pytest.raises(ValueError, match='no batch.*smaller than one batch'):
        ResumableDataLoader(DataLoader(Draws(3), 4, drop_last=True), seed=0)
