"""Names that moved or were removed, and that the libraries below us still look for at their old place.

Each is given back only where it is missing:

- ``pkg_resources`` left setuptools in version 82; mmengine 0.10 asks it where ``mmdet::`` configs lie.
- ``numpy.in1d`` left numpy in version 2.4; cityscapesScripts 2.3 calls it.
- the distribution ``mmsegmentation`` has another name in the maintained fork, whose mmengine looks for configs
  ``mmseg::`` by the old one.
- ``pkgutil.find_loader`` left Python in version 3.14; mmengine 0.10 and mmcv 2 look for `mmcv._ext` with it.
"""

import importlib.metadata
import importlib.util
import pkgutil
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np

_PKG_RESOURCES = Path(__file__).with_name('pkg_resources_subset.py')
_MMSEG_FORK = 'onedl-mmsegmentation'


def restore_missing_names() -> None:
    """Give the names above back where they are missing; a second call changes nothing."""
    if not any(isinstance(finder, _PkgResourcesFinder) for finder in sys.meta_path):
        sys.meta_path.append(_PkgResourcesFinder())  # last: a pkg_resources that is installed wins
    if not _is_installed('mmsegmentation') and _is_installed(_MMSEG_FORK):
        from mmengine.config.utils import MODULE2PACKAGE

        MODULE2PACKAGE['mmseg'] = _MMSEG_FORK
    if not hasattr(np, 'in1d'):
        np.in1d = _in1d
    if not hasattr(pkgutil, 'find_loader'):
        pkgutil.find_loader = _find_loader


class _PkgResourcesFinder(MetaPathFinder):
    """Finds the subset of ``pkg_resources`` beside this file, as mmengine imports and reloads it."""

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        if fullname != 'pkg_resources':
            return None
        return importlib.util.spec_from_file_location(fullname, _PKG_RESOURCES)


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _in1d(ar1, ar2, assume_unique: bool = False, invert: bool = False, **settings) -> np.ndarray:
    """Flat booleans: which elements of the first array are in the second."""
    return np.isin(np.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert, **settings)


def _find_loader(fullname: str) -> Loader | None:
    """The loader of a module, None where there is no such module."""
    spec = importlib.util.find_spec(fullname)
    return spec and spec.loader
