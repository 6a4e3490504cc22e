"""Files of weights: what kind one is, and writing our own."""

import io
import os
from collections.abc import Mapping
from typing import Any

import torch

import mmforecast
from mmforecast.fileio.atomic import write_atomically
from mmforecast.fileio.plain_state import to_plain

__all__ = ['checkpoint_bytes', 'file_kind', 'save_weights', 'to_half']

Path = str | os.PathLike

_STARTS = (
    (b'PK\x03\x04', 'torch'),
    (b'\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.', 'torch'),  # before torch 1.6
    (b'version https://git-lfs', 'lfs'),
    (b'\x80', 'pickle'),
)


def file_kind(path: Path) -> str:
    """What the first bytes of a file say that it is: 'torch', 'pickle' or 'unknown'.

    Raises:
        ValueError: It is the stand-in that Git LFS leaves where it didn't download.
        FileNotFoundError: There is no such file.
    """
    with open(path, 'rb') as handle:
        head = handle.read(64)
    kind = next((kind for start, kind in _STARTS if head.startswith(start)), 'unknown')
    if kind == 'lfs':
        raise ValueError(
            f"{path} is Git LFS's stand-in for the weights, not the weights: run `git lfs pull` in "
            'that repository'
        )
    return kind


def checkpoint_bytes(state_dict: Mapping[str, torch.Tensor], meta: Mapping[str, Any]) -> bytes:
    """A checkpoint ``dict(state_dict, meta)`` as in a file; objects in ``meta`` are left out."""
    buffer = io.BytesIO()
    torch.save(dict(state_dict=dict(state_dict), meta=to_plain(dict(meta), [])), buffer)
    return buffer.getvalue()


def save_weights(path: Path, state_dict: Mapping[str, torch.Tensor], **meta: Any) -> None:
    """Write ``dict(state_dict, meta)`` to ``path``, wholly or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = dict(meta, mmforecast_version=mmforecast.__version__)
    write_atomically(os.fspath(path), checkpoint_bytes(state_dict, meta))


def to_half(state_dict: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights in half precision; running statistics and integers as they are.

    Raises:
        ValueError: A weight is too large for it.
    """
    halved = dict(state_dict)
    for name, value in state_dict.items():
        if value.is_floating_point() and not name.endswith(('running_mean', 'running_var')):
            halved[name] = value.half()
            if value.isfinite().all() and not halved[name].isfinite().all():
                raise ValueError(
                    f'{name} reaches {value.abs().max():.3g}, more than half precision holds '
                    '(65504): publish the model without --fp16'
                )
    return halved
