"""Package exports that are imported on first use, for packages whose import must stay cheap."""

import importlib
import sys
from types import ModuleType

__all__ = ['lazy_exports']


def lazy_exports(package: str, **names: list[str]) -> None:
    """Make a package import names from its modules when they are first read (PEP 562).

    A name may be that of its module, as ``compare.compare``: the package then has the name, never the
    module, whichever is imported first.

    Args:
        package: The ``__name__`` of the package that calls this.
        names: By module of the package, what it exports.
    """
    modules = {name: module for module, exported in names.items() for name in exported}

    class LazyPackage(ModuleType):
        def __getattr__(self, name: str):
            if name not in modules:
                raise AttributeError(f'module {package!r} has no attribute {name!r}')
            value = getattr(importlib.import_module(f'{package}.{modules[name]}'), name)
            self.__dict__[name] = value
            return value

        def __setattr__(self, name: str, value):
            # The import system sets each imported module as an attribute of its package.
            is_submodule = isinstance(value, ModuleType) and value.__name__ == f'{package}.{name}'
            if not (is_submodule and name in modules):
                super().__setattr__(name, value)

        def __dir__(self) -> list[str]:
            return sorted({*super().__dir__(), *modules})

    sys.modules[package].__class__ = LazyPackage
