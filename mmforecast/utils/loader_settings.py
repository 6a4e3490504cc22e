"""Settings of data loaders that depend on each other."""

from collections.abc import MutableMapping
from typing import Any

__all__ = ['drop_worker_settings']


def drop_worker_settings(dataloader: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what torch refuses from the config of a data loader without worker processes; in place.

    So ``num_workers=0`` alone is enough to load data in the main process.

    Args:
        dataloader: Config of a data loader; one with workers is left as it is.

    Returns:
        ``dataloader``.
    """
    if not dataloader.get('num_workers', 0):
        for name in ('persistent_workers', 'prefetch_factor', 'timeout', 'multiprocessing_context'):
            dataloader.pop(name, None)
    return dataloader
