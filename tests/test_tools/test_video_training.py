"""Video prediction from a shipped config: trained, resumed, on two processes; frames generated on the fly."""

import runpy

import cv2
import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper

from mmforecast.models.forecasters import VideoForecaster

CONFIG = 'configs/video_prediction/multiscale_adv-gdl_tiny_clips.py'


@pytest.fixture
def write_config(repository, tmp_path):
    """The shipped config, narrow, on a folder of frames of a texture that moves."""
    texture = np.random.default_rng(0).integers(0, 256, (40, 90, 3), np.uint8)
    (tmp_path / 'videos/moving').mkdir(parents=True)
    for t in range(20):
        name = str(tmp_path / f'videos/moving/{t:03d}.png')
        cv2.imwrite(name, texture[:, 2 * t : 2 * t + 48])

    def write(more=''):
        path = tmp_path / 'config.py'
        path.write_text(
            f"_base_ = '{repository}/{CONFIG}'\n"
            'model = dict(predictor=dict(widths=((4, ), ) * 4, kernels=((3, 3), ) * 4),\n'
            '    discriminator=dict(widths=((4, ), ) * 4, kernels=((3, ), ) * 4, hidden=((4, ), ) * 4))\n'
            f"data = dict(data_root='{tmp_path}/videos', videos=None, drop_repeats=None)\n"
            'train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=data)\n'
            'val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=data)\n'
            'train_pipeline = _base_.train_pipeline\n'
            'train_pipeline[1] = dict(type="ClipResize", scale=(48, 40))\n'
            "train_dataloader['dataset'] = dict(data, pipeline=train_pipeline)\n"
            'train_cfg = dict(max_iters=4, val_interval=100)\n'
            'default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=2))\n' + more
        )
        return path

    return write


def load(path):
    return torch.load(path, weights_only=True)


def test_resumed_training_ends_with_the_same_weights(run_tool, write_config, tmp_path):
    config = write_config()
    run_tool('train.py', config, '--work-dir', tmp_path / 'whole')
    whole = load(tmp_path / 'whole/iter_4.pth')
    run_tool(
        *('train.py', config, '--work-dir', tmp_path / 'resumed'),
        *('--resume', tmp_path / 'whole/iter_2.pth'),
    )
    resumed = load(tmp_path / 'resumed/iter_4.pth')['state_dict']
    start = load(tmp_path / 'whole/iter_2.pth')['state_dict']
    assert set(whole['optimizer']) == {'predictor', 'discriminator'}
    for name, value in whole['state_dict'].items():
        assert torch.equal(value, resumed[name]), name
    for part in ('predictor', 'discriminator'):
        assert any(
            not torch.equal(start[name], value)
            for name, value in whole['state_dict'].items()
            if name.startswith(part)
        )


def test_fine_tuning_on_larger_patches_keeps_the_predictor(run_tool, write_config, tmp_path):
    config = write_config()
    run_tool('train.py', config, '--work-dir', tmp_path / 'small')
    small = load(tmp_path / 'small/iter_4.pth')['state_dict']
    config = write_config(
        "train_pipeline[2] = dict(type='ClipMotionCrop', size=(40, 48), min_motion=0.005)\n"
        'model["discriminator"]["patch_size"] = (40, 48)\n'
        f"load_from = '{tmp_path}/small/iter_4.pth'\n"
        'train_cfg = dict(max_iters=1, val_interval=100)\n'
        'optim_wrapper = dict(predictor=dict(optimizer=dict(lr=1e-9)))\n'
    )
    run_tool('train.py', config, '--work-dir', tmp_path / 'large')
    large = load(tmp_path / 'large/iter_1.pth')['state_dict']
    for name, value in small.items():
        if name.startswith('predictor'):
            torch.testing.assert_close(large[name], value, rtol=0, atol=1e-6)
    assert any(small[name].shape != large[name].shape for name in small)


def test_benchmarks_of_video_run(run_tool, repository, write_config, tmp_path, capsys):
    write_config()
    options = [
        '--cfg-options',
        'model.predictor.widths=[[4],[4],[4],[4]]',
        'model.predictor.kernels=[[3,3],[3,3],[3,3],[3,3]]',
        *(f'train_dataloader.dataset.{key}' for key in ('videos=None', 'drop_repeats=None')),
        f'train_dataloader.dataset.data_root={tmp_path}/videos',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
    ]
    config = repository / 'configs/video_prediction/multiscale_gdl-l1_tiny_clips.py'
    small = ['--blocks', 1, '--steps', 1]
    run_tool('analysis_tools/benchmark.py', 'train', config, *small, *options)
    assert 'runner / bare: median' in capsys.readouterr().out
    run_tool('analysis_tools/benchmark.py', 'data', config, *options)
    assert 'batches of 8 a second with 0 workers' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/benchmark.py', 'train', repository / CONFIG, *small, *options)
    assert 'no discriminator' in capsys.readouterr().err


def test_the_bare_loop_is_the_forecaster(run_tool, repository):
    """What the benchmark compares computes the same loss."""
    module = runpy.run_path(str(repository / 'tools/analysis_tools/benchmark.py'))
    model = VideoForecaster(
        predictor=dict(
            type='MultiScalePredictor',
            channels=3,
            widths=((4,), (4,)),
            kernels=((3, 3), (3, 3)),
            out_act='tanh',
            losses=dict(l1=dict(type='mmdet.L1Loss'), gdl=dict(type='GDLoss')),
        )
    )
    optimizer = OptimWrapper(torch.optim.SGD(model.predictor.parameters(), lr=0.1))
    clips = torch.randint(0, 256, (2, 5, 3, 8, 8), dtype=torch.uint8)
    bare = module['BareLoop'](model, optimizer)
    loss, _ = model.parse_losses(model(clips.float(), None, mode='loss'))
    found = bare.step(dict(inputs=list(clips), data_samples=None))
    assert found == pytest.approx(loss.item(), rel=1e-5)


@pytest.mark.slow
def test_two_processes_keep_both_networks_in_step(repository, run, write_config, tmp_path):
    config = write_config(
        "custom_imports = dict(imports=['toy_task'], allow_failed_imports=False)\n"
        "custom_hooks = [dict(type='SaveEveryStepHook')]\n"
    )
    script = repository / 'tools/dist_train.sh'
    run('bash', script, config, 2, '--work-dir', tmp_path / 'run', STEPS=str(tmp_path))
    steps = [[load(tmp_path / f'{n}_{rank}.pth') for n in (1, 4)] for rank in (0, 1)]
    for one, other in zip(*steps):
        assert all(torch.equal(one[name], other[name]) for name in one)
    first, last = steps[0]
    for part in ('predictor', 'discriminator'):
        assert any(not torch.equal(first[k], last[k]) for k in first if k.startswith(part))
