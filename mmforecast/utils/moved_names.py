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
            by blanks; ``old=new`` for one that was renamed.
    """
    homes = {}
    for module, names in moved.items():
        for old, _, new in (name.partition('=') for name in names.split()):
            homes[old] = 'mmforecast.' + module.replace('__', '.'), new or old

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        module, new = homes[name]
        place = module if new == name else f'{module}.{new}'
        warnings.warn(f'{name} has moved from {package} to {place}', DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(module), new)

    sys.modules[package].__getattr__ = find
