"""What a resumed run takes from the checkpoint, and what from the config."""

import copy
import re

import pytest
import torch
from mmengine.hooks import Hook

from mmforecast.engine.resume import apply_changed_settings
from mmforecast.fileio import CheckpointError

RESUME = {'resume': True}
LR = 'optim_wrapper.optimizer.lr'


@pytest.fixture
def learning_rates(toy_runner, train_until):
    """Train, recording the learning rate of each iteration: ``learning_rates('epochs', 'run', options)``."""

    class Record(Hook):
        priority = 'VERY_HIGH'

        def __init__(self):
            self.values, self.warnings = [], []

        def before_run(self, runner):
            runner.logger.warning = self.warnings.append

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            self.values.append(runner.optim_wrapper.get_lr()['lr'][0])

    def train(name, folder, options=None, until=None):
        record = Record()
        if until is None:
            toy_runner(name, folder, options, hooks=[record]).train()
        else:
            train_until(until, name, folder, options, hooks=[record])
        return record

    return train


def schedules():
    """By name: the toy config, its options, and the changed options."""
    warm_up = dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=3)

    def cosine(end):
        return [warm_up, dict(type='CosineAnnealingLR', eta_min=1e-4, by_epoch=False, begin=3, end=end)]

    steps = [dict(type='MultiStepLR', milestones=[1, 3], gamma=0.1, by_epoch=True)]
    return {
        'the rate alone': ('iters', {'param_scheduler': None}, {LR: 0.002}),
        'the rate under a schedule': ('epochs', {}, {LR: 0.002}),
        'a longer cosine': ('iters', {'param_scheduler': cosine(15)}, {'param_scheduler': cosine(20)}),
        'another kind': ('epochs', {'param_scheduler': [warm_up]}, {'param_scheduler': [warm_up, *steps]}),
        'iterations and epochs': ('epochs', {'param_scheduler': [warm_up, *steps], LR: 0.5}, {LR: 0.1}),
        'none before': ('iters', {'param_scheduler': None}, {'param_scheduler': cosine(20)}),
        'none after': ('iters', {'param_scheduler': cosine(20)}, {'param_scheduler': None}),
        'scaled': ('epochs', {}, {'auto_scale_lr': dict(enable=True, base_batch_size=8)}),
        'a larger gamma': (
            'epochs',
            {'param_scheduler': steps},
            {'param_scheduler': [dict(type='MultiStepLR', milestones=[1, 3], gamma=0.5, by_epoch=True)]},
        ),
    }


@pytest.mark.slow
@pytest.mark.parametrize('name', schedules())
def test_changed_settings_hold_as_if_from_the_start(learning_rates, name):
    config, options, changes = schedules()[name]
    learning_rates(config, 'run', options, until=12)
    resumed = learning_rates(config, 'run', {**options, **changes, **RESUME})
    whole = learning_rates(config, 'whole', {**options, **changes})
    assert 0 < len(resumed.values) < 20
    assert resumed.values == whole.values[-len(resumed.values) :]
    assert any('The config differs from that of the resumed run' in line for line in resumed.warnings)


@pytest.mark.parametrize('config', ['epochs', 'iters'])
def test_unchanged_settings_are_not_mentioned(learning_rates, config):
    learning_rates(config, 'run', until=12)
    resumed = learning_rates(config, 'run', RESUME)
    assert (
        resumed.warnings == []
        and resumed.values == learning_rates(config, 'whole').values[-len(resumed.values) :]
    )


def test_other_options_of_the_optimizer_change_too(learning_rates, toy_runner):
    learning_rates('epochs', 'run', until=12)
    options = {**RESUME, 'optim_wrapper.optimizer.momentum': 0.5, 'optim_wrapper.optimizer.weight_decay': 0.1}
    runner = toy_runner('epochs', 'run', options)
    runner.logger.warning = (lines := []).append
    runner.train()
    (group,) = runner.optim_wrapper.param_groups
    assert (group['momentum'], group['weight_decay']) == (0.5, 0.1)
    (line,) = [line for line in lines if 'differs' in line]
    assert 'momentum was 0.9 and is 0.5; weight_decay was 0 and is 0.1.' in line


def test_groups_of_their_own_rate_change_together(learning_rates):
    groups = {'optim_wrapper.paramwise_cfg': dict(custom_keys={'layers.0': dict(lr_mult=0.1)})}
    learning_rates('iters', 'run', groups, until=12)
    resumed = learning_rates('iters', 'run', {**groups, **RESUME, LR: 0.002})
    whole = learning_rates('iters', 'whole', {**groups, LR: 0.002})
    assert resumed.values == whole.values[-len(resumed.values) :]


