"""Scores of the model of `mmforecast design`, whose weights are shipped."""

import json
import re

import pytest
from PIL import Image

from mmforecast.apis.shipped import shipped_file
from mmforecast.cli.main import main
from mmforecast.creative.apis.design import WEIGHTS


def test_weights_are_small():
    from pathlib import Path

    assert Path(shipped_file(WEIGHTS)).stat().st_size < 4e6


@pytest.mark.slow
def test_shipped_model_designs_what_is_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(['design', '--num', '24', '--shape', 'dress'])
    text = (tmp_path / 'designs.html').read_text()
    assert 'https://' not in text and 'http://' not in text
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])
    found = [max(one['predicted']['shape'], key=one['predicted']['shape'].get) for one in data['designs']]
    assert found.count('dress') > 12  # chance is 4
    assert all(one['novelty'] > 0.05 for one in data['designs'])  # none is a copy


@pytest.mark.slow
def test_tables_of_the_shipped_model(run_tool, tmp_path, capsys):
    run_tool('analysis_tools/evaluate_design.py', '--num', 60, '--creativity', 0, 1, '--out', tmp_path / 'out')
    shown = capsys.readouterr().out
    rows = {line.split('|')[1].strip(): line for line in shown.splitlines() if line.startswith('|')}
    assert {'creativity 0', 'creativity 1', 'given', 'shuffled'} <= set(rows)
    given, shuffled = (float(rows[name].split('|')[3]) for name in ('given', 'shuffled'))
    assert given > shuffled + 0.1
    assert (tmp_path / 'out/shape_calibration.png').is_file()
    assert Image.open(tmp_path / 'out/masks_and_styles.png').size == (8 * 130 + 2, 6 * 130 + 2)
