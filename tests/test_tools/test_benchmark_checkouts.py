"""The tool that compares the time of a command in two checkouts."""

import re

import pytest


def test_checkouts_are_measured_by_turns(run_tool, tmp_path, capsys):
    log = tmp_path / 'log'
    for name, work in (('slow', 3_000_000), ('fast', 1)):
        (tmp_path / name).mkdir()
        code = f'open({str(log)!r}, "a").write("{name} ")\nsum(range({work} * 10))\n'
        (tmp_path / name / 'work.py').write_text(code)
    run_tool(
        'analysis_tools/benchmark_checkouts.py',
        *(tmp_path / 'slow', tmp_path / 'fast', '--repeats', 2, '--', '-m', 'work'),
    )
    assert log.read_text().split() == ['slow', 'fast', 'fast', 'slow']
    rows = dict(re.findall(r'^(processor|clock) .*?s +([\d.]+) ', capsys.readouterr().out, re.M))
    assert list(rows) == ['processor', 'clock']
    assert float(rows['processor']) < 0.7


def test_failing_commands_are_shown(run_tool, tmp_path):
    with pytest.raises((RuntimeError, SystemExit), match='no_such_module'):
        run_tool('analysis_tools/benchmark_checkouts.py', tmp_path, tmp_path, '--', '-m', 'no_such_module')