def refusal(toy_runner, options, config='epochs'):
    with pytest.raises(CheckpointError) as caught:
        toy_runner(config, 'run', {**RESUME, **options}).train()
    return str(caught.value)


def test_best_checkpoint_is_refused_with_the_whole_one_of_its_iteration(toy_runner, tmp_path):
    save = {'default_hooks.checkpoint.save_best': 'size', 'default_hooks.checkpoint.rule': 'greater'}
    toy_runner('epochs', options={**save, 'default_hooks.checkpoint.max_keep_ckpts': -1}).train()
    (best,) = (tmp_path / 'run').glob('best_size_epoch_*.pth')
    whole = best.with_name(re.sub('best_size_', '', best.name))
    sentence = refusal(toy_runner, {'load_from': str(best)})
    assert f'{best} has no optimizer state' in sentence and f'resume {whole} of the same iteration' in sentence
    whole.unlink()
    assert 'resume a periodic checkpoint, or start a new run' in refusal(toy_runner, {'load_from': str(best)})


@pytest.mark.parametrize('lacks', [['message_hub'], ['meta'], ['meta', 'message_hub', 'optimizer']])
def test_weights_without_a_training_are_refused(toy_runner, tmp_path, lacks):
    toy_runner('epochs').train()
    path = tmp_path / 'run/epoch_4.pth'
    checkpoint = torch.load(path, weights_only=True)
    torch.save({key: value for key, value in checkpoint.items() if key not in lacks}, path)
    sentence = refusal(toy_runner, {})
    assert sentence.startswith(f'{path} holds weights without the state of a training')
    assert f'load_from={path}' in sentence


def test_saved_without_optimizer_on_purpose_goes_on(toy_runner):
    save = {'default_hooks.checkpoint.save_optimizer': False}
    toy_runner('epochs', options=save).train()
    runner = toy_runner('epochs', options={**save, **RESUME, 'train_cfg.max_epochs': 5})
    runner.logger.warning = (lines := []).append
    runner.train()
    assert runner.iter == 25 and any('saved with save_optimizer=False' in line for line in lines)


@pytest.mark.parametrize('named', [True, False])
def test_another_optimizer_is_refused(toy_runner, tmp_path, named):
    toy_runner('epochs').train()
    if not named:  # as a checkpoint from before the names were kept
        checkpoint = torch.load(tmp_path / 'run/epoch_4.pth', weights_only=True)
        del checkpoint['meta']['optimizers']
        torch.save(checkpoint, tmp_path / 'run/epoch_4.pth')
    adam = {'optim_wrapper.optimizer': dict(_delete_=True, type='Adam', lr=0.01)}
    sentence = refusal(toy_runner, adam)
    theirs = 'SGD' if named else 'an optimizer with dampening, momentum, nesterov'
    assert sentence == (
        f'The optimizer of the checkpoint is {theirs}, the config has Adam; resume with the optimizer of the '
        'checkpoint, or start from its weights with load_from'
    )


def test_other_groups_of_parameters_are_refused(toy_runner):
    toy_runner('epochs').train()
    options = {'optim_wrapper.paramwise_cfg': dict(custom_keys={'layers.0': dict(lr_mult=0.1)})}
    assert 'has 1 groups with 4 parameters, that of the config 5' in refusal(toy_runner, options)


def test_networks_with_other_names_are_refused(toy_runner):
    runner = toy_runner('epochs')
    runner.train()
    checkpoint = dict(optimizer=dict(a={}, b={}), meta=dict(iter=1, epoch=0))
    with pytest.raises(CheckpointError, match='has optimizers for a, b, the config for the whole model'):
        apply_changed_settings(runner, copy.deepcopy(checkpoint))


def test_finished_run_is_resumed_without_a_change(toy_runner, tmp_path):
    toy_runner('epochs').train()
    before = (tmp_path / 'run/epoch_4.pth').read_bytes()
    runner = toy_runner('epochs', options=RESUME)
    runner.logger.warning = (lines := []).append
    runner.train()
    assert (tmp_path / 'run/epoch_4.pth').read_bytes() == before
    assert any(
        'Nothing is left to train: the checkpoint is of epoch 4 and max_epochs=4' in line for line in lines
    )


def test_nothing_in_a_resumed_checkpoint_is_run(toy_runner, tmp_path):
    """mmengine executes the text of meta.config, where a checkpoint has one."""
    toy_runner('epochs').train()
    path = tmp_path / 'run/epoch_4.pth'
    checkpoint = torch.load(path, weights_only=True)
    checkpoint['meta']['config'] = f'import os\nos.mkdir({str(tmp_path / "executed")!r})\n'
    torch.save(checkpoint, path)
    toy_runner('epochs', options={**RESUME, 'train_cfg.max_epochs': 5}).train()
    assert not (tmp_path / 'executed').exists()
