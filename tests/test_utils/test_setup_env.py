"""Registration and the package's import, each in a process of its own: both act on global state."""

import subprocess
import sys

import pytest


def run_python(code):
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_import_is_light_and_teaches_mmengine_the_package():
    assert run_python(
        'import sys, mmforecast, mmforecast.utils;'
        'from mmengine.config.utils import MODULE2PACKAGE;'
        'print("mmforecast" in MODULE2PACKAGE, "torch" in sys.modules, "mmcv" in sys.modules)'
    ) == ['True', 'False', 'False']


@pytest.mark.slow
def test_register_all_modules_fills_every_registry_and_takes_the_scope_only_if_asked():
    words = run_python(
        'from mmengine.registry import DefaultScope, init_default_scope;'
        'init_default_scope("mmdet");'
        'from mmforecast.utils import register_all_modules;'
        'register_all_modules(init_default_scope=False);'
        'print(DefaultScope.get_current_instance().scope_name);'
        'register_all_modules();'
        'print(DefaultScope.get_current_instance().scope_name);'
        'import mmforecast.registry as registry;'
        'print(*(len(getattr(registry, name).module_dict) > 0 for name in registry.__all__))'
    )
    # importing mmdet may log first which operators are in use
    left, taken, *filled = words[words.index('mmdet') :]
    assert (left, taken) == ('mmdet', 'mmforecast')
    assert filled and set(filled) == {'True'}
