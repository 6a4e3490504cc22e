from functools import partial
from types import SimpleNamespace

import pytest
import torch

from mmforecast.apis import build_forecaster, build_loader, load_config
from mmforecast.engine import ValLossHook
from mmforecast.engine.hooks import val_loss_hook

VAL_LOSS = {'default_hooks.val_loss.type': 'mmforecast.ValLossHook'}
CHECKPOINT = 'default_hooks.checkpoint'


def expected(model):
    """Mean squared error over the three validation signals, without dropout."""
    model.eval()
    signals = [torch.sin(torch.arange(12.0) * (index + 1))[:8] for index in range(3)]
    with torch.no_grad():
        return float((model(signals) - torch.arange(3.0)).square().mean())


def test_loss_is_the_mean_over_clips_in_eval_mode(toy_runner):
    # batches of two and one: a mean over batches would weigh the third signal twice
    options = {**VAL_LOSS, 'val_dataloader.dataset.size': 3, 'train_cfg.max_epochs': 2}
    runner = toy_runner('epochs', options=options)
    runner.train()
    logged = runner.message_hub.get_scalar('val/val_loss')
    assert logged.current() == pytest.approx(expected(runner.model), rel=1e-5)
    assert len(logged.data[0]) == 2 and logged.data[0][0] != logged.data[0][1]
    assert runner.message_hub.get_scalar('val/size').current() > 0  # the scores are there too


def test_training_goes_on_as_without_it(toy_runner):
    weights = []
    for name, options in (('with', VAL_LOSS), ('without', {})):
        runner = toy_runner('iters', name, options)
        runner.train()
        weights.append(runner.model.state_dict())
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_the_least_loss_is_kept(toy_runner, tmp_path):
    runner = toy_runner('epochs', options={**VAL_LOSS, f'{CHECKPOINT}.save_best': 'val_loss'})
    runner.train()
    losses = runner.message_hub.get_scalar('val/val_loss').data[0].tolist()
    best = 1 + losses.index(min(losses))
    assert [p.name for p in (tmp_path / 'run').glob('best*')] == [f'best_val_loss_epoch_{best}.pth']


def test_other_processes_clips_count(monkeypatch):
    """Two processes: this one has a loss of 1 on two clips, the other of 4 on one."""
    hook, metrics = ValLossHook(), {}
    model = SimpleNamespace(data_preprocessor=lambda data, training: {})
    monkeypatch.setattr(val_loss_hook, '_losses', lambda *args: dict(loss=torch.tensor(1.0)))
    monkeypatch.setattr(val_loss_hook, 'all_reduce', lambda totals: totals.add_(torch.tensor([4.0, 1.0])))
    hook.before_val_epoch(None)
    hook.after_val_iter(SimpleNamespace(model=model, val_loop=None), 0, dict(inputs=[0, 0]))
    hook.after_val_epoch(None, metrics)
    assert metrics == {'val_loss': 2.0}


SMALL_F2F = {'model.encoder.checkpoint': None, 'model.encoder.size': (64, 128)}
SYSTEMS = {
    's2s/s2s_warp_tiny_synthetic': ({}, 't+3.loss_ce'),
    'f2f/f2f_warp_tiny_synthetic': (SMALL_F2F, 'detector.loss_mask'),
    'f2f/f2f_tiny_synthetic': (
        {**SMALL_F2F, 'model.train_cfg.crop_size': (8, 8)},
        't+3.loss_mse_l0_s0',
    ),
    'd2d/d2d_warp_tiny_synthetic': ({}, 't+1.loss_gdl'),
}


@pytest.fixture
def system(repository, street_root):
    def build(name, options):
        data = {
            'test_dataloader.dataset.data_root': str(street_root),
            'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
            'test_dataloader.dataset.indices': 1,
        }
        return load_config(str(repository / f'configs/{name}.py'), {**data, **options})

    return build


@pytest.mark.parametrize('name', SYSTEMS)
def test_every_system_has_a_validation_loss(system, name):
    options, term = SYSTEMS[name]
    cfg = system(name, options)
    model, loader = build_forecaster(cfg), build_loader(cfg)
    (batch,) = loader
    runner, found = SimpleNamespace(model=model, val_loop=None), []
    for _ in range(2):
        hook, metrics = ValLossHook(), {}
        hook.before_val_epoch(runner)
        model.val_step(batch)
        hook.after_val_iter(runner, 0, batch)
        hook.after_val_epoch(runner, metrics)
        found.append(metrics)
    assert f'val_{term}' in metrics and not model.training
    assert found[0] == pytest.approx(found[1])  # random crops are the same
    losses = [value for key, value in metrics.items() if 'loss' in key and key != 'val_loss']
    assert metrics['val_loss'] == pytest.approx(sum(losses)) and metrics['val_loss'] > 0
    if 'crop_size' not in cfg.model.train_cfg and 'detector_loss' not in cfg.model.train_cfg:
        with torch.no_grad():
            terms = model(**model.data_preprocessor(batch), mode='loss')
        assert metrics['val_loss'] == pytest.approx(float(sum(terms.values())))


def test_validation_clips_that_are_too_short_end_in_one_sentence(system):
    cfg = system('s2s/s2s_warp_tiny_synthetic', {'test_dataloader.dataset.num_future': 1})
    (batch,) = build_loader(cfg)
    step = partial(ValLossHook().after_val_iter, batch_idx=0, data_batch=batch)
    with pytest.raises(ValueError, match='ValLossHook .* but: training rolls out 3 steps'):
        step(SimpleNamespace(model=build_forecaster(cfg), val_loop=None))
