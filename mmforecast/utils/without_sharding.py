"""mmengine without sharded training, whose imports take a fifth of the processor time to a first forecast.

mmengine imports torch's classes for it, and with them SymPy, whatever it is used for. A process that only runs
networks needs none of that.
"""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ['import_without_sharding']

# Classes of mmengine by the modules that hold nothing else.
_LEFT_OUT = {
    'mmengine._strategy.fsdp': 'FSDPStrategy',
    'mmengine.model.wrappers.fully_sharded_distributed': 'MMFullyShardedDataParallel',
    'mmengine.optim.optimizer.zero_optimizer': 'ZeroRedundancyOptimizer',
}


class _Finder(MetaPathFinder, Loader):
    """Gives modules of :data:`_LEFT_OUT` with a class that cannot be built."""

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, origin=__name__) if fullname in _LEFT_OUT else None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = _LEFT_OUT[module.__name__]
        setattr(module, name, type(name, (), dict(__init__=_refuse, __module__=module.__name__)))


def _refuse(self, *args, **settings) -> None:
    raise RuntimeError(f'{type(self).__name__} was left out of this process, which runs networks only')


def import_without_sharding() -> None:
    """Leave sharded training out of what mmengine imports from now on.

    Only for a process of a command that trains nothing.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
