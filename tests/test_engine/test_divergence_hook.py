"""Steps whose loss or gradients are not finite: refused, named, counted."""

import os

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement

from mmforecast.engine import DivergenceError, DivergenceHook
from mmforecast.engine.divergence import Losses, describe_samples, loss_terms, what_diverged

HOOK = 'default_hooks.divergence'
STOP, SKIP = ({HOOK: dict(type='mmforecast.DivergenceHook', action=a)} for a in ('stop', 'skip'))


@pytest.fixture
def diverging(toy_config):
    """The toy model, with what spoils its iterations, by their number from 1."""
    toy_config('epochs')
    import toy_task

    @MODELS.register_module(force=True)
    class DivergingModel(toy_task.ToyModel):
        def __init__(self, spoilt=(), kind='loss'):
            super().__init__(dropout=0)
            self.norm = torch.nn.BatchNorm1d(8)
            self.spoilt, self.kind, self.calls = tuple(spoilt), kind, 0

        def forward(self, inputs, data_samples=None, mode='tensor'):
            if mode != 'loss':
                return super().forward(inputs, data_samples, mode)
            self.calls += 1
            bad = self.calls in self.spoilt
            signals = self.norm(torch.stack(inputs) + (float('inf') if bad else 0))
            if bad:  # the running statistics are spoilt in any case, the loss is as asked for
                signals = torch.stack(inputs)
            output = self.layers(signals)[:, 0]
            loss = (output - torch.stack(data_samples)).square().mean()
            extra = loss.new_tensor(float('nan') if bad and self.kind == 'loss' else 0.0)
            if bad and self.kind == 'gradient':
                extra = 0 * (self.layers[0].weight * 0).sqrt().sum()
            return dict(loss_square=loss, loss_extra=[extra], accuracy=loss * float('nan'))

    return dict(type='DivergingModel', _delete_=True)


class Notes(Hook):
    """The model's state before each iteration, by number from 1."""

    def __init__(self):
        self.states = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        state = runner.model.state_dict()
        self.states[runner.iter + 1] = {name: value.clone() for name, value in state.items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize('kind', ['loss', 'gradient'])
def test_stops_before_the_step_with_a_dump_and_a_checkpoint(toy_runner, diverging, tmp_path, kind):
    model = dict(diverging, spoilt=[7], kind=kind)
    notes, run = Notes(), tmp_path / 'run'
    runner = toy_runner('epochs', options={'model': model, **STOP}, hooks=[notes])
    with pytest.raises(DivergenceError) as error:
        runner.train()
    message = str(error.value)
    reason = 'loss_extra is nan;' if kind == 'loss' else 'the gradients of 1 of '
    assert message.startswith(f'Iteration 7 diverged: {reason}')
    assert f'{run}/before_iter_7.pth is from before it' in message and "action='skip'" in message
    assert same(runner.model.state_dict(), notes.states[7])

    dump = torch.load(run / 'divergence_iter_7.pth', weights_only=True)
    assert (dump['iteration'], dump['epoch'], len(dump['learning_rates'])) == (7, 1, 1)
    assert set(dump['steps'][0]['losses']) == {'loss_square', 'loss_extra'}
    assert dump['bad_gradients'] == ([] if kind == 'loss' else ['layers.0.weight'])
    assert dump['bad_weights'] == []
    saved = torch.load(run / 'before_iter_7.pth', weights_only=True)
    assert same(saved['state_dict'], notes.states[7])
    assert (saved['meta']['epoch'], saved['meta']['iter']) == (1, 6)
    # What was saved before stays the last checkpoint.
    assert (run / 'last_checkpoint').read_text().endswith('epoch_1.pth')


def test_checkpoint_of_before_the_step_goes_on_exactly(toy_runner, diverging, tmp_path):
    whole = toy_runner('epochs', 'whole', {'model': diverging, **STOP})
    whole.train()
    options = {'model': dict(diverging, spoilt=[7]), **STOP}
    with pytest.raises(DivergenceError):
        toy_runner('epochs', 'run', options).train()
    path = str(tmp_path / 'run/before_iter_7.pth')
    resumed = toy_runner('epochs', 'run', {'model': diverging, 'resume': True, 'load_from': path})
    resumed.train()
    assert resumed.iter == 20 and same(resumed.model.state_dict(), whole.model.state_dict())


def test_skipped_steps_change_nothing_and_are_counted(toy_runner, diverging):
    notes, warnings = Notes(), []
    options = {'model': dict(diverging, spoilt=[3, 4, 9]), **SKIP}
    runner = toy_runner('iters', options=options, hooks=[notes])
    runner.logger.warning = warnings.append
    runner.train()
    states = notes.states
    for number in (3, 4, 9):
        assert same(states[number], states[number + 1])
    assert not same(states[5], states[6])
    assert all(value.isfinite().all() for value in runner.model.state_dict().values())
    skipped = [text for text in warnings if 'Its step is skipped' in text]
    assert [text.split(', ')[-1] for text in skipped] == [
        f'number {n} in a row of at most 10.' for n in (1, 2, 1)
    ]
    assert warnings[-1] == '3 diverging steps were skipped in this run.'


def test_too_many_skips_in_a_row_stop(toy_runner, diverging, tmp_path):
    options = {'model': dict(diverging, spoilt=[2, 4, 5, 6]), **SKIP, f'{HOOK}.max_skips': 3}
    with pytest.raises(DivergenceError, match='Iteration 6 .* this is number 3 in a row'):
        toy_runner('iters', options=options).train()
    assert 'divergence_iter_6.pth' in os.listdir(tmp_path / 'run')


def test_every_batch_of_an_accumulated_step_is_looked_at(toy_runner, diverging):
    options = {'model': dict(diverging, spoilt=[6]), **STOP, 'optim_wrapper.accumulative_counts': 4}
    with pytest.raises(DivergenceError, match='Iteration 8 diverged: loss_extra is nan') as error:
        toy_runner('iters', options=options).train()
    assert 'square' not in str(error.value)


def test_training_is_the_same_with_and_without(toy_runner, diverging):
    states = []
    for folder, hook in (('with', STOP), ('without', {})):
        runner = toy_runner('epochs', folder, {'model': diverging, **hook})
        runner.train()
        states.append(runner.model.state_dict())
    assert same(*states)


class AmpOnCpu(AmpOptimWrapper):
    """Mixed precision's wrapper with a real scaler, on a machine without a GPU."""

    def __init__(self, optimizer, scale):
        super(AmpOptimWrapper, self).__init__(optimizer)
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=scale, growth_interval=1000)
        self._scale_update_param = None
        self.cast_dtype = torch.bfloat16


