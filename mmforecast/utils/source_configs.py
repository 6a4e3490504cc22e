"""Configs of datasets within wrappers, such as mmengine's ``ConcatDataset`` and ``RepeatDataset``."""

from collections.abc import Iterator, MutableMapping
from typing import Any

__all__ = ['first_source', 'source_configs']


def source_configs(dataset: MutableMapping[str, Any]) -> Iterator[MutableMapping[str, Any]]:
    """Yield the configs of the datasets that a wrapper holds, at any depth; without one, ``dataset``.

    Args:
        dataset: Config of a dataset, ``dataset`` or ``datasets`` of which are those within.
    """
    inner = dataset.get('datasets', dataset.get('dataset'))
    if inner is None:
        yield dataset
        return
    for part in inner if isinstance(inner, (list, tuple)) else [inner]:
        yield from source_configs(part)


def first_source(dataset: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the first of :func:`source_configs`, for what all of them have in common."""
    return next(source_configs(dataset))
