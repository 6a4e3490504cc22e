"""The tool that measures forecasts of motion, at small size."""

import re


def test_everything_is_measured_against_flow(run_tool, capsys):
    run_tool('analysis_tools/benchmark_motion.py', '--shape', 96, 192, '--repeats', 3, '--threads', 1)
    out = capsys.readouterr().out
    assert '96x192, 3 steps, 1 threads, 3 repeats' in out
    ratios = dict(re.findall(r'(\w+): .* of DIS: median ([\d.]+)', out))
    assert list(ratios) == ['DIS', 'EgoMotion', 'MotionForecaster']
    assert float(ratios['DIS']) == 1 < float(ratios['EgoMotion'])
