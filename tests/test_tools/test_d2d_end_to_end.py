"""The D2D configs of the street through the real tools."""

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
LITERAL = [
    'model.predictor.widths=[8,8]',
    'model.predictor.dilations=[1,2,1]',
    'train_dataloader.dataset.pipeline.2.size=(32,64)',
]
SMALL = {
    'd2d_tiny_synthetic': LITERAL,
    'd2d_ar-ft_tiny_synthetic': LITERAL,
    'd2d_warp_tiny_synthetic': ['model.predictor.motion_widths=[8,8,8]'],
}
KEYS = {'AP', 'AP50', 'NO-AP', 'NO-AP50', 'NO-AP50-const', 'IoU-MO', 't+1/NO-AP50'}


@pytest.fixture
def train(run_tool, repository, monkeypatch, data, tmp_path):
    monkeypatch.chdir(repository)

    def run(config, folder, iters, *args):
        run_tool(
            'train.py',
            f'configs/d2d/{config}.py',
            *['--work-dir', tmp_path / folder, *args, '--cfg-options', *SCHEDULE, *data],
            *SMALL[config],
            f'train_cfg.max_iters={iters}',
        )
        return tmp_path / folder / f'iter_{iters}.pth'

    return run


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


@pytest.mark.slow
@pytest.mark.parametrize('config', ['d2d_tiny_synthetic', 'd2d_warp_tiny_synthetic'])
def test_train_resume_and_test(train, scores, config):
    whole = train(config, 'whole', 2)
    first = train(config, 'halves', 1)
    resumed = train(config, 'halves', 2, '--resume')
    one, other = weights(whole), weights(resumed)
    assert one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
    start = weights(first)
    assert any(not torch.equal(start[k], one[k]) for k in one)
    found = scores(f'd2d/{config}', whole, *SMALL[config])
    assert KEYS <= found.keys()


@pytest.mark.slow
def test_autoregressive_fine_tuning_starts_from_the_given_weights(train, data):
    start = train('d2d_tiny_synthetic', 'start', 2)
    data += [f'load_from={start}', 'optim_wrapper.optimizer.lr=1e-9']
    tuned = train('d2d_ar-ft_tiny_synthetic', 'tuned', 2)
    before, after = weights(start), weights(tuned)
    assert all(torch.allclose(before[k], after[k], atol=1e-6) for k in before)


def test_baselines_stand_in_order(scores):
    names = ('copy-last', 'flow-shift', 'flow-warp', 'flow', 'oracle')
    found = {name: scores('d2d/d2d_warp_tiny_synthetic', None, baseline=name) for name in names}
    assert found['oracle']['IoU-MO'] == 100
    for name in names[1:-1]:
        assert found['oracle']['NO-AP50'] > found[name]['NO-AP50']
    assert found['flow']['IoU-MO'] > found['copy-last']['IoU-MO']


def test_tracks_are_scored(scores):
    found = scores(
        'd2d/d2d_warp_tracks_tiny_synthetic',
        'none',
        'model.predictor._delete_=True',
        'model.predictor.type=Oracle',
    )
    assert found['IDF1'] > 50 and found['IDSW'] >= 0


def test_any_detector_gives_the_objects(scores):
    found = scores(
        'd2d/d2d_detector_tiny_synthetic',
        'none',
        'model.predictor._delete_=True',
        'model.predictor.type=Oracle',
        'model.test_cfg.rollout_steps=1',
        'model.test_cfg.reference=True',
        'test_dataloader.dataset.num_future=1',
    )
    assert found['REF/IoU-MO'] == 100 > found['IoU-MO'] > 20
