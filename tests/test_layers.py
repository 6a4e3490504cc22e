"""The layers of the package: what may import what, and what an import pulls in."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'mmforecast'
# From the ground floor up; a package imports only from its own floor and those below.
FLOORS = (
    ('version', 'registry', 'utils', 'ops', 'fileio', 'structures'),
    ('datasets', 'evaluation', 'street', 'weight_conversion'),
    ('models',),
    ('visualization', 'engine'),
    ('apis', 'creative'),
    ('cli',),
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
# Modules that have moved up and forward, with a warning.
FORWARDING = {'engine/cli.py', 'engine/errors.py', 'utils/fingerprint.py'}
FILES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob('*.py')
    if path.parent != PACKAGE and '.mim' not in path.parts
)


def imported_packages(file):
    """The packages of mmforecast that a file imports, by name."""
    for node in ast.walk(ast.parse((PACKAGE / file).read_text())):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [f'{node.module}.{alias.name}' for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith('mmforecast.'):
                yield name.split('.')[1]


@pytest.mark.parametrize('package', [name for name in FLOOR if (PACKAGE / name).is_dir()])
def test_no_import_runs_upward(package):
    for file in FILES:
        if file.split('/')[0] == package and file not in FORWARDING:
            upward = [name for name in imported_packages(file) if FLOOR.get(name, 0) > FLOOR[package]]
            assert not upward, f'{file} imports {upward}'


def test_every_package_has_a_floor():
    assert {file.split('/')[0] for file in FILES} <= set(FLOOR)


def test_the_core_knows_neither_creative_nor_the_street():
    for file in FILES:
        if file.split('/')[0] not in ('creative', 'street', 'cli', 'apis'):
            assert not {'creative', 'street'} & set(imported_packages(file)), file


def modules_after(program):
    listing = f'{program}; import sys; print("\\n".join(sys.modules))'
    return set(
        subprocess.run(
            [sys.executable, '-c', listing], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    )


def test_models_import_no_training_engine_and_no_plots():
    loaded = modules_after('import mmforecast.models')
    assert 'mmforecast.models.forecasters.f2f' in loaded  # something was imported
    heavy = (
        'matplotlib',
        'mmdet.models',
        'mmseg',
        'mmforecast.engine',
        'mmforecast.creative',
        'mmforecast.street',
    )
    assert not loaded & set(heavy)
