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


def test_commands_that_measure_themselves_must_agree(run_tool, tmp_path, capsys):
    code = (
        'import json, sys\n'
        'value = {value} + 0.25 * ("--more" in sys.argv)\n'
        'print("loading")\n'
        'print(json.dumps(dict(processor={seconds}, clock=1, values=dict(small=[value], large=[1e9]))))\n'
    )
    for name, value, seconds in (('before', 4.0, 2.0), ('after', 4.0002, 0.5)):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'work.py').write_text(code.format(value=value, seconds=seconds))
    tool = 'analysis_tools/benchmark_checkouts.py', tmp_path / 'before', tmp_path / 'after'
    given = ('--repeats', 1, '--measured')
    run_tool(*tool, *given, '--', '-m', 'work')
    processor, clock = capsys.readouterr().out.splitlines()[-2:]
    assert processor.split()[-5:] == ['0.250', '0.250', 'to', '0.250', '5e-05']
    assert clock.split()[1:] == ['1.00', 's', '1.00', 's', '1.000', '1.000', 'to', '1.000', '5e-05']
    with pytest.raises((RuntimeError, SystemExit), match='small differs by 6.3e-02 of its largest value'):
        run_tool(*tool, *given, '--second-only=--more', '--', '-m', 'work')
    run_tool(*tool, *given, '--second-only=--more', '--tolerance', 0.1, '--', '-m', 'work')
    assert '6e-02' in capsys.readouterr().out
