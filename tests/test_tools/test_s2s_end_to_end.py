"""The S2S configs through the real tools: train, resume, test."""

import shutil

import cv2
import pytest
import torch

from mmforecast.cli.main import main

SMALL = [
    'randomness.seed=0',
    'model.predictor.widths=[[8],[8]]',
    'model.predictor.kernels=[[3,3],[3,3]]',
    'param_scheduler.0.end=2',
    'param_scheduler.1.begin=2',
    'param_scheduler.1.end=4',
    'default_hooks.checkpoint.interval=2',
    'train_dataloader.batch_size=2',
]


@pytest.fixture
def options(data):
    """A small network and the small street."""
    return [*SMALL, *data]


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


@pytest.fixture
def train(run_tool, monkeypatch, repository, options):
    monkeypatch.chdir(repository)

    def run(work_dir, iters, *args, config='s2s_2scale_tiny_synthetic'):
        run_tool(
            'train.py',
            f'configs/s2s/{config}.py',
            *['--work-dir', work_dir, *args, '--cfg-options', *options],
            *[f'train_cfg.max_iters={iters}', 'train_cfg.val_interval=100'],
        )
        return work_dir / f'iter_{iters}.pth'

    return run


@pytest.mark.slow
def test_train_resume_and_test(train, run_tool, options, tmp_path, capsys):
    whole = train(tmp_path / 'whole', 4)
    train(tmp_path / 'halves', 2)
    resumed = train(tmp_path / 'halves', 4, '--resume')
    one, other = weights(whole), weights(resumed)
    assert one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
    first = weights(tmp_path / 'whole' / 'iter_2.pth')
    assert any(not torch.equal(first[k], one[k]) for k in one)  # it did train

    run_tool(
        'test.py',
        'configs/s2s/s2s_2scale_tiny_synthetic.py',
        *[whole, '--work-dir', tmp_path / 'test', '--out', tmp_path / 'scores.json'],
        *['--cfg-options', *options],
    )
    assert 'IoU-MO' in (tmp_path / 'scores.json').read_text()


@pytest.mark.slow
def test_autoregressive_fine_tuning_starts_from_the_given_weights(train, options, tmp_path):
    start = train(tmp_path / 'start', 2)
    options += [f'load_from={start}', 'optim_wrapper.optimizer.lr=1e-9']
    tuned = train(tmp_path / 'tuned', 2, config='s2s_2scale_ar-ft_tiny_synthetic')
    before, after = weights(start), weights(tuned)
    assert all(torch.allclose(before[k], after[k], atol=1e-6) for k in before)


@pytest.mark.parametrize('baseline', ['copy-last', 'flow', 'oracle'])
def test_baselines_need_no_checkpoint(run_tool, monkeypatch, repository, options, baseline, tmp_path):
    monkeypatch.chdir(repository)
    data = [o for o in options if 'dataloader' in o and 'batch_size' not in o]
    run_tool(
        'test.py',
        'configs/s2s/s2s_warp_tiny_synthetic.py',
        *['--baseline', baseline, '--work-dir', tmp_path, '--out', tmp_path / 'scores.json'],
        *['--cfg-options', *data],
    )
    assert 'mIoU' in (tmp_path / 'scores.json').read_text()


def test_weights_of_another_model_are_refused(train, run_tool, options, tmp_path, capsys):
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(8, 3, 3, 3)}), other)
    with pytest.raises(SystemExit) as end:
        run_tool(
            'test.py',
            'configs/s2s/s2s_2scale_tiny_synthetic.py',
            *[other, '--work-dir', tmp_path, '--cfg-options', *options],
        )
    assert end.value.code == 2
    assert 'only 0 of 8 trainable weights' in capsys.readouterr().err


@pytest.mark.slow
def test_frames_without_labels_to_a_forecast(run_tool, street_root, tmp_path, monkeypatch, repository):
    """The two commands of docs/inference.md."""
    monkeypatch.chdir(repository)
    folders = {split: tmp_path / split for split in ('train', 'val')}
    for split, folder in folders.items():
        for frame in (street_root / 'leftImg8bit_sequence' / split).rglob('*.png'):
            video = folder / frame.name.rsplit('_', 2)[0]
            video.mkdir(parents=True, exist_ok=True)
            shutil.copy(frame, video)
    config, work_dir = 'configs/s2s/s2s-maps_tiny_frames.py', tmp_path / 'work'
    options = [f'{split}_dataloader.dataset.data_root={folders[split]}' for split in folders]
    options += [f'{split}_dataloader.dataset.stride=1' for split in folders]
    options += ['train_cfg.max_iters=2', 'train_cfg.val_interval=2']
    options += ['test_dataloader.dataset.stride=1', 'val_dataloader.dataset.indices=2']
    run_tool('train.py', config, '--work-dir', work_dir, '--cfg-options', *options)
    logs = ''.join(path.read_text() for path in work_dir.rglob('*.log'))
    assert 'SEG/t+3/IoU-MO' in logs and 'Iter(val)' in logs

    (video,) = [folder for folder in folders['val'].iterdir() if folder.name == 'street_000000']
    arguments = [video, config, work_dir / 'iter_2.pth', '--horizon', '2', '--stride', '1']
    arguments += ['--out', tmp_path / 'forecasts', '--formats', 'json', 'png']
    main(['predict', *map(str, arguments)])
    maps = [cv2.imread(str(path), 0) for path in (tmp_path / 'forecasts').rglob('*.png')]
    assert [m.shape for m in maps] == [(64, 128)] * 2 and max(m.max() for m in maps) <= 8
    assert 'seconds' in (tmp_path / 'forecasts/street_000000_forecast.json').read_text()
