"""Gradient accumulation: resumed inside one, and with two optimizers."""

import pytest
import torch
from torch import nn

from mmforecast.engine import MultiOptimWrapperConstructor

ACCUMULATE = {'optim_wrapper.accumulative_counts': 3, 'param_scheduler': None}
EACH = {'default_hooks.checkpoint.interval': 1, 'default_hooks.checkpoint.max_keep_ckpts': -1}


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


def assert_equal(first, second):
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize('config, stop, file', [('iters', 8, 'iter_{}.pth'), ('epochs', 12, 'epoch_{}.pth')])
def test_resumed_within_an_accumulation_is_exact(toy_runner, train_until, tmp_path, config, stop, file):
    options = {**ACCUMULATE, **EACH}
    toy_runner(config, 'whole', options).train()
    train_until(stop, config, 'run', options)
    (saved,) = [path for path in (tmp_path / 'run').glob('*.pth') if str(path) == last(tmp_path / 'run')]
    pending = torch.load(saved, weights_only=True)['accumulated_gradients']['']
    assert pending['count'] % 3 and set(pending['gradients']) == {
        f'layers.{layer}.{kind}' for layer in (0, 3) for kind in ('weight', 'bias')
    }
    resumed = toy_runner(config, 'run', {**options, 'resume': True})
    resumed.logger.info = (lines := []).append
    resumed.train()
    assert any('accumulated before the interruption are restored' in line for line in lines)
    final = file.format(20 if config == 'iters' else 4)
    assert_equal(weights(tmp_path / 'run' / final), weights(tmp_path / 'whole' / final))


def last(folder):
    return (folder / 'last_checkpoint').read_text()


def test_gradients_that_do_not_fit_are_left_and_said(toy_runner, train_until):
    options = {**ACCUMULATE, **EACH}
    train_until(9, 'iters', 'run', options)  # the checkpoint is of iteration 8
    changed = {**options, 'resume': True, 'optim_wrapper.accumulative_counts': 5}
    resumed = toy_runner('iters', 'run', changed)
    resumed.logger.warning = (lines := []).append
    resumed.train()
    assert any('within the gradient accumulation of the model' in line for line in lines)


def test_a_checkpoint_between_accumulations_holds_no_gradients(toy_runner, tmp_path):
    toy_runner('iters', options={**ACCUMULATE, **EACH}).train()
    assert 'accumulated_gradients' not in torch.load(tmp_path / 'run/iter_9.pth', weights_only=True)
    assert 'accumulated_gradients' not in torch.load(tmp_path / 'run/iter_20.pth', weights_only=True)


class TwoNetworks(nn.Module):
    """Of which one is passed twice in an iteration."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(1, 1)
        self.second = nn.Linear(1, 1)

    def backward_passes(self, name):
        return {'first': 1, 'second': 2}[name]


def two_optimizers(model, counts=2):
    wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1.0), accumulative_counts=counts)
    return MultiOptimWrapperConstructor(dict(first=wrapper, second=dict(wrapper)))(model)


def test_each_of_several_optimizers_counts_its_backward_passes():
    model = TwoNetworks()
    wrappers = two_optimizers(model, counts=3)
    wrappers.initialize_count_status(model, 1, 5)
    assert [wrappers[name].inner_count for name in ('first', 'second')] == [1, 2]
    steps = {'first': [], 'second': []}
    for _ in range(4):
        for name in ('first', *2 * ('second',)):
            before = model.get_submodule(name).weight.clone()
            wrappers[name].update_params(model.get_submodule(name)(torch.ones(1)).sum())
            steps[name].append(not torch.equal(before, model.get_submodule(name).weight))
    # of 5 passes the 3rd and the last, of 10 the 3rd, 6th, 9th and the last; counted from the 2nd and 3rd on
    assert steps['first'] == [False, True, False, True]
    assert steps['second'] == [True, False, False, True, False, False, True, True]


def test_rest_of_an_accumulation_is_a_mean_of_its_own():
    """A weight of 0 under the loss w: each step is the mean gradient, 1, also of the last single batch."""
    model = TwoNetworks()
    wrappers = two_optimizers(model, counts=2)
    wrappers.initialize_count_status(model, 0, 3)
    with torch.no_grad():
        model.first.weight.zero_()
    for _ in range(3):
        wrappers['first'].update_params(model.first.weight.sum())
    assert model.first.weight.item() == -2


def test_network_without_trainable_weights_is_refused():
    model = TwoNetworks()
    model.second.requires_grad_(False)
    with pytest.raises(ValueError, match='optim_wrapper.second has nothing to train'):
        two_optimizers(model)