@pytest.mark.parametrize('scale, stops', [(3e38, False), (1.0, True)])
def test_skips_of_the_loss_scaler_are_its_own(toy_runner, diverging, scale, stops):
    """A scale that overflows comes down; gradients that are NaN at any scale stop after a while."""
    spoilt = range(5, 100) if stops else ()
    options = {'model': dict(diverging, spoilt=spoilt, kind='gradient'), **STOP}
    runner = toy_runner('iters', options={**options, f'{HOOK}.max_scaler_skips': 12})
    optimizer = torch.optim.Adam(runner.model.parameters(), 0.01)
    runner.optim_wrapper, runner.param_schedulers = AmpOnCpu(optimizer, scale), None
    if stops:
        with pytest.raises(DivergenceError, match='left out 13 steps in a row, up to iteration 17'):
            runner.train()
    else:
        before = runner.model.layers[0].weight.clone()
        runner.train()
        assert runner.optim_wrapper.loss_scaler.get_scale() < scale  # so there were skips
        assert not torch.equal(before, runner.model.layers[0].weight)


def test_samples_are_named():
    clip = BaseDataElement(
        metainfo=dict(sequence_id='a', frame_indices=[3, 6], img_paths=['x/3.png', 'x/6.png'])
    )
    inputs = torch.zeros(2, 1)
    losses = Losses(4, {}, [clip, BaseDataElement(metainfo=dict(img_path='b.png'))], inputs)
    described = describe_samples(losses)
    assert described == [
        dict(sequence_id='a', frame_indices=[3, 6], img_paths=['x/3.png', 'x/6.png']),
        dict(img_path='b.png'),
    ]
    step = dict(iteration=4, losses=dict(loss=float('inf'), loss_b=1.0), samples=described)
    fine = dict(iteration=3, losses=dict(loss=1.0), samples=[dict(img_path='fine.png')])
    report = dict(
        iteration=4,
        network='discriminator',
        steps=[fine, step],
        bad_gradients=['w'],
        num_gradients=2,
        bad_weights=['v'],
    )
    assert what_diverged(report) == (
        'Iteration 4 diverged in the step of the discriminator: loss is inf; the gradients of 1 of 2 '
        'parameters are not finite (w); 1 weights were not finite before it (v, ...); its samples: '
        'sequence a frames 3 to 6, b.png'
    )
    inputs[1] = float('nan')
    report['steps'][1]['samples'] = describe_samples(losses)
    assert what_diverged(report).endswith('its inputs that are not finite: b.png')


def test_what_counts_as_a_loss():
    output = dict(loss_a=torch.ones(2), loss_b=[torch.ones(1), torch.zeros(3)], accuracy=torch.ones(1))
    output['my_losses'] = 'text'
    assert {name: float(v) for name, v in loss_terms(output).items()} == dict(loss_a=1.0, loss_b=1.0)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="action must be one of 'stop', 'skip', got 'go'"):
        DivergenceHook('go')
    with pytest.raises(ValueError, match='max_skips must be an integer >= 1, got 0'):
        DivergenceHook(max_skips=0)
