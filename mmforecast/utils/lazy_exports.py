"""Package exports that are imported on first use, for packages whose import must stay cheap."""

import ast
import importlib
import sys
from pathlib import Path
from types import ModuleType

__all__ = ['lazy_exports']


def lazy_exports(package: str, path: str) -> None:
    """Make a package import its exports when they are first read (PEP 562).

    The exports are the ``from .module import name`` statements under ``if TYPE_CHECKING:`` in its
    ``__init__``, so that editors and the API reference see them, too. A name may be that of its module, as
    ``compare.compare``: the package then has the name, never the module, whichever is imported first.

    Args:
        package: The ``__name__`` of the package that calls this.
        path: Its ``__file__``.
    """
    modules = _type_checking_imports(path)

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


def _type_checking_imports(path: str) -> dict[str, str]:
    """Modules by the names that are imported from them."""
    return {
        alias.name: statement.module
        for block in ast.parse(Path(path).read_text()).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == 'TYPE_CHECKING'
        for statement in block.body
        for alias in statement.names
    }
