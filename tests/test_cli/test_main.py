"""The command ``mmforecast``: what it prints, writes and exits with."""

import json
import os
import resource
import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

from mmforecast.apis.inferencers.files import ForecastFiles
from mmforecast.cli import demo
from mmforecast.cli.main import COMMANDS, main
from mmforecast.datasets.public_data import PUBLIC_DATA
from mmforecast.fileio import checkpoint
from mmforecast.visualization import write_video

# The smaller the frames that the detector sees, the faster.
SMALL = ['--cfg-options', 'model.encoder.size=(96,160)', 'model.encoder.chunk=1']


@pytest.fixture(autouse=True)
def command_line(monkeypatch):
    """``main`` writes to ``sys.argv``, as ``cli_errors`` does."""
    monkeypatch.setattr(sys, 'argv', ['mmforecast'])


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    """A video of 12 frames."""
    pytest.importorskip('av')
    path = tmp_path_factory.mktemp('clip') / 'clip.mp4'
    frames = np.random.default_rng(0).integers(0, 256, (12, 6, 10, 3), dtype=np.uint8)
    write_video(path, list(np.kron(frames, np.ones((1, 8, 8, 1), np.uint8))), 10, hold_last=0)
    return path


def status(*argv):
    """The exit status of a command."""
    try:
        main([str(argument) for argument in argv])
    except SystemExit as end:
        return end.code or 0
    return 0


@pytest.mark.parametrize('name', COMMANDS)
def test_help_has_examples(name, capsys):
    assert status(name, '--help') == 0
    printed = capsys.readouterr().out
    assert 'examples:' in printed and f'mmforecast {name}' in printed


def test_help_names_all_commands(capsys):
    assert status('--help') == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in COMMANDS)
    assert status('--version') == 0
    assert capsys.readouterr().out.startswith('mmforecast ')


@pytest.mark.parametrize(
    'code',
    [
        'import mmforecast',
        "from mmforecast.cli.main import main; main(['--help'])",
        "from mmforecast.cli.main import main; main(['predict', '--help'])",
        "from mmforecast.cli.main import main; main(['batch', '--help'])",
    ],
)
def test_help_starts_fast(code):
    """Less than a second of processor time, and none of the libraries that take longer."""
    heavy = ('av', 'cv2', 'matplotlib', 'mmcv', 'mmdet', 'mmseg', 'pyarrow', 'ray', 'scipy', 'torch')
    loaded = f'[name for name in {heavy} if name in sys.modules]'
    code = f'import atexit, sys\natexit.register(lambda: print("loaded", {loaded}))\n{code}'
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.splitlines()[-1] == 'loaded []'
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


