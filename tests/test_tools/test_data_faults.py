"""Random files of a dataset damaged: training survives, and counts them; or stops at the first."""

import json
import random
import re
import shutil

import pytest

S2S = 'configs/s2s/s2s_2scale_tiny_synthetic.py'


def damage(path, kind):
    data = path.read_bytes()
    if kind == 'missing':
        path.unlink()
        path.symlink_to('nowhere')  # found when the folder is listed, and gone when it is read
    else:
        spoilt = dict(truncated=data[: len(data) // 2], empty=b'', corrupt=data[:40] + bytes(200))
        path.write_bytes(spoilt[kind])


@pytest.fixture
def damaged(street_root, tmp_path):
    """The small street, with eight random label maps spoilt; their paths."""
    root = tmp_path / 'street'
    shutil.copytree(street_root, root)
    rng = random.Random(0)
    chosen = rng.sample(sorted(root.glob('gtFine_sequence/train/*/*labelTrainIds.png')), 8)
    for number, path in enumerate(chosen):
        damage(path, ('missing', 'truncated', 'empty', 'corrupt')[number % 4])
    return root, {str(path) for path in chosen}


def arguments(root, tmp_path, *options):
    loaders = [f'{name}_dataloader.dataset.data_root={root}' for name in ('train', 'val', 'test')]
    loaders += ['train_dataloader.num_workers=2', 'train_dataloader.batch_size=4']
    small = ['model.predictor.widths=[[4],[4]]', 'model.predictor.kernels=[[3,3],[3,3]]']
    no_validation = [f'val_{part}=None' for part in ('dataloader', 'cfg', 'evaluator')]
    steps = [*no_validation, 'train_cfg.max_iters=6', 'train_cfg.val_interval=100']
    return [
        S2S,
        '--work-dir',
        tmp_path / 'run',
        '--cfg-options',
        *loaders,
        *small,
        *steps,
        *options,
    ]


def test_training_survives_random_faults(run_tool, repository, monkeypatch, damaged, tmp_path):
    monkeypatch.chdir(repository)
    root, paths = damaged
    run_tool('train.py', *arguments(root, tmp_path))
    replaced = json.loads((tmp_path / 'run/corrupt_files.json').read_text())['replaced']
    assert replaced and set(replaced) <= paths
    assert all('restore the file' in entry['reason'] for entry in replaced.values())
    (log,) = (tmp_path / 'run').glob('*/*.log')
    times = sum(entry['times'] for entry in replaced.values())
    assert f'{len(replaced)} files could not be used, and {times} times another' in log.read_text()


def test_first_fault_is_fatal_by_config(run_tool, repository, monkeypatch, damaged, tmp_path, capsys):
    monkeypatch.chdir(repository)
    root, paths = damaged
    with pytest.raises(SystemExit) as stop:
        run_tool('train.py', *arguments(root, tmp_path, 'train_dataloader.dataset.on_corrupt=raise'))
    assert stop.value.code == 2
    (sentence,) = re.findall(r'^Error: .*$', capsys.readouterr().err, flags=re.MULTILINE)
    assert any(path in sentence for path in paths) and 'restore the file' in sentence
