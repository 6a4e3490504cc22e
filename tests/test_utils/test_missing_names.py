"""Names that libraries below us use are given back where newer libraries lack them, and only there."""

import subprocess
import sys

import numpy as np
import pytest
from mmengine.config.utils import MODULE2PACKAGE

from mmforecast.utils import missing_names

# What `import mmforecast` finds in a Python of the newest setuptools, numpy and pkgutil.
WITHOUT = """
import pkgutil, sys
from importlib.machinery import PathFinder

class NoPkgResources(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.startswith('pkg_resources') else super().find_spec(name, path, target)

sys.meta_path[[finder is PathFinder for finder in sys.meta_path].index(True)] = NoPkgResources
import numpy
numpy.__dict__.pop('in1d', None)
vars(pkgutil).pop('find_loader', None)
"""


def run(code):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', WITHOUT + code], capture_output=True, text=True
    )


@pytest.mark.slow
def test_mmengine_finds_configs_without_pkg_resources():
    code = (
        'from mmengine.hub import get_config\n'
        'from mmengine.utils import is_installed\n'
        "name = 'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py'\n"
    )
    without = run(code + 'get_config(name)')
    if not without.returncode:
        pytest.skip('this mmengine does not use pkg_resources')
    assert "No module named 'pkg_resources'" in without.stderr
    found = run(
        'import mmforecast\n' + code + "print(get_config(name).model.type, is_installed('mmdet'), "
        "is_installed('nothing-of-this-name'), __import__('pkg_resources').__file__)"
    )
    assert found.stdout.split()[:3] == ['MaskRCNN', 'True', 'False'], found.stderr
    assert found.stdout.strip().endswith('pkg_resources_subset.py')


def test_in1d_and_find_loader_are_given_back():
    found = run(
        'import mmforecast, pkgutil\n'
        'print(numpy.in1d([[1, 2], [3, 4]], [2, 3]).tolist(), numpy.in1d([1, 2], [2], invert=True).tolist())\n'
        "print(pkgutil.find_loader('nothing_of_this_name'), pkgutil.find_loader('json').name)"
    )
    assert found.stdout.splitlines() == ['[False, True, True, False] [True, False]', 'None json'], found.stderr


@pytest.mark.filterwarnings('ignore:`in1d` is deprecated')
def test_what_is_there_is_left_alone(monkeypatch):
    def own(*arguments):
        return None

    monkeypatch.setattr(np, 'in1d', own, raising=False)
    finders = list(sys.meta_path)
    missing_names.restore_missing_names()
    assert np.in1d is own and sys.meta_path == finders


@pytest.mark.parametrize(
    ('installed', 'package'),
    [
        ({'onedl-mmsegmentation'}, 'onedl-mmsegmentation'),
        ({'mmsegmentation'}, 'mmsegmentation'),
        ({'mmsegmentation', 'onedl-mmsegmentation'}, 'mmsegmentation'),
        (set(), 'mmsegmentation'),
    ],
)
def test_configs_of_mmseg_are_looked_for_by_the_name_that_is_installed(monkeypatch, installed, package):
    monkeypatch.setitem(MODULE2PACKAGE, 'mmseg', 'mmsegmentation')
    monkeypatch.setattr(missing_names, '_is_installed', installed.__contains__)
    missing_names.restore_missing_names()
    assert MODULE2PACKAGE['mmseg'] == package
