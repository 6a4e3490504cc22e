"""The command as a user calls it, on a small config with a base."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'misc' / 'print_config.py'


def print_config(*arguments):
    return subprocess.run([sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def config(tmp_path):
    (tmp_path / 'base.py').write_text("model = dict(type='S2S', num_past=4)\n")
    path = tmp_path / 'child.py'
    path.write_text("_base_ = 'base.py'\nmodel = dict(num_future=3)\n")
    return path


def test_prints_what_is_inherited_and_changed(config, tmp_path):
    result = print_config(config, '--cfg-options', 'model.num_past=2', 'scales=[1,2]')
    assert result.returncode == 0, result.stderr
    (tmp_path / 'printed.py').write_text(result.stdout)
    whole = Config.fromfile(tmp_path / 'printed.py').to_dict()
    assert whole == dict(model=dict(type='S2S', num_past=2, num_future=3), scales=[1, 2])


@pytest.mark.parametrize('suffix', ['.py', '.json', '.yml'])
def test_saves_what_can_be_read_back(config, tmp_path, suffix):
    target = tmp_path / 'new' / f'whole{suffix}'
    assert print_config(config, '--save-path', target).returncode == 0
    assert Config.fromfile(target).model == dict(type='S2S', num_past=4, num_future=3)


def test_refuses_a_suffix_it_cannot_write(config, tmp_path):
    result = print_config(config, '--save-path', tmp_path / 'whole.txt')
    assert result.returncode == 2
    assert '--save-path must end in one of .py, .json, .yml, .yaml' in result.stderr
