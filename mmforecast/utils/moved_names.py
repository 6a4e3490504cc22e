"""Names that a package exported before they moved: still found there, with a warning."""

import importlib
import sys
import warnings
from typing import Any

__all__ = ['forward_moved_names']


def forward_moved_names(package: str, **moved: str) -> None:
    """Let ``from package import Name`` find names that live elsewhere now.

    Args:
        package: ``__name__`` of the package, whose ``__getattr__`` this sets.
        moved: By module, with ``__`` for dots and without the leading ``mmforecast``, its names, separated
            by blanks.
    """
    homes = {
        name: 'mmforecast.' + module.replace('__', '.')
        for module, names in moved.items()
        for name in names.split()
    }

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        warnings.warn(f'{name} has moved from {package} to {homes[name]}', DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(homes[name]), name)

    sys.modules[package].__getattr__ = find
