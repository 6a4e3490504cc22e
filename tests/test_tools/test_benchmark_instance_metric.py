"""The benchmark of the instance metric runs, and compares AP values that say something."""

import re

import pytest


@pytest.mark.filterwarnings('ignore:`in1d` is deprecated')  # in the official script
def test_both_metrics_agree_on_a_small_picture(run_tool, capsys):
    run_tool(
        'analysis_tools/benchmark_instance_metric.py',
        *('--images', 2, '--objects', 6, '--predictions', 9, '--size', 128, 256),
    )
    out = capsys.readouterr().out
    assert re.search(r'mmdet / ours: \d+\.\d', out)
    ours, theirs = re.search(r'ours ([\d.]+) [\d.]+, mmdet ([\d.]+)', out).groups()
    assert 0 < float(ours) < 100
    assert float(ours) == pytest.approx(float(theirs), abs=2e-6)