def test_forecast_imports_only_what_it_runs(clip, tmp_path):
    """Not what plots, scores, detects or trains: it would take as long as all the rest."""
    heavy = (
        *('matplotlib', 'mmdet.models', 'mmseg', 'pandas', 'scipy.optimize', 'scipy.stats', 'sympy'),
        'torch.distributed.fsdp',
    )
    argv = ['predict', str(clip), '--out', str(tmp_path), '--stride', '1', '--formats', 'json']
    code = (
        f'import sys; sys.argv[1:] = {argv}\nfrom mmforecast.__main__ import main; main()\n'
        f'heavy = {heavy}\n'
        # torchvision loads the last two itself
        "heavy = heavy[:-2] if 'torchvision' in sys.modules else heavy\n"
        'print([name for name in heavy if name in sys.modules])\n'
        'from mmengine.model import MMFullyShardedDataParallel as left_out\n'
        'try: left_out()\nexcept RuntimeError as error: print(error)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    loaded, refused = done.stdout.splitlines()[-2:]
    assert loaded == '[]' and (tmp_path / 'clip_forecast.json').is_file()
    assert refused == 'MMFullyShardedDataParallel was left out of this process, which runs networks only'


@pytest.mark.parametrize(
    'argv',
    [
        (),
        ('frobnicate',),
        ('predict',),
        ('predict', 'a.mp4', '--at', '3', '--every', '2'),
        ('predict', 'a.mp4', 'b', 'c', 'd'),
        ('predict', 'a.mp4', '--system', 'x'),
        ('download-info', 'imagenet'),
        ('compare',),
    ],
)
def test_wrong_usage_is_status_2(argv, capsys):
    assert status(*argv) == 2
    assert 'usage: mmforecast' in capsys.readouterr().err


def test_one_command_forecasts_frames(clip, tmp_path, capsys):
    assert status('predict', clip, '--out', tmp_path, '--horizon', 2, '--stride', 1) == 0
    printed = capsys.readouterr().out
    assert 'motion forecaster: the newest frame moves on' in printed
    assert 'frame 12 (+0.10 s): a picture' in printed
    for path in ('clip_forecast.mp4', 'clip_forecast.gif', 'clip_forecast.json', 'clip_frames'):
        assert (tmp_path / path).exists() and f'  {tmp_path / path}' in printed
    assert len(list((tmp_path / 'clip_frames').iterdir())) == 2


def test_one_command_makes_a_forecast_of_instances(clip, tmp_path, capsys):
    options = ['--system', 'f2f', '--out', tmp_path, '--stride', 2, '--horizon', 2, *SMALL]
    assert status('predict', clip, *options) == 0
    printed = capsys.readouterr().out
    assert f'{clip}: 12 frames, 10 per second' in printed
    assert 'were trained on a drawn, synthetic street: expect little of them in real video' in printed
    assert 'forecast from frames 5, 7, 9, 11:' in printed and 'frame 13 (+0.20 s): ' in printed
    assert 'Loads checkpoint' not in printed
    for kind in ('mp4', 'gif', 'json'):
        path = tmp_path / f'clip_forecast.{kind}'
        assert path.is_file() and f'  {path}' in printed
    report = json.loads((tmp_path / 'clip_forecast.json').read_text())
    assert report['horizon'] == 2 and report['weights'].endswith('6e61a82d.pth')


def test_along_a_video_by_a_baseline(clip, tmp_path, capsys):
    options = ['--stride', 2, '--every', 2, '--horizon', 1, '--formats', 'json', *SMALL]
    assert status('predict', clip, '--system', 's2s', '--out', tmp_path, *options) == 0
    printed = capsys.readouterr().out
    assert 'flow: no trained S2S is shipped' in printed
    assert '3 forecasts, from frame 6 to 10' in printed
    assert [path.name for path in tmp_path.iterdir()] == ['clip_forecast.json']


@pytest.mark.parametrize(
    'fps, sentence',
    [(17, ''), (30, 'a step is 0.10 s here and was 0.18 s in training: --stride 5 comes closest')],
)
def test_the_time_of_a_step_is_told_where_it_differs(fps, sentence, clip, tmp_path, capsys):
    options = ['--fps', fps, '--out', tmp_path, '--formats', 'json', '--horizon', 1, *SMALL]
    assert status('predict', clip, '--system', 's2s', *options) == 0
    printed = capsys.readouterr().out
    assert sentence in printed and ('in training' in printed) == bool(sentence)


def test_a_config_of_ones_own(clip, tmp_path, repository, capsys):
    config = tmp_path / 'mine.py'
    config.write_text(
        f"_base_ = '{repository}/configs/f2f/f2f_tiny_synthetic.py'\n"
        "model = dict(predictor=dict(_delete_=True, type='CopyLast'))\n"
    )
    options = ['--out', tmp_path, '--formats', 'png', 'json', *SMALL]
    assert status('predict', clip, config, 'none', *options) == 0
    assert 'mine' in capsys.readouterr().out


def test_a_segmentor_of_ones_own(clip, tmp_path, capsys):
    from mmseg.registry import MODELS

    segmentor = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor'),
        backbone=dict(type='ResNetV1c', depth=18, base_channels=8, norm_cfg=dict(type='BN')),
        decode_head=dict(type='FCNHead', in_channels=64, channels=8, num_classes=2, norm_cfg=dict(type='BN')),
        test_cfg=dict(mode='whole'),
    )
    config, weights = tmp_path / 'two_classes.py', tmp_path / 'weights.pth'
    config.write_text(
        f"model = {segmentor}\ntest_pipeline = [dict(type='Resize', scale=(64, 32), keep_ratio=True)]\n"
    )
    with DefaultScope.overwrite_default_scope('mmseg'):
        state = MODELS.build(ConfigDict(segmentor)).state_dict()
    torch.save(dict(state_dict=state, meta=dict(CLASSES=['road', 'sky'])), weights)
    assert status('predict', clip, '--model', config, weights, '--out', tmp_path, '--formats', 'png') == 0
    printed = capsys.readouterr().out
    assert 'two_classes: label maps of the segmentor are moved on' in printed
    assert 'frames are resized to fit 64x32' in printed
    assert 'road' in printed or 'sky' in printed


