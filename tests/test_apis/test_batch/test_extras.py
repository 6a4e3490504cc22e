"""The command without its optional packages."""

import subprocess
import sys
from types import ModuleType

import pytest

from mmforecast.apis.batch.parquet import require_pyarrow
from mmforecast.apis.batch.ray_pool import require_ray


@pytest.mark.parametrize('module', [None, ModuleType('ray')], ids=['nothing', 'a folder of that name'])
def test_without_ray_there_is_a_sentence(monkeypatch, module):
    monkeypatch.setitem(sys.modules, 'ray', module)
    with pytest.raises(ImportError, match=r'^--ray needs Ray, which is not installed: pip install ray, or '):
        require_ray()


def test_without_pyarrow_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    with pytest.raises(ImportError, match='^results of a batch are Parquet files, which need pyarrow'):
        require_pyarrow()


def test_importing_the_package_imports_neither():
    code = 'import sys, mmforecast, mmforecast.apis.batch; print({"ray", "pyarrow"} & set(sys.modules))'
    printed = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == 'set()'
