import json
import os
import subprocess
import sys

import pytest
import torch


def steps(folder, rank):
    """The weights of a process after each of its iterations."""
    return [torch.load(folder / f'{number}_{rank}.pth') for number in range(1, 9)]


@pytest.mark.slow
def test_two_processes_train_one_model_as_one_process_does(repository, run, tmp_path):
    """2 x 2 is 1 x 4, with random transforms, over two epochs of four steps."""
    config = repository / 'tests/toy_task/epochs.py'
    options = [
        'train_cfg.max_epochs=2',
        'train_dataloader.dataset.size=16',
        'model.dropout=0',
        'val_cfg=None',
        'val_dataloader=None',
        'val_evaluator=None',
    ]
    for folder in ('two', 'one'):
        (tmp_path / folder).mkdir()
    # One argument has a space, which an unquoted "$@" would split.
    run(
        'bash',
        repository / 'tools/dist_train.sh',
        config,
        2,
        '--work-dir',
        tmp_path / 'run of two',
        '--cfg-options',
        *options,
        'train_dataloader.batch_size=2',
        STEPS=str(tmp_path / 'two'),
    )
    run(
        sys.executable,
        repository / 'tools/train.py',
        config,
        '--work-dir',
        tmp_path / 'run of one',
        '--cfg-options',
        *options,
        'train_dataloader.batch_size=4',
        STEPS=str(tmp_path / 'one'),
    )

    first, second = steps(tmp_path / 'two', 0), steps(tmp_path / 'two', 1)
    whole = steps(tmp_path / 'one', 0)
    for ours, theirs, single in zip(first, second, whole):
        for name in ours:
            assert torch.equal(ours[name], theirs[name])
            torch.testing.assert_close(ours[name], single[name], rtol=0, atol=1e-6)
    assert not torch.equal(whole[0]['layers.0.weight'], whole[-1]['layers.0.weight'])
    saved = torch.load(tmp_path / 'run of two/epoch_2.pth', weights_only=True)['state_dict']
    assert all(torch.equal(saved[name], second[-1][name]) for name in saved)


@pytest.mark.slow
def test_two_processes_score_as_one_process_does(repository, run, tmp_path):
    config = repository / 'tests/toy_task/epochs.py'
    run(sys.executable, repository / 'tools/train.py', config, '--work-dir', tmp_path / 'run')
    checkpoint = tmp_path / 'run/epoch_4.pth'
    scores = []
    for name, command in (
        ('two', ['bash', repository / 'tools/dist_test.sh', config, checkpoint, 2]),
        ('one', [sys.executable, repository / 'tools/test.py', config, checkpoint]),
    ):
        run(*command, '--work-dir', tmp_path / name, '--out', tmp_path / f'{name}.json')
        scores.append(json.loads((tmp_path / f'{name}.json').read_text()))
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


@pytest.mark.parametrize(
    'script, arguments, expected',
    [
        (
            'slurm_train.sh',
            ['gpus', 'my job', 'c.py', 'work dir', '--resume'],
            ['train.py', 'c.py', '--work-dir', 'work dir', '--launcher', 'slurm', '--resume'],
        ),
        (
            'slurm_test.sh',
            ['gpus', 'my job', 'c.py', 'a b.pth', '--out', 'x.json'],
            ['test.py', 'c.py', 'a b.pth', '--launcher', 'slurm', '--out', 'x.json'],
        ),
    ],
)
def test_slurm_scripts_pass_arguments_whole(repository, run, tmp_path, script, arguments, expected):
    """A stand-in for srun prints its arguments, one a line."""
    srun = tmp_path / 'srun'
    srun.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    lines = run(
        'bash',
        repository / 'tools' / script,
        *arguments,
        PATH=f'{tmp_path}:{os.environ["PATH"]}',
        GPUS='4',
        GPUS_PER_NODE='2',
        SRUN_ARGS='--qos high --mem 3G',
    ).splitlines()
    tool = next(number for number, line in enumerate(lines) if line.endswith('.py'))
    assert [os.path.basename(lines[tool]), *lines[tool + 1 :]] == expected
    slurm = lines[:tool]
    assert slurm[slurm.index('--job-name') + 1] == 'my job' and slurm[slurm.index('--ntasks') + 1] == '4'
    assert slurm[slurm.index('--gres') + 1] == 'gpu:2' and slurm[-6:-2] == [
        '--qos',
        'high',
        '--mem',
        '3G',
    ]


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh'])
def test_scripts_say_what_they_need(repository, script):
    done = subprocess.run(['bash', repository / 'tools' / script], text=True, capture_output=True)
    assert done.returncode != 0 and f'usage: {script}' in done.stderr


