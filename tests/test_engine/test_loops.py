import os
import signal

import pytest
import torch
from mmengine.hooks import Hook

from mmforecast.engine import TrainingInterrupted

RESUME = {'resume': True}
SHUFFLED_PASSES = {'train_dataloader.sampler.type': 'DefaultSampler'}


def weights(runner):
    return {name: value.clone() for name, value in runner.model.state_dict().items()}


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name


def train(runner):
    runner.train()
    return weights(runner)


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize(
    'name, options, killed_after',
    [
        ('epochs', {}, 13),  # in the third epoch of 5
        (
            'epochs',
            {'default_hooks.checkpoint.by_epoch': False, 'default_hooks.checkpoint.interval': 4},
            13,
        ),
        ('iters', {}, 11),
        ('iters', SHUFFLED_PASSES, 11),
    ],
    ids=['epochs', 'epochs-mid-epoch', 'iters', 'iters-finite-sampler'],
)
def test_resumed_run_ends_with_the_same_weights(toy_runner, train_until, name, options, killed_after, workers):
    options = {**options, 'train_dataloader.num_workers': workers}
    uninterrupted = train(toy_runner(name, 'whole', options))
    train_until(killed_after, name, 'cut', options)
    resumed = toy_runner(name, 'cut', {**options, **RESUME})
    assert_same(train(resumed), uninterrupted)
    assert resumed.iter == 20


def test_weights_do_not_depend_on_the_number_of_workers(toy_runner):
    alone = train(toy_runner('iters', 'alone'))
    persistent = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True}
    assert_same(train(toy_runner('iters', 'workers', persistent)), alone)


def test_weights_depend_on_the_seed(toy_runner):
    one, other = (train(toy_runner('iters', f'seed{seed}', {'randomness.seed': seed})) for seed in (0, 1))
    assert not torch.equal(one['layers.0.weight'], other['layers.0.weight'])


def test_mmengines_loop_does_not_resume_exactly(toy_runner, train_until):
    """The toy task notices what the tests above say doesn't happen."""
    plain = {'train_cfg.type': 'EpochBasedTrainLoop'}
    uninterrupted = train(toy_runner('epochs', 'whole', plain))
    train_until(13, 'epochs', 'cut', plain)
    resumed = train(toy_runner('epochs', 'cut', {**plain, **RESUME}))
    assert not torch.equal(resumed['layers.0.weight'], uninterrupted['layers.0.weight'])


def test_a_run_without_a_given_seed_resumes_exactly(toy_runner, train_until, monkeypatch):
    drawn = iter([5, 5, 99])  # the run that is resumed draws another one
    monkeypatch.setattr('mmengine.runner.utils.sync_random_seed', lambda: next(drawn))
    unseeded = {'randomness': dict(seed=None, _delete_=True)}
    uninterrupted = train(toy_runner('iters', 'whole', unseeded))
    train_until(11, 'iters', 'cut', unseeded)
    assert_same(train(toy_runner('iters', 'cut', {**unseeded, **RESUME})), uninterrupted)


class CountItems(Hook):
    """Which items the model saw, in order."""

    def __init__(self):
        self.seen = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen.append([int(number) for number in data_batch['data_samples']])


def test_an_epoch_sees_every_item_once_and_passes_differ(toy_runner):
    count = CountItems()
    toy_runner('iters', options=SHUFFLED_PASSES, hooks=[count]).train()
    passes = [sum(count.seen[first : first + 5], []) for first in range(0, 20, 5)]
    assert all(sorted(numbers) == list(range(10)) for numbers in passes)
    assert len({tuple(numbers) for numbers in passes}) == 4


def test_resuming_loads_no_item_that_was_trained(toy_runner, train_until, monkeypatch):
    train_until(17, 'iters', 'cut')
    runner = toy_runner('iters', 'cut', RESUME)
    loaded, load = [], runner.train_dataloader.dataset.dataset.__class__.prepare_data

    def counting(self, idx):
        loaded.append(idx)
        return load(self, idx)

    monkeypatch.setattr(runner.train_dataloader.dataset.dataset.__class__, 'prepare_data', counting)
    runner._val_loop = None
    runner.train()
    assert len(loaded) == 2 * 4  # batches of 2, iterations 17 to 20


class InterruptHook(Hook):
    """Presses Ctrl-C in an iteration."""

    priority = 'HIGH'

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == 13:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize('name', ['epochs', 'iters'])
def test_ctrl_c_saves_and_goes_on_exactly(toy_runner, tmp_path, name):
    uninterrupted = train(toy_runner(name, 'whole'))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(
        TrainingInterrupted, match='after iteration 13 and saved .*interrupted.pth; continue with'
    ):
        toy_runner(name, 'cut', hooks=[InterruptHook()]).train()
    assert signal.getsignal(signal.SIGINT) is before
    assert (tmp_path / 'cut/last_checkpoint').read_text() == str(tmp_path / 'cut/interrupted.pth')
    resumed = toy_runner(name, 'cut', RESUME)
    assert_same(train(resumed), uninterrupted)


def test_another_batch_size_warns_and_starts_the_epoch_anew(toy_runner, train_until, caplog):
    mid_epoch = {'default_hooks.checkpoint.by_epoch': False, 'default_hooks.checkpoint.interval': 4}
    train_until(13, 'epochs', 'cut', mid_epoch)
    resumed = toy_runner('epochs', 'cut', {**mid_epoch, **RESUME, 'train_dataloader.batch_size': 5})
    warnings = []
    resumed.logger.warning = warnings.append
    resumed.train()
    assert any('epoch_length was 5 and is 2, batch_size was 2 and is 5' in text for text in warnings)
    assert (resumed.epoch, resumed.iter) == (4, 12 + 2 * 2)


def test_epochs_of_another_length_do_not_confuse_the_next_resume(toy_runner, train_until):
    train_until(13, 'epochs', 'cut')
    larger = {**RESUME, 'train_dataloader.batch_size': 5, 'train_cfg.max_epochs': 5}
    train_until(15, 'epochs', 'cut', larger)  # epochs of 2 from iteration 10 on
    resumed = toy_runner('epochs', 'cut', larger)
    resumed.train()
    assert (resumed.epoch, resumed.iter) == (5, 10 + 3 * 2)
