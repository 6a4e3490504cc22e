"""Files that can't be used are counted and named in one place; dead workers with what they held."""

import json
import os
import re
import signal
import time

import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.hooks import Hook
from mmengine.registry import DATASETS
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from mmforecast.cli.errors import explain
from mmforecast.datasets.corrupt_files import CorruptFileError, CorruptFilePolicy
from mmforecast.engine import DataFaultHook, WorkerDiedError
from mmforecast.engine.data_watch import find_sources

HOOK = {'default_hooks.data_faults': dict(type='mmforecast.DataFaultHook', interval=8)}


@pytest.fixture
def faulty(toy_config):
    """The toy dataset, with files that are corrupt and items that kill who loads them."""
    toy_config('epochs')
    import toy_task

    @DATASETS.register_module(force=True)
    class FaultyDataset(CorruptFilePolicy, toy_task.ToyDataset):
        item_name = 'signal'

        def __init__(self, bad=(), deadly=None, on_corrupt=None, **kwargs):
            self.bad, self.deadly = tuple(bad), deadly
            self.set_on_corrupt(on_corrupt, False)
            self.unreadable = {'left.out': 'has no frame'}
            super().__init__(**kwargs)

        def get_data_info(self, idx):
            return dict(sequence_id='s', frame_indices=[idx, idx + 2], img_paths=[f'{idx}.png', 'z.png'])

        def prepare_data(self, idx):
            if idx == self.deadly and torch.utils.data.get_worker_info():
                os.kill(os.getpid(), signal.SIGKILL)
            if idx not in self.bad:
                return super().prepare_data(idx)
            error = CorruptFileError(f'{idx}.png is corrupt; restore it.', f'{idx}.png')
            if not self.skips(error):
                raise error

    return lambda **options: dict(type='FaultyDataset', _delete_=True, **options)


class Seen(Hook):
    """The items that were trained."""

    def __init__(self):
        self.items = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.items += [int(number) for number in data_batch['data_samples']]


def train(toy_runner, name, folder, dataset, workers, **options):
    seen, warnings = Seen(), []
    options = {
        'train_dataloader.dataset': dataset,
        'train_dataloader.num_workers': workers,
        **options,
    }
    runner = toy_runner(name, folder, {**options, **HOOK}, hooks=[seen])
    runner.logger.warning = warnings.append
    runner.train()
    with open(os.path.join(runner.work_dir, 'corrupt_files.json')) as file:
        return (
            seen.items,
            [text for text in warnings if 'could not be used' in text],
            json.load(file),
        )


@pytest.mark.parametrize('name, reports', [('epochs', 4), ('iters', 3)])
def test_faults_are_counted_and_named_whatever_process_met_them(toy_runner, faulty, name, reports):
    dataset = faulty(bad=[2, 7])
    alone, warnings, counts = train(toy_runner, name, 'alone', dataset, 0)
    several = train(toy_runner, name, 'several', dataset, 2)
    assert several[0] == alone and several[2] == counts and len(alone) == 40
    assert not {2, 7} & set(alone)
    assert counts['left_out'] == {'left.out': 'has no frame'}
    assert set(counts['replaced']) == {'2.png', '7.png'}
    times = {path: entry['times'] for path, entry in counts['replaced'].items()}
    assert all(count >= 4 for count in times.values())  # in each of four passes
    assert len(warnings) == reports
    start = 'Epoch 1' if name == 'epochs' else 'Up to iteration 8'
    assert warnings[0].startswith(f'{start}: 2 files could not be used, and ')
    assert '2.png is corrupt; restore it.' in warnings[0] and 'corrupt_files.json' in warnings[0]
    told = sum(int(text.split(', and ')[1].split()[0]) for text in warnings)
    assert told == sum(times.values())


def test_no_fault_no_word(toy_runner, faulty):
    _, warnings, counts = train(toy_runner, 'epochs', 'run', faulty(), 0)
    assert not warnings and counts['replaced'] == {}


@pytest.mark.parametrize('workers', [0, 2])
def test_fatal_by_config(toy_runner, faulty, workers):
    with pytest.raises(CorruptFileError, match='7.png is corrupt; restore it'):
        train(toy_runner, 'epochs', 'run', faulty(bad=[7], on_corrupt='raise'), workers)


@pytest.mark.slow
def test_wrapped_data_sets_are_counted_too(toy_runner, faulty):
    one, other = (dict(faulty(bad=[bad], size=5), lazy_init=False) for bad in (1, 3))
    for dataset in (one, other):
        dataset.pop('_delete_')
    both = dict(type='ConcatDataset', datasets=[one, dict(type='RepeatDataset', dataset=other, times=1)])
    _, _, counts = train(toy_runner, 'epochs', 'run', dict(both, _delete_=True), 2)
    assert set(counts['replaced']) == {'1.png', '3.png'}


def test_sources_within_wrappers():
    class Plain:
        metainfo = {}

        def full_init(self):
            pass

        def __len__(self):
            return 2

    one, other = Plain(), Plain()
    repeated = RepeatDataset.__new__(RepeatDataset)
    repeated.dataset = other
    both = ConcatDataset.__new__(ConcatDataset)
    both.datasets = [one, repeated]
    assert list(find_sources(both)) == [one, other] and list(find_sources(one)) == [one]


@pytest.mark.parametrize('slow_start', [False, True])
def test_worker_that_dies_is_named_with_its_item(toy_runner, faulty, monkeypatch, slow_start):
    if slow_start:  # the worker dies before torch's iterator is there
        reset = _MultiProcessingDataLoaderIter._reset

        def wait(self, *args, **kwargs):
            reset(self, *args, **kwargs)
            for _ in range(300):
                time.sleep(0.1)  # torch's handler of SIGCHLD raises in it

        monkeypatch.setattr(_MultiProcessingDataLoaderIter, '_reset', wait)
    with pytest.raises(WorkerDiedError) as error:
        train(toy_runner, 'iters', 'run', faulty(deadly=6), 2)
    message = str(error.value)
    # torch notices it in one of two ways
    how = r'of 2 \(process \d+\) (is killed by signal: Killed|exited unexpectedly) '
    assert re.search(how, message)
    assert 'while it loaded item 6, sequence s frames 6 to 8, files 6.png to z.png' in message
    assert 'lower num_workers' in message and explain(error.value) == message


def test_worker_of_another_loop_that_dies(toy_runner, faulty):
    """mmengine's loops don't know the item."""
    plain = {'train_cfg.type': 'EpochBasedTrainLoop', 'train_dataloader.num_workers': 1}
    options = {'train_dataloader.dataset': faulty(deadly=6), **plain, **HOOK}
    with pytest.raises(RuntimeError) as error:
        toy_runner('epochs', options=options).train()
    assert explain(error.value).startswith('A process that loads data died: worker process ')


def test_arguments_are_checked():
    with pytest.raises(ValueError, match='DataFaultHook: interval must be an integer >= 1, got 0'):
        DataFaultHook(interval=0)