@pytest.mark.slow
def test_two_processes_keep_an_s2s_in_step(repository, run, street_root, tmp_path):
    """The shipped S2S config, through dist_train.sh: the same weights on both after every step."""
    config = tmp_path / 's2s.py'
    config.write_text(
        f"_base_ = '{repository}/configs/s2s/s2s_last_tiny_synthetic.py'\n"
        "custom_imports = dict(imports=['toy_task'], allow_failed_imports=False)\n"
        "custom_hooks = [dict(type='SaveEveryStepHook')]\n"
        f"train_dataloader = dict(batch_size=2, dataset=dict(data_root='{street_root}'))\n"
        'train_cfg = dict(max_iters=8, val_interval=100)\n'
        'param_scheduler = None\n'
        'val_dataloader = val_cfg = val_evaluator = None\n'
    )
    script = repository / 'tools/dist_train.sh'
    run('bash', script, config, 2, '--work-dir', tmp_path / 'run', STEPS=str(tmp_path))
    one, other = steps(tmp_path, 0), steps(tmp_path, 1)
    assert all(torch.equal(a[k], b[k]) for a, b in zip(one, other) for k in a)
    assert any(not torch.equal(one[0][k], one[-1][k]) for k in one[0])  # it did train


@pytest.mark.slow
def test_validation_loss_is_of_the_clips_of_all_processes(repository, run, tmp_path):
    config = repository / 'tests/toy_task/epochs.py'
    options = [
        'train_cfg.max_epochs=2',
        'train_dataloader.dataset.size=16',
        'model.dropout=0',
        'val_dataloader.dataset.size=6',
        'val_dataloader.batch_size=1',
        'default_hooks.val_loss.type=mmforecast.ValLossHook',
    ]
    losses = {}
    for name, batch, command in (
        ('two', 2, ['bash', repository / 'tools/dist_train.sh', config, 2]),
        ('one', 4, [sys.executable, repository / 'tools/train.py', config]),
    ):
        own = [*options, f'train_dataloader.batch_size={batch}']
        run(*command, '--work-dir', tmp_path / name, '--cfg-options', *own)
        (log,) = (tmp_path / name).glob('*/vis_data/scalars.json')
        records = map(json.loads, log.read_text().splitlines())
        losses[name] = [record['val_loss'] for record in records if 'val_loss' in record]
    assert len(losses['one']) == 2 and losses['two'] == pytest.approx(losses['one'], rel=1e-5)


@pytest.mark.slow
def test_two_processes_keep_a_creative_gan_in_step(repository, run, tmp_path):
    """A shipped config, made small: the same weights of both networks on both after every step."""
    config = tmp_path / 'gan.py'
    config.write_text(
        f"_base_ = '{repository}/configs/creative_gan/can-h_tiny_texture_textures-64.py'\n"
        "custom_imports = dict(imports=['toy_task'], allow_failed_imports=False)\n"
        "custom_hooks = [dict(type='SaveEveryStepHook')]\n"
        'model = dict(\n'
        '    generator=dict(output_scale=16, base_channels=8),\n'
        '    discriminator=dict(input_scale=16, base_channels=4))\n'
        'train_dataloader = dict(batch_size=4, dataset=dict(size=16, num_images=42))\n'
        'train_cfg = dict(max_iters=8)\n'
    )
    script = repository / 'tools/dist_train.sh'
    run('bash', script, config, 2, '--work-dir', tmp_path / 'run', STEPS=str(tmp_path))
    one, other = steps(tmp_path, 0), steps(tmp_path, 1)
    # Running statistics are each process's own.
    own = ('running_mean', 'running_var')
    weights = [name for name in one[0] if not name.endswith(own)]
    assert all(torch.equal(a[k], b[k]) for a, b in zip(one, other) for k in weights)
    for part in ('generator', 'discriminator', 'generator_ema'):
        trained = [name for name in weights if name.split('.')[0] == part]
        assert any(not torch.equal(one[0][k], one[-1][k]) for k in trained)
    statistics = [name for name in one[0] if name.endswith(own)]
    assert any(not torch.equal(one[-1][k], other[-1][k]) for k in statistics)  # other batches
