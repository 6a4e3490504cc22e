"""docs/internals.md names every private part of the packages below that mmforecast overrides or reads."""

import ast
import importlib
import inspect
import pkgutil
import re
import warnings
from functools import lru_cache
from pathlib import Path

import pytest

import mmforecast

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / 'docs/internals.md').read_text()
NAMES = re.findall(r'^\| `((?:mmengine|mmdet|mmseg|mmcv|torch)\.[\w.]+)`', PAGE, re.M)
BELOW = ('mmengine', 'mmdet', 'mmseg', 'mmcv')
# Book-keeping of abc and of mmengine's ManagerMeta, which every subclass gets.
MADE_BY_METACLASSES = {'_abc_impl', '_instance_dict'}


def resolve(dotted):
    """The object of a dotted name; attributes that only instances have are looked up in the source."""
    parts = dotted.split('.')
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module('.'.join(parts[:length]))
        except ImportError:
            continue
        for name in parts[length:]:
            if not hasattr(found, name):
                assert inspect.isclass(found) and f'self.{name} = ' in inspect.getsource(found), dotted
                return None
            found = getattr(found, name)
        return found
    raise AssertionError(dotted)


@lru_cache
def modules():
    names = [module.name for module in pkgutil.walk_packages(mmforecast.__path__, 'mmforecast.')]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)  # of the modules that have moved
        optional = ('__main__', 'torchvision_kernels')  # a program, and what needs torchvision
        return [importlib.import_module(name) for name in names if not name.endswith(optional)]


def overridden_private_names():
    """Last parts of the private methods of the packages below that a class of ours defines anew."""
    names = set()
    for module in modules():
        for owned in vars(module).values():
            if not inspect.isclass(owned) or owned.__module__ != module.__name__:
                continue
            for base in owned.__mro__[1:]:
                if base.__module__.split('.')[0] in BELOW:
                    names |= {name for name in vars(owned) if name in vars(base)}
    private = {name for name in names if name.startswith('_') and not name.startswith('__')}
    return private - MADE_BY_METACLASSES


def private_names_read():
    """Private attributes read from something other than self or cls that no class of ours defines."""
    ours, read = set(), set()
    for path in (REPOSITORY / 'mmforecast').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and re.match(r'_[a-z]', node.attr):
                of_self = isinstance(node.value, ast.Name) and node.value.id in ('self', 'cls')
                (ours if of_self else read).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                ours.add(node.name)
    return read - ours - {'_asdict', '_replace', '_fields'}  # of named tuples, which are public


@pytest.mark.parametrize('name', NAMES)
def test_names_of_the_page_exist(name):
    resolve(name)


def test_the_page_lists_every_private_name():
    listed = {name.rpartition('.')[2] for name in NAMES}
    used = overridden_private_names() | private_names_read()
    assert '_save_checkpoint_with_step' in used and '_resume' in used  # the searches find something
    assert used <= listed, f'add to docs/internals.md: {sorted(used - listed)}'


def test_a_wrong_name_is_found():
    with pytest.raises(AssertionError):
        resolve('mmengine.hooks.CheckpointHook._save_nothing')
