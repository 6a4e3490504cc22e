"""Packages import what they export on first use, and a name wins over a module of that name."""

import subprocess
import sys

import pytest

import mmforecast.apis
import mmforecast.apis.inferencers

FUNCTION = 'assert callable(function) and function.__name__ == "compare"'


@pytest.mark.parametrize('package', [mmforecast.apis, mmforecast.apis.inferencers])
def test_all_exports_are_there(package):
    for name in package.__all__:
        assert getattr(package, name) is not None and name in dir(package)
    with pytest.raises(AttributeError, match=r"has no attribute 'frobnicate'"):
        getattr(package, 'frobnicate')  # noqa: B009


@pytest.mark.slow
@pytest.mark.parametrize(
    'code',
    [
        'from mmforecast.apis import compare as function',
        'import mmforecast.apis.compare; from mmforecast.apis import compare as function',
        'from mmforecast.apis.compare import compare; from mmforecast.apis import compare as function',
        'from mmforecast.apis import Entry, compare as function',
    ],
)
def test_a_function_is_not_hidden_by_its_module(code):
    subprocess.run([sys.executable, '-c', f'{code}; {FUNCTION}'], check=True)


def test_the_package_itself_is_light():
    code = (
        'import sys, mmforecast.apis.inferencers, mmforecast.apis.shipped; assert "torch" not in sys.modules'
    )
    subprocess.run([sys.executable, '-c', code], check=True)
