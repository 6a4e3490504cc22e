import errno
import os
from functools import partial

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer

from mmforecast.engine import ForecastCheckpointHook
from mmforecast.fileio import CheckpointError, atomic

SAVE = 'default_hooks.checkpoint'
EPOCHS = partial('epoch_{}.pth'.format)


def checkpoints(folder):
    return {name for name in os.listdir(folder) if name.endswith('.pth')}


class FullDisk:
    """Writes files, fails while the disk is full, and notes what was there at each write."""

    def __init__(self, monkeypatch, folder, full=()):
        self.full, self.folder, self.writes, self.there = set(full), folder, 0, []
        self.write = atomic._write
        monkeypatch.setattr(atomic, '_write', self)

    def __call__(self, handle, data):
        if handle.name.endswith(f'.pth.{os.getpid()}.partial'):
            self.writes += 1
            self.there.append(checkpoints(self.folder))
            if self.writes in self.full:
                handle.write(data[:10])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.write(handle, data)


def test_checkpoint_is_plain_and_says_where_the_run_is(toy_runner, tmp_path):
    toy_runner('epochs').train()
    path = tmp_path / 'run/epoch_4.pth'
    assert checkpoints(tmp_path / 'run') == {'epoch_4.pth'}
    assert (tmp_path / 'run/last_checkpoint').read_text() == str(path)
    checkpoint = torch.load(path, weights_only=True)  # torch's reader alone
    assert (
        checkpoint['meta']['epoch'],
        checkpoint['meta']['iter'],
        checkpoint['meta']['seed'],
    ) == (4, 20, 3)
    assert 'optimizer' in checkpoint and 'param_schedulers' in checkpoint


def test_log_history_is_resumed(toy_runner):
    first = toy_runner('epochs')
    first.train()
    resumed = toy_runner('epochs', options={'resume': True, 'train_cfg.max_epochs': 5})
    resumed.train()
    losses = resumed.message_hub.get_scalar('train/loss')
    assert isinstance(losses, HistoryBuffer)
    assert losses.data[0][:20].tolist() == first.message_hub.get_scalar('train/loss').data[0].tolist()
    assert len(losses.data[0]) == 25


def test_old_checkpoint_goes_only_after_the_new_one_is_there(toy_runner, tmp_path, monkeypatch):
    disk = FullDisk(monkeypatch, tmp_path / 'run')
    toy_runner('epochs', options={f'{SAVE}.max_keep_ckpts': 2}).train()
    assert disk.there == [set(), {EPOCHS(1)}, {EPOCHS(1), EPOCHS(2)}, {EPOCHS(2), EPOCHS(3)}]
    assert checkpoints(tmp_path / 'run') == {EPOCHS(3), EPOCHS(4)}


def test_checkpoints_kept_before_an_interruption_are_counted(toy_runner, train_until, tmp_path):
    train_until(13, 'epochs', options={f'{SAVE}.max_keep_ckpts': 2})
    toy_runner('epochs', options={f'{SAVE}.max_keep_ckpts': 2, 'resume': True}).train()
    assert checkpoints(tmp_path / 'run') == {EPOCHS(3), EPOCHS(4)}


@pytest.mark.parametrize('keep', [1, -1])
def test_full_disk_keeps_the_last_checkpoint_and_the_run(toy_runner, tmp_path, monkeypatch, keep):
    FullDisk(monkeypatch, tmp_path / 'run', full={2})
    runner, errors = toy_runner('epochs', options={f'{SAVE}.max_keep_ckpts': keep}), []
    runner.logger.error = errors.append
    runner.train()
    assert len(errors) == 1
    assert 'Could not write' in errors[0] and 'epoch_2.pth: No space left on device' in errors[0]
    assert f'the last whole checkpoint is {tmp_path}/run/epoch_1.pth. Make room' in errors[0]
    assert checkpoints(tmp_path / 'run') == ({EPOCHS(4)} if keep == 1 else {EPOCHS(1), EPOCHS(3), EPOCHS(4)})


def test_run_whose_last_checkpoint_failed_fails(toy_runner, tmp_path, monkeypatch):
    FullDisk(monkeypatch, tmp_path / 'run', full={3, 4})
    with pytest.raises(
        CheckpointError,
        match='epoch_4.pth: No space left on device; the last whole checkpoint is .*epoch_2.pth',
    ):
        toy_runner('epochs').train()
    assert checkpoints(tmp_path / 'run') == {EPOCHS(2)}
    assert (tmp_path / 'run/last_checkpoint').read_text().endswith(EPOCHS(2))


class Scores(Hook):
    """Sets the validation's outcome, best in the second and worse in the third epoch."""

    priority = 'HIGH'
    values = {1: 0.2, 2: 0.5, 3: 0.3, 4: 0.4}

    def after_val_epoch(self, runner, metrics=None):
        metrics['SSIM'] = self.values[runner.epoch]


@pytest.mark.parametrize('full', [False, True])
def test_old_best_goes_only_after_the_new_one_is_there(toy_runner, tmp_path, monkeypatch, full):
    """Files are written in the order epoch 1, best 1, epoch 1 again, epoch 2, best 2, ..."""
    disk = FullDisk(monkeypatch, tmp_path / 'run', full={5} if full else ())
    runner = toy_runner('epochs', options={f'{SAVE}.save_best': 'SSIM'}, hooks=[Scores()])
    runner.logger.error = lambda text: None
    runner.train()
    assert 'best_SSIM_epoch_1.pth' in disk.there[4]
    best = {name for name in checkpoints(tmp_path / 'run') if name.startswith('best')}
    # Where the best of all can't be written, the next that beats the last one kept is taken.
    assert best == {'best_SSIM_epoch_4.pth' if full else 'best_SSIM_epoch_2.pth'}
    score = runner.message_hub.get_info('best_score')
    assert score == (0.4 if full else 0.5)
    assert checkpoints(tmp_path / 'run') == best | {EPOCHS(4)}


