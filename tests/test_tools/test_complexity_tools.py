"""The tools that say what F2F costs, at tiny size."""

import importlib.util
import re

import pytest
from mmengine.config import Config

TINY = 'configs/f2f/f2f_tiny_synthetic.py'
SMALL = ('--cfg-options', 'model.encoder.size=(64,128)')


@pytest.fixture(autouse=True)
def in_repository(monkeypatch, repository):
    monkeypatch.chdir(repository)


def test_get_flops_adds_up(run_tool, capsys):
    run_tool('analysis_tools/get_flops.py', TINY, '--shape', 64, 128, *SMALL)
    out = capsys.readouterr().out
    assert '64x128, 4 past frames, 3 steps' in out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[3:]}
    parts = [rows[part] for part in ('encoder', 'predictor', 'decoder')]
    assert int(rows['total'][0]) == sum(int(row[0]) for row in parts)
    assert float(rows['total'][-1]) == pytest.approx(sum(float(r[-1]) for r in parts), abs=2e-3)
    assert float(parts[1][-1]) == pytest.approx(3 * float(parts[1][1]), abs=2e-3)


@pytest.mark.parametrize(
    ('config', 'sentence'),
    [
        ('motion/s2s_cgnet_driving.py', 'counted on the CPU: MotionForecaster needs data'),
        ('s2s/s2s_2scale_tiny_synthetic.py', 'the representation of LabelMapEncoder comes with the data'),
        ('video_prediction/multiscale_l2_ucf101.py', '64x128, 4 past frames'),
    ],
)
def test_get_flops_says_what_is_excluded(run_tool, capsys, config, sentence):
    run_tool('analysis_tools/get_flops.py', f'configs/{config}', '--shape', 64, 128)
    out = capsys.readouterr().out
    assert sentence in out
    assert float(re.search(r'predictor +\d+ +([\d.]+)', out)[1]) > 0


@pytest.mark.slow
def test_every_forecaster_is_counted(run_tool, capsys, repository):
    has_timm = importlib.util.find_spec('timm') is not None
    for config in sorted(repository.glob('configs/*/*.py')):
        cfg = Config.fromfile(config)
        if 'TimmViT' in str(cfg.get('model')) and not has_timm:
            continue
        if 'model' in cfg and str(cfg.model.type).endswith('Forecaster'):
            run_tool('analysis_tools/get_flops.py', config, '--shape', 128, 256)
            assert 'whole forecast' in capsys.readouterr().out, config


def test_get_flops_needs_a_forecaster(run_tool, capsys):
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/get_flops.py', 'configs/detectors/mask-rcnn_tiny_synthetic.py')
    assert 'give a config whose model is a forecaster' in capsys.readouterr().err


def test_memory_of_a_training_step(run_tool, capsys):
    run_tool('analysis_tools/benchmark_f2f.py', 'memory', TINY, '--shape', 64, 128, *SMALL)
    out = capsys.readouterr().out
    assert '64x128, 1 clip, roll-out of 3' in out
    peak, before = map(float, re.search(r'peak ([\d.]+) GB .*, ([\d.]+) GB before', out).groups())
    assert 0 < before <= peak


@pytest.mark.slow
def test_streaming_against_the_clip(run_tool, capsys):
    run_tool(
        'analysis_tools/benchmark_f2f.py',
        *('streaming', TINY, '--shape', 64, 128, '--repeats', 3, *SMALL),
    )
    out = capsys.readouterr().out
    assert '64x128, 4 past frames, 3 steps' in out
    median, low, high = map(float, re.search(r'median (.*), min (.*), max (.*)', out).groups())
    assert 0 < low <= median <= high
