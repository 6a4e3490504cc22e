"""The F2F configs of the street through the real tools, with the weights that ship."""

import pytest
import torch

SCHEDULE = [
    'randomness.seed=0',
    'param_scheduler.0.end=2',
    'param_scheduler.1.begin=2',
    'param_scheduler.1.end=4',
    'default_hooks.checkpoint.interval=1',
    'train_dataloader.batch_size=1',
    'train_cfg.val_interval=100',
]
SMALL = ['model.encoder.size=(96,160)', 'model.encoder.chunk=2']


@pytest.mark.slow
@pytest.mark.parametrize('config', ['f2f_warp_tiny_synthetic', 'f2f_tiny_synthetic'])
def test_train_resume_and_test(run_tool, monkeypatch, repository, data, scores, config, tmp_path):
    monkeypatch.chdir(repository)

    def train(folder, iters, *args):
        run_tool(
            'train.py',
            f'configs/f2f/{config}.py',
            *['--work-dir', tmp_path / folder, *args, '--cfg-options', *SCHEDULE, *SMALL, *data],
            f'train_cfg.max_iters={iters}',
        )
        return torch.load(tmp_path / folder / f'iter_{iters}.pth', weights_only=True)['state_dict']

    whole = train('whole', 2)
    first = train('halves', 1)
    resumed = train('halves', 2, '--resume')
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    changed = {name for name in whole if not torch.equal(first[name], whole[name])}
    assert changed and all(name.startswith('predictor.') for name in changed)
    found = scores(f'f2f/{config}', tmp_path / 'whole' / 'iter_2.pth', *SMALL)
    assert {'AP', 'AP50', 'IoU-MO', 't+1/AP50', 't+3/IoU-MO'} <= found.keys()


@pytest.mark.slow
def test_the_shipped_detector_sees_and_the_shipped_forecaster_forecasts(scores, repository):
    (weights,) = (repository / 'configs/f2f/weights').glob('f2f_warp_tiny_synthetic-*.pth')
    f2f = scores('f2f/f2f_warp_tiny_synthetic', weights)
    copy = scores('f2f/f2f_tiny_synthetic', None, baseline='copy-last')
    oracle = scores('f2f/f2f_tiny_synthetic', None, baseline='oracle')
    assert oracle['AP50'] > 25  # on frames of half the size that it knows
    assert oracle['AP50'] > f2f['AP50'] > copy['AP50']
    assert weights.stat().st_size < 4e6
