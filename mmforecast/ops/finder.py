"""The import of ``mmcv._ext``: the compiled extension, or a stand-in of ours.

mmcv's wheels are compiled for a few versions of torch and Python. Everywhere else it is installed
without its extension, and ``import mmcv.ops`` fails. The finder here is the last that Python asks,
so it serves ``mmcv._ext`` only where no compiled one is found.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType

__all__ = ['OPS_ENV', 'install_finder', 'operators_in_use', 'requested_operators']

# Which operators serve mmcv, by the values in CHOICES.
OPS_ENV = 'MMFORECAST_OPS'
CHOICES = {
    'auto': 'the compiled extension, else torchvision where it works, else PyTorch',
    'compiled': 'the compiled extension only',
    'torchvision': 'the stand-in with the kernels of torchvision',
    'pytorch': 'the stand-in in plain PyTorch',
}
EXTENSION = 'mmcv._ext'
FORCED = ('torchvision', 'pytorch')


def requested_operators() -> str:
    """The value of the environment variable `MMFORECAST_OPS`; `'auto'` where it is not set.

    Raises:
        ValueError: It is none of the choices.
    """
    value = os.environ.get(OPS_ENV) or 'auto'
    if value not in CHOICES:
        choices = ', '.join(f'{name} ({meaning})' for name, meaning in CHOICES.items())
        raise ValueError(f'the environment variable {OPS_ENV}={value!r} must be one of {choices}')
    return value


class _Loader(importlib.abc.Loader):
    """Fills the module ``mmcv._ext``."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Leave the creation to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the operators into the module, and say so in the log."""
        from .extension import fill_extension

        fill_extension(module, requested_operators())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``mmcv._ext`` and nothing else."""

    def find_spec(self, name: str, path=None, target=None) -> importlib.machinery.ModuleSpec | None:
        """Return where to load the module from, or None for any other module."""
        if name != EXTENSION or requested_operators() == 'compiled':
            return None
        return importlib.machinery.ModuleSpec(name, _Loader(), origin='mmforecast.ops')


def install_finder() -> None:
    """Make ``mmcv._ext`` importable; a second call changes nothing.

    A compiled extension is found first, unless `MMFORECAST_OPS` names a stand-in.

    Raises:
        ValueError: `MMFORECAST_OPS` is none of the choices.
    """
    forced = requested_operators() in FORCED
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0 if forced else len(sys.meta_path), _Finder())


def operators_in_use() -> str:
    """The operators that mmcv uses in this process, without importing mmcv's.

    Returns:
        `'compiled'`, `'torchvision'` or `'pytorch'`; `'stand-in'` where the extension is absent
        and mmcv's operators were not imported yet; `'none'` where nothing serves them.
    """
    module = sys.modules.get(EXTENSION)
    if module is not None:
        return getattr(module, 'KERNELS', 'compiled')
    requested = requested_operators()
    if requested in FORCED:
        return requested
    if compiled_extension() is not None:
        return 'compiled'
    return 'none' if requested == 'compiled' else 'stand-in'


def compiled_extension() -> str | None:
    """The file of mmcv's compiled extension, or None; mmcv itself is not imported."""
    spec = importlib.util.find_spec('mmcv')
    if spec is None or spec.submodule_search_locations is None:
        return None
    folders = list(spec.submodule_search_locations)
    found = importlib.machinery.PathFinder.find_spec('_ext', folders)
    return found.origin if found else None
