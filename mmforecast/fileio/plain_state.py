"""Checkpoints of tensors and plain containers only.

mmengine puts log histories, numpy scalars and arrays into its checkpoints, which torch's safe
reader refuses. Here they become tensors and dicts on saving, and themselves again on resuming.
"""

import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

__all__ = ['from_plain', 'to_plain']

_SCALARS = (bool, int, float, complex, str, bytes)
_AS_THEY_ARE = (
    type(None),
    *_SCALARS,
    torch.Tensor,
    torch.nn.Parameter,
    torch.Size,
    torch.device,
    torch.dtype,
)
_HISTORY = '__history_buffer__'
_ARRAY = '__ndarray__'
_DROP = object()


def to_plain(value: Any, left_out: list[str], where: str = '') -> Any:
    """Rebuild ``value`` from what torch's ``weights_only`` reader takes.

    Log histories and numeric arrays are marked, so that :func:`from_plain` brings them back; other
    arrays become lists, numpy scalars Python scalars, paths strings, mappings dicts. Functions are
    left out: their owner has them anyway. So is any other object, and its place, such as
    'meta.writer', is appended to ``left_out``. In a list or tuple None stands in for what is left
    out.
    """
    plain = _to_plain(value, left_out, where)
    return None if plain is _DROP else plain


def _to_plain(value: Any, left_out: list[str], where: str) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {_ARRAY: torch.from_numpy(value.copy())} if value.dtype.kind in 'bifc' else value.tolist()
    if isinstance(value, HistoryBuffer):
        log, count = value.data
        return {
            _HISTORY: [
                torch.from_numpy(log.copy()),
                torch.from_numpy(count.copy()),
                value.max_length,
            ]
        }
    if isinstance(value, Mapping):
        items = ((key, _to_plain(item, left_out, f'{where}.{key}')) for key, item in value.items())
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        return kind((_to_plain(key, left_out, where), item) for key, item in items if item is not _DROP)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [to_plain(item, left_out, f'{where}[{number}]') for number, item in enumerate(value)]
        return next(kind for kind in (list, tuple, set) if isinstance(value, kind) or kind is set)(items)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    for kind in _SCALARS:
        if isinstance(value, kind):  # an enum, or another subclass that would be pickled by its name
            return kind(value)
    if not callable(value):
        left_out.append(f'{where} ({type(value).__name__})')
    return _DROP


def from_plain(value: Any) -> Any:
    """Undo the marks of :func:`to_plain`, in nested dicts, lists and tuples."""
    if isinstance(value, dict):
        if _HISTORY in value:
            return _history(*value[_HISTORY])
        if _ARRAY in value:
            return value[_ARRAY].cpu().numpy()
        return type(value)((key, from_plain(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return type(value)(from_plain(item) for item in value)
    return value


def _history(log: torch.Tensor, count: torch.Tensor, max_length: int) -> HistoryBuffer:
    return HistoryBuffer(log.cpu().numpy(), count.cpu().numpy(), max_length)
