"""What is built from a checkout: wheel, source archive, editable install. Uses no network."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE_PARTS = ('page.html.jinja', 'page.css', 'player.js')
LEFT_OUT = shutil.ignore_patterns('__pycache__', '.mim', '*.egg-info')


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy of what packaging reads, and the tests, which it must leave out."""
    copy = tmp_path_factory.mktemp('checkout')
    for name in ('mmforecast', 'configs', 'tools', 'tests', 'requirements'):
        shutil.copytree(ROOT / name, copy / name, ignore=LEFT_OUT)
    for name in (
        'setup.py',
        'pyproject.toml',
        'MANIFEST.in',
        'README.md',
        'LICENSE',
        'model-index.yml',
    ):
        shutil.copy2(ROOT / name, copy)
    return copy


def build(source, kind, target):
    """Calls the build backend as pip does, where torch cannot be imported, as in isolation."""
    target.mkdir(exist_ok=True)
    (target / 'torch.py').write_text('raise ImportError("setup.py must not import torch")')
    code = f'import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])'
    result = subprocess.run(
        [sys.executable, '-c', code, target],
        cwd=source,
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(target)},
    )
    assert result.returncode == 0, result.stderr
    (target / 'torch.py').unlink()
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope='module')
def wheel(checkout, tmp_path_factory):
    return zipfile.ZipFile(build(checkout, 'wheel', tmp_path_factory.mktemp('wheel')))


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """The folder that an installation of the wheel would fill."""
    folder = tmp_path_factory.mktemp('site-packages')
    wheel.extractall(folder)
    return folder


@pytest.fixture(scope='module')
def metadata(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith('.dist-info/METADATA'))
    return message_from_string(wheel.read(name).decode())


def run_python(*arguments, path):
    """Runs this Python with a folder before everything that is installed."""
    return subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=path,
        env={**os.environ, 'PYTHONPATH': str(path)},
    )


def relative_files(folder, *suffixes):
    return {file.relative_to(folder).as_posix() for file in folder.rglob('*') if file.suffix in suffixes}


def test_wheel_holds_the_whole_package_and_nothing_beside_it(wheel, checkout, metadata):
    version = metadata['Version']
    assert {name.split('/')[0] for name in wheel.namelist()} == {
        'mmforecast',
        f'mmforecast-{version}.dist-info',
    }
    modules = {f'mmforecast/{name}' for name in relative_files(checkout / 'mmforecast', '.py')}
    assert modules == {name for name in wheel.namelist() if name.endswith('.py') and '/.mim/' not in name}
    parts = {f'mmforecast/visualization/report/{name}' for name in PAGE_PARTS}
    parts |= {f'mmforecast/creative/apis/design_page/page.{ending}' for ending in ('html.jinja', 'css', 'js')}
    parts.add('mmforecast/creative/human_study/form.html.jinja')
    assert parts <= set(wheel.namelist())


def test_wheel_holds_configs_and_tools_where_mim_looks(installed, checkout):
    mim = installed / 'mmforecast' / '.mim'
    assert relative_files(checkout / 'configs', '.py', '.yml') == relative_files(
        mim / 'configs', '.py', '.yml'
    )
    tools = {
        name for name in relative_files(checkout / 'tools', '.py', '.sh') if not name.startswith('bootstrap/')
    }
    assert tools == relative_files(mim / 'tools', '.py', '.sh')
    assert (mim / 'model-index.yml').is_file()


def test_installed_package_offers_its_configs_and_tools(installed):
    code = (
        'from mmengine.config import Config; import mmforecast;'
        "print(Config.fromfile('child.py').default_scope, mmforecast.__file__)"
    )
    (installed / 'child.py').write_text("_base_ = ['mmforecast::_base_/default_runtime.py']\n")
    result = run_python('-c', code, path=installed)
    assert result.stdout.split() == ['mmforecast', str(installed / 'mmforecast' / '__init__.py')], (
        result.stderr
    )
    check = run_python('mmforecast/.mim/tools/misc/check_env.py', '--quick', path=installed)
    assert check.returncode == 0, check.stdout + check.stderr


def test_requirements_in_the_metadata(metadata):
    required = metadata.get_all('Requires-Dist')
    always = {line for line in required if 'extra ==' not in line}
    assert {'numpy', 'ftfy', 'regex'} <= always
    assert not any(line.startswith(('mm', 'torch', 'setuptools')) for line in always)
    extras = {
        extra: {re.split('[<>]', line)[0] for line in required if f'extra == "{extra}"' in line}
        for extra in ('mim', 'upstream', 'forks')
    }
    assert extras['mim'] == {'mmcv', 'mmengine', 'mmdet', 'mmsegmentation'}
    assert extras['upstream'] == {'mmcv-lite', 'mmengine', 'mmdet', 'mmsegmentation'}
    assert all(name.startswith('onedl-mm') for name in extras['forks']) and len(extras['forks']) == 4
    assert set(metadata.get_all('Provides-Extra')) == {
        'all',
        'batch',
        'docs',
        'export',
        'features',
        'forks',
        'mim',
        'optional',
        'ray',
        'tests',
        'upstream',
        'video',
        'vit',
    }
    assert not any(line.startswith(('mm', 'onedl')) for line in required if 'extra == "all"' in line)
    assert set(metadata['Requires-Python'].split(',')) == {'>=3.10', '<3.14'}
    assert metadata['License'] == 'Apache-2.0'


def test_version_in_the_metadata_is_the_package_version(metadata):
    import mmforecast

    assert metadata['Version'] == mmforecast.__version__


@pytest.mark.slow
def test_a_wheel_built_from_the_source_archive_is_the_same(checkout, wheel, tmp_path):
    with tarfile.open(build(checkout, 'sdist', tmp_path / 'sdist')) as archive:
        archive.extractall(tmp_path, filter='data')
    (unpacked,) = tmp_path.glob('mmforecast-*')
    again = zipfile.ZipFile(build(unpacked, 'wheel', tmp_path / 'again'))
    assert set(again.namelist()) == set(wheel.namelist())


def test_editable_install_links_into_the_checkout(checkout, tmp_path):
    configs = relative_files(checkout / 'configs', '.py')
    for attempt in (
        'first',
        'second',
    ):  # the second meets the links of the first, and must not follow them
        build(checkout, 'editable', tmp_path / attempt)
        for name in ('configs', 'tools', 'model-index.yml'):
            link = checkout / 'mmforecast' / '.mim' / name
            assert link.is_symlink() and link.resolve() == checkout / name
    assert relative_files(checkout / 'configs', '.py') == configs


def test_every_metafile_is_in_the_index():
    listed = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    there = [file.relative_to(ROOT).as_posix() for file in ROOT.glob('configs/*/metafile.yml')]
    assert sorted(listed) == sorted(there)