def test_leftover_of_a_killed_run_is_removed(toy_runner, tmp_path):
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run/.epoch_7.pth.99.partial').write_bytes(b'half')
    toy_runner('epochs', options={'train_cfg.max_epochs': 1}).train()
    assert not [name for name in os.listdir(tmp_path / 'run') if 'partial' in name]


def test_what_a_hook_adds_is_made_plain(toy_runner, tmp_path):

    class Additions(Hook):
        def before_save_checkpoint(self, runner, checkpoint):
            checkpoint['mine'] = dict(writer=object(), step=torch.ones(1).numpy()[0])

    runner, warnings = (
        toy_runner('epochs', options={'train_cfg.max_epochs': 1}, hooks=[Additions()]),
        [],
    )
    runner.logger.warning = warnings.append
    runner.train()
    assert torch.load(tmp_path / 'run/epoch_1.pth', weights_only=True)['mine'] == dict(step=1.0)
    assert any('mine.writer (object)' in text for text in warnings)


@pytest.mark.parametrize('resume', [False, True])
def test_checkpoint_of_another_model_is_refused(toy_runner, tmp_path, resume):
    toy_runner('epochs', 'other', {'model.width': 5, 'train_cfg.max_epochs': 1}).train()
    path = str(tmp_path / 'other/epoch_1.pth')
    with pytest.raises(CheckpointError, match='only 1 of 4 trainable weights'):
        toy_runner('epochs', 'run', dict(load_from=path, resume=resume)).train()
    loose = {'load_from': path, f'{SAVE}.min_matched': 0.25, 'train_cfg.max_epochs': 1}
    runner, warnings = toy_runner('epochs', 'loose', loose), []
    runner.logger.warning = warnings.append
    runner.train()
    assert any(
        'fits in part' in text and 'layers.0.weight ((5, 8) instead of (16, 8))' in text for text in warnings
    )


def test_loop_that_does_not_resume_exactly_is_told(toy_runner):
    options = {'train_cfg.max_epochs': 1, 'train_cfg.type': 'EpochBasedTrainLoop'}
    runner, warnings = toy_runner('epochs', options=options), []
    runner.logger.warning = warnings.append
    runner.train()
    assert any("Resuming this run won't be exact" in text for text in warnings)


def test_best_is_known_without_a_rule():
    rules = {
        key: ForecastCheckpointHook(save_best=key).rules[0]
        for key in ('mIoU', 'IoU-MO', 'psnr', 'FID', 'LPIPS')
    }
    assert rules == {
        'mIoU': 'greater',
        'IoU-MO': 'greater',
        'psnr': 'greater',
        'FID': 'less',
        'LPIPS': 'less',
    }
    with pytest.raises(ValueError, match=r'min_matched must lie in \[0, 1\], got 2'):
        ForecastCheckpointHook(min_matched=2)


class StopEarly(Hook):
    """Ends the training at a validation, as ``EarlyStoppingHook`` does."""

    def __init__(self, at):
        self.at = at

    def after_val_epoch(self, runner, metrics=None):
        if runner.iter >= self.at:
            runner.train_loop.stop_training = True


@pytest.mark.parametrize('config, file, at', [('iters', 'iter_12.pth', 7), ('epochs', 'epoch_2.pth', 7)])
def test_training_that_a_hook_ends_saves_its_last_iteration(toy_runner, tmp_path, config, file, at):
    rare = {f'{SAVE}.interval': 100}
    toy_runner(config, options=rare, hooks=[StopEarly(at)]).train()
    assert checkpoints(tmp_path / 'run') == {file}
    # and it resumes exactly
    toy_runner(config, options={**rare, 'resume': True}).train()
    toy_runner(config, 'whole', rare).train()
    (last,) = checkpoints(tmp_path / 'whole')
    ours, theirs = (torch.load(tmp_path / run / last)['state_dict'] for run in ('run', 'whole'))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_training_that_a_hook_ends_saves_nothing_twice_or_against_the_config(toy_runner, tmp_path):
    runner = toy_runner('epochs', options={f'{SAVE}.max_keep_ckpts': -1}, hooks=[StopEarly(7)])
    runner.logger.info = (lines := []).append
    runner.train()
    assert sum('Saving' in line for line in lines) == 2
    off = {f'{SAVE}.interval': 100, f'{SAVE}.save_last': False}
    toy_runner('iters', 'off', options=off, hooks=[StopEarly(7)]).train()
    assert checkpoints(tmp_path / 'off') == set()


def test_unknown_argument_is_refused_at_once():
    with pytest.raises(ValueError, match="takes no argument 'intervall'; did you mean interval?"):
        ForecastCheckpointHook(intervall=5)


def test_a_second_run_in_a_folder_is_warned(toy_runner):
    toy_runner('epochs').train()
    for options, warned in ({}, True), ({'resume': True}, False):
        runner = toy_runner('epochs', options=options)
        runner.logger.warning = (lines := []).append
        runner.train()
        assert warned == any('holds checkpoints of an earlier run' in line for line in lines)
