"""A GAN with two optimizers and averaged weights, killed again and again, and on a disk that is full."""

import os
import random
import shutil
import signal
import subprocess
import sys

import pytest
import torch

ITERS, INTERVAL, KILLS = 800, 8, 20


@pytest.fixture
def config(repository, tmp_path):
    """The shipped config, made small, with what kills it in the middle of a write."""
    path = tmp_path / 'gan.py'
    path.write_text(
        f"_base_ = '{repository}/configs/creative_gan/can-h_tiny_texture_textures-64.py'\n"
        "custom_imports = dict(imports=['toy_task'], allow_failed_imports=False)\n"
        "custom_hooks = [dict(type='KillHook')]\n"
        'model = dict(\n'
        '    ema_config=dict(start_iter=1),\n'
        '    generator=dict(output_scale=16, base_channels=8),\n'
        '    discriminator=dict(input_scale=16, base_channels=4))\n'
        'train_dataloader = dict(\n'
        '    batch_size=4, num_workers=0, persistent_workers=False,\n'
        '    dataset=dict(size=16, num_images=42))\n'
        'val_dataloader = val_cfg = val_evaluator = None\n'
        f'train_cfg = dict(max_iters={ITERS})\n'
        f'default_hooks = dict(checkpoint=dict(interval={INTERVAL}))\n'
        'randomness = dict(seed=0)\n'
    )
    return path


@pytest.fixture
def start(start_tool, repository, config, tmp_path):
    """A started training: ``start(folder, *arguments, **environment)``."""

    def run(folder, *arguments, **environment):
        process = start_tool(
            str(repository / 'tools/train.py'),
            [str(config), '--work-dir', str(tmp_path / folder), *arguments],
            environment,
            str(tmp_path / 'log.txt'),
        )
        process.start()
        return process

    return run


def last_iteration(folder):
    """Of the checkpoint to resume from, 0 where there is none. Every checkpoint must be whole."""
    for path in folder.glob('*.pth'):
        torch.load(path, weights_only=True)
    if not (folder / 'last_checkpoint').exists():
        return 0
    path = (folder / 'last_checkpoint').read_text()
    return torch.load(path, weights_only=True)['meta']['iter']


def assert_same(one, other, where=''):
    """Tensors in nested containers are equal."""
    if torch.is_tensor(one):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_same(one[key], other[key], f'{where}.{key}')
    elif isinstance(one, (list, tuple)):
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f'{where}[{number}]')


@pytest.mark.slow
def test_twenty_kills_at_random_moments_change_nothing(start, tmp_path):
    rng, run, before, in_writes = random.Random(0), tmp_path / 'killed', 0, 0
    for kill in range(KILLS):
        if kill % 2:  # halfway through a file: a checkpoint, or the note which is the last
            process = start('killed', '--resume', KILL_AT_WRITE=str(rng.randint(1, 5)))
            process.join(100)
            in_writes += 1
        else:
            # After some seconds, and on fast machines after some iterations.
            limits = dict(KILL_AT_WRITE='0', KILL_AT_ITER=str(before + rng.randint(9, 50)))
            process = start('killed', '--resume', **limits)
            process.join(rng.uniform(1, 6))
            process.kill()
            process.join()
        assert process.exitcode == -signal.SIGKILL, (tmp_path / 'log.txt').read_text()[-2000:]
        now = last_iteration(run)
        print(f'kill {kill + 1}: {"write" if kill % 2 else "time"}, {before} -> {now}')
        assert now >= before and now < ITERS
        before = now
    assert in_writes == KILLS // 2 and before > 0
    for folder, arguments in (('killed', ['--resume']), ('whole', [])):
        process = start(folder, *arguments, KILL_AT_WRITE='0')
        process.join(300)
        assert process.exitcode == 0
    assert not list(run.glob('.*.partial'))
    ours, theirs = (
        torch.load(tmp_path / folder / f'iter_{ITERS}.pth', weights_only=True)
        for folder in ('killed', 'whole')
    )
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_same(ours.get(key), theirs.get(key), key)
    assert ours['state_dict']['generator_ema.steps'] == ITERS


@pytest.mark.slow
def test_full_disk_keeps_the_last_checkpoint_and_says_so(start, config, repository, tmp_path):
    """A file system of its own, in memory, that holds two checkpoints and a half."""
    if not shutil.which('unshare') or subprocess.run(['unshare', '-rm', 'true']).returncode:
        pytest.skip('mounting a file system is not permitted here')
    process = start('whole', '--cfg-options', f'train_cfg.max_iters={INTERVAL}')
    process.join(100)
    size = (tmp_path / f'whole/iter_{INTERVAL}.pth').stat().st_size
    disk = tmp_path / 'disk'
    disk.mkdir()
    train = f'{repository}/tools/train.py {config} --work-dir {disk}/run --cfg-options '
    train += f'train_cfg.max_iters={4 * INTERVAL} default_hooks.checkpoint.max_keep_ckpts=3'
    script = (
        f'mount -t tmpfs -o size={int(2.5 * size) // 1024}k tmpfs {disk} && '
        f'{sys.executable} {train} > {tmp_path}/log.txt 2>&1; echo status $?; ls {disk}/run'
    )
    path = os.pathsep.join([str(repository / 'tests/toy_task'), str(repository)])
    done = subprocess.run(
        ['unshare', '-rm', 'sh', '-c', script],
        env=dict(os.environ, PYTHONPATH=path, OMP_NUM_THREADS='1'),
        capture_output=True,
        text=True,
        timeout=200,
    )
    log = (tmp_path / 'log.txt').read_text()
    assert 'status 2' in done.stdout, log[-2000:]
    assert f'iter_{2 * INTERVAL}.pth' in done.stdout and f'iter_{3 * INTERVAL}.pth' not in done.stdout
    kept = f'No space left on device; the last whole checkpoint is {disk}/run/iter_{2 * INTERVAL}.pth'
    assert log.count('Training continues without it') == 2
    assert f'Error: Could not write {disk}/run/iter_{4 * INTERVAL}.pth: {kept}' in log
