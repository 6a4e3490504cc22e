"""docs/migration.md: what a module was called before is gone or forwards, and its new name exists."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / 'docs/migration.md').read_text()
MOVED = re.findall(r'^\| `(mmforecast\.[\w.]+)` \| `(mmforecast\.[\w.]+)` \|', PAGE, re.M)
FORWARDED = ('mmforecast.engine.cli', 'mmforecast.engine.errors', 'mmforecast.utils.fingerprint')
# Old names of modules that other modules have taken over.
REUSED = ('mmforecast.models.discriminators.base', 'mmforecast.models.necks.f2f_neck')


def exists(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of a parent
        return False


@pytest.mark.parametrize('before, now', MOVED)
def test_moved_modules(before, now):
    assert exists(now)
    assert exists(before) == (before in FORWARDED) or before in REUSED


def test_the_table_was_read():
    assert len(MOVED) > 50 and set(FORWARDED) < {before for before, _ in MOVED}


@pytest.mark.parametrize('name', FORWARDED)
def test_forwarding_warns(name, monkeypatch):
    monkeypatch.delitem(sys.modules, name, raising=False)
    new = importlib.import_module(dict(MOVED)[name])
    with pytest.warns(DeprecationWarning, match=f'{name} has moved to {new.__name__}'):
        old = importlib.import_module(name)
    public = [key for key in vars(old) if not key.startswith('_') and key != 'warnings']
    assert public and all(getattr(old, key) is getattr(new, key) for key in public)


@pytest.mark.parametrize(
    'package, name, now',
    [
        ('mmforecast.datasets', 'FashionDataset', 'mmforecast.creative.datasets'),
        ('mmforecast.datasets.transforms', 'FitToSquare', 'mmforecast.creative.datasets'),
        ('mmforecast.structures', 'CreativeDataSample', 'mmforecast.creative'),
        ('mmforecast.engine', 'load_checkpoint', 'mmforecast.fileio'),
        ('mmforecast.engine', 'explain', 'mmforecast.cli.errors'),
        ('mmforecast.models.losses', 'CreativityLoss', 'mmforecast.creative.losses'),
        ('mmforecast.evaluation', 'AttributeAccuracy', 'mmforecast.creative.evaluation'),
    ],
)
def test_names_that_moved_are_still_found(package, name, now):
    with pytest.warns(DeprecationWarning, match=f'{name} has moved from {package} to {now}'):
        found = getattr(importlib.import_module(package), name)
    assert found is getattr(importlib.import_module(now), name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        importlib.import_module(package).nothing  # noqa: B018


def test_a_name_that_was_respelled_is_still_found():
    losses = importlib.import_module('mmforecast.models.losses')
    with pytest.warns(DeprecationWarning, match=r'to mmforecast\.creative\.losses\.normalized_entropy'):
        found = losses.normalised_entropy
    assert found is importlib.import_module('mmforecast.creative.losses').normalized_entropy
