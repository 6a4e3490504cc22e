"""The tools that say what F2F costs, at tiny size."""

import re

import pytest

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


def test_get_flops_needs_a_forecaster(run_tool, capsys):
    with pytest.raises(SystemExit):
        run_tool('analysis_tools/get_flops.py', 'configs/detectors/mask-rcnn_tiny_synthetic.py')
    assert 'not a forecaster' in capsys.readouterr().err


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
