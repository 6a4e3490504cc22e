"""Modules at their old places: what they had is there, with a warning that names the new place."""

import importlib
import sys

import pytest

MOVED = {
    'mmforecast.engine.cli': ('mmforecast.cli.common', ['read_config', 'cli_errors', 'add_runner_arguments']),
    'mmforecast.engine.errors': ('mmforecast.cli.errors', ['explain']),
    'mmforecast.utils.fingerprint': ('mmforecast.fileio.fingerprint', ['weights_fingerprint']),
}


@pytest.mark.parametrize('old', MOVED)
def test_old_place_forwards_and_warns(old, monkeypatch):
    new, names = MOVED[old]
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=f'^{old} has moved to {new}$') as caught:
        module = importlib.import_module(old)
    assert len(caught) == 1
    for name in names:
        assert getattr(module, name) is getattr(importlib.import_module(new), name)