@pytest.mark.parametrize(
    'argv, sentence',
    [
        (['nowhere.mp4'], 'Error: there is no video or folder nowhere.mp4'),
        (['{clip}', 'nowhere.py'], 'nowhere.py'),
        (
            ['{clip}', '--stride', '9'],
            'clip.mp4 has 12 frames, but a forecast is made from 4',
        ),
        (
            ['{clip}', '--baseline', 'x'],
            "VideoForecaster has no baseline 'x'; choose from copy-last",
        ),
        (['{clip}', 'a.py', '--system', 'f2f'], 'give a config, --system or --model, only one of them'),
        (['{clip}', '--model', 'a', '--system', 'f2f'], 'give a config, --system or --model, only one'),
        (
            ['{clip}', '--model', 'a', 'b', 'c'],
            '--model takes a name or a config, and a checkpoint, got a b c',
        ),
        (
            ['{clip}', '--model', 'rtmdet_tiny_8xb32_300e_coco'],
            "has a model or config 'rtmdet_tiny_8xb32_300e_coco'; did you mean rtmdet_tiny_8xb32-300e_coco",
        ),
    ],
)
def test_errors_are_a_sentence_and_status_1(argv, sentence, clip, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    argv = [word.format(clip=clip) if word == '{clip}' else word for word in argv]
    assert status('predict', *argv) == 1
    printed = capsys.readouterr().err
    assert sentence in printed and 'Traceback' not in printed
    assert not list(tmp_path.rglob('*.*'))


def test_ctrl_c_leaves_nothing_half_done(clip, tmp_path, monkeypatch, capsys):
    add, count = ForecastFiles.add, []

    def interrupted(self, forecast):
        add(self, forecast)
        count.append(forecast)
        if len(count) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(ForecastFiles, 'add', interrupted)
    out = tmp_path / 'out'
    options = ['--every', 2, '--stride', 2, '--horizon', 1, *SMALL]
    assert status('predict', clip, '--system', 'f2f', '--out', out, *options) == 130
    assert f'Interrupted. The files in {out} are complete' in capsys.readouterr().err
    assert not list(out.rglob('*'))


def test_unsafe_checkpoints_are_a_choice(clip, tmp_path, monkeypatch):
    monkeypatch.setenv(checkpoint.ALLOW_UNSAFE_ENV, '0')
    status('predict', clip, 'nowhere.py', 'x.pth', '--allow-unsafe-checkpoint')
    assert os.environ[checkpoint.ALLOW_UNSAFE_ENV] == '1'


def test_compare_is_the_tool(run_tool, street_root, tmp_path, capsys, repository):
    config = repository / 'configs/s2s/s2s_warp_tiny_synthetic.py'
    options = [
        f'test_dataloader.dataset.data_root={street_root}',
        'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False',
    ]
    words = [config, '--baselines', 'copy-last', '--horizons', 1, '--cfg-options', *options]
    assert status('compare', *words) == 0
    table = capsys.readouterr().out
    run_tool('analysis_tools/compare.py', *words)
    assert table == capsys.readouterr().out and 'copy-last' in table


def test_download_info(capsys):
    assert status('download-info') == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in PUBLIC_DATA)
    assert status('download-info', 'ucf101') == 0
    assert 'ucfTrainTestlist/trainlist01.txt' in capsys.readouterr().out


def test_demo_needs_a_checkout(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(demo, '_CHECKOUT', tmp_path)
    assert status('demo', '--iters', '1') == 1
    assert 'the demo is part of a checkout of the repository' in capsys.readouterr().err


def test_python_m(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['mmforecast', '--version'])
    with pytest.raises(SystemExit) as end:
        runpy.run_module('mmforecast', run_name='__main__')
    assert end.value.code == 0 and 'mmforecast' in capsys.readouterr().out


def test_the_command_is_installed(repository):
    assert "'mmforecast=mmforecast.__main__:main'" in (repository / 'setup.py').read_text()
