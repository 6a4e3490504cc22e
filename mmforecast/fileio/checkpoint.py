"""Safe reading of checkpoints: nothing in them is run.

A pickle can run any code when it is read. Every checkpoint that mmengine reads, from a file or from
the net, therefore goes through torch's ``weights_only`` unpickler here, with one narrow addition:
the log history and the numpy arrays that mmengine writes into its training checkpoints. While it
does, what others put on torch's list of safe globals does not count: onedl-mmengine puts `getattr`
there, and reads what is refused without the check.
"""

import contextlib
import functools
import os
import pickle
import re
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint

__all__ = ['ALLOW_UNSAFE_ENV', 'CheckpointError', 'install_safe_loaders', 'load_checkpoint']

# Set to 1 (by `--allow-unsafe-checkpoint` of the tools) it lets checkpoints run code.
ALLOW_UNSAFE_ENV = 'MMFORECAST_ALLOW_UNSAFE_CHECKPOINT'

_TORCH_FORCE_SAFE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
_TORCH_FORCE_UNSAFE = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'

# torch.load and the list of safe globals are the process's: one thread at a time replaces them.
_LOCK = threading.RLock()

# What torch raises on files that are cut short or no checkpoints at all.
_BROKEN = (
    EOFError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
)


class CheckpointError(RuntimeError):
    """A checkpoint that is refused, broken or of another model; the message says what to do."""


def load_checkpoint(filename: str, map_location: Any = None, allow_unsafe: bool = False) -> dict:
    """Read a checkpoint from a path, or an address that mmengine or fsspec knows (http, open-mmlab, s3, gs).

    Args:
        filename: Path or address.
        map_location: As for :func:`torch.load`.
        allow_unsafe: Read whatever is in the file, and so let it run code. Only for files from a
            source that you would also run programs from.

    Raises:
        CheckpointError: The file holds more than tensors, plain containers and mmengine's log
            history, or it is broken.
        FileNotFoundError: There is no such file.
    """
    if not allow_unsafe:
        return CheckpointLoader.load_checkpoint(filename, map_location)
    with _environment({ALLOW_UNSAFE_ENV: '1'}):
        return CheckpointLoader.load_checkpoint(filename, map_location)


def install_safe_loaders() -> None:
    """Make every scheme of mmengine's :class:`CheckpointLoader` read with ``weights_only``.

    mmengine's own loaders leave the choice to torch for files, which fails on mmengine's own
    checkpoints, and read downloads without any check.
    """
    for prefixes, loader in (
        ('', mmengine_checkpoint.load_from_local),
        (('http://', 'https://'), mmengine_checkpoint.load_from_http),
        ('pavi://', mmengine_checkpoint.load_from_pavi),
        ((r'(\S+\:)?s3://', r'(\S+\:)?petrel://'), mmengine_checkpoint.load_from_ceph),
        (_storages(), _load_from_storage),
        (('modelzoo://', 'torchvision://'), mmengine_checkpoint.load_from_torchvision),
        (('open-mmlab://', 'openmmlab://'), mmengine_checkpoint.load_from_openmmlab),
        ('mmcls://', mmengine_checkpoint.load_from_mmcls),
    ):
        CheckpointLoader.register_scheme(prefixes, _guarded(loader), force=True)


def _storages() -> tuple[str, ...]:
    """Prefixes of the storages that fsspec reads, S3 among them unless mmengine has what it needs for that."""
    others = ('gs://', 'gcs://', 'abfs://', 'az://', 'hf://', 'memory://')
    return others if find_spec('petrel_client') else ('s3://', *others)


def _load_from_storage(filename: str, map_location: Any = None) -> dict:
    """Read a checkpoint by an address of fsspec."""
    from .remote import fetch

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'checkpoint.pth')
        fetch(filename, path)
        return torch.load(path, map_location=map_location)


def _guarded(loader: Callable) -> Callable:

    @functools.wraps(loader)  # mmengine logs the name of the loader
    def load(filename: str, map_location: Any = None, **kwargs) -> dict:
        unsafe = os.getenv(ALLOW_UNSAFE_ENV) == '1'
        with _own_torch_load(unsafe):
            try:
                checkpoint = loader(filename, map_location=map_location, **kwargs)
            except (_Refused, pickle.UnpicklingError) as error:
                raise _refusal(filename, error) from error
            except _BROKEN as error:
                raise CheckpointError(
                    f"{filename} can't be read as a checkpoint ({_first_sentence(error)}): it may "
                    'be cut short or not be one at all; take another copy or an earlier checkpoint'
                ) from error
        return checkpoint if unsafe else _without_code(checkpoint)

    return load


class _Refused(RuntimeError):
    """What torch's unpickler refuses; no `UnpicklingError`, which an mmengine may catch and try on."""


@contextlib.contextmanager
def _own_torch_load(unsafe: bool) -> Iterator[None]:
    """Let ``torch.load`` read safely, or read anything, whatever its caller asks for."""
    forced = {_TORCH_FORCE_SAFE: None if unsafe else '1', _TORCH_FORCE_UNSAFE: '1' if unsafe else None}
    read = torch.load

    def load(file: Any, map_location: Any = None, **kwargs) -> Any:
        if unsafe:
            return read(file, map_location, **{**kwargs, 'weights_only': False})
        kwargs.pop('pickle_module', None)
        with _safe_globals():
            try:
                return read(file, map_location, **{**kwargs, 'weights_only': True})
            except pickle.UnpicklingError as error:
                raise _Refused(str(error)) from error

    with _LOCK, _environment(forced), _restored_globals():
        torch.load = load
        try:
            yield
        finally:
            torch.load = read


def _without_code(checkpoint: Any) -> Any:
    """Drop the entry 'config' of the meta data, whose text mmengine's runner executes when it resumes."""
    meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
    if isinstance(meta, dict):
        meta.pop('config', None)
    return checkpoint


def _refusal(filename: str, error: Exception) -> CheckpointError:
    found = re.search(r'GLOBAL ([\w.]+)', str(error))
    if found is None:
        return CheckpointError(
            f'{filename} is not a checkpoint that can be read safely: {_first_sentence(error)}'
        )
    return CheckpointError(
        f'{filename} is refused: besides tensors and plain containers it holds '
        f'{found.group(1)!r}, and reading that could run any code; if you trust its author as you '
        'would a program, pass --allow-unsafe-checkpoint (tools) or allow_unsafe=True '
        '(mmforecast.fileio.load_checkpoint)'
    )


def _first_sentence(error: Exception) -> str:
    return str(error).strip().split('\n')[0].split('. ')[0] or type(error).__name__


# What mmengine's training checkpoints hold besides tensors. Stand-ins take the place of functions
# that would allow more than that; they bear the functions' names in the list below.


def _statistic(owner: Any, name: str) -> Callable:
    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean'):
        raise pickle.UnpicklingError('Unsupported GLOBAL builtins.getattr')
    return getattr(HistoryBuffer, name)


def _array(subtype: type, shape: tuple[int, ...], dtype: bytes) -> np.ndarray:
    if subtype is not np.ndarray:
        raise pickle.UnpicklingError(f'Unsupported GLOBAL {subtype!r} of numpy._reconstruct')
    return np.ndarray(shape, dtype)


def _scalar(dtype: np.dtype, value: bytes) -> np.generic:
    if not isinstance(value, bytes) or dtype.hasobject:
        raise pickle.UnpicklingError('Unsupported GLOBAL numpy.object_')
    return np.frombuffer(value, dtype)[0]


def _allowed() -> list[Any]:
    dtypes = {
        type(np.dtype(kind))
        for kind in ('?', 'S', 'U', *np.typecodes['AllInteger'], *np.typecodes['AllFloat'])
    }
    allowed: list[Any] = [
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        *dtypes,
        (_statistic, 'builtins.getattr'),
    ]
    for module in ('numpy._core.multiarray', 'numpy.core.multiarray'):  # numpy 2 and numpy 1
        allowed += [(_array, f'{module}._reconstruct'), (_scalar, f'{module}.scalar')]
    return allowed


@contextlib.contextmanager
def _safe_globals() -> Iterator[None]:
    """Allow what we allow and the kinds of tensors that torch itself does, but nothing else."""
    with _restored_globals() as before:
        of_torch = [
            entry for entry in before if isinstance(entry, type) and entry.__module__.startswith('torch.')
        ]
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals([*of_torch, *_allowed()])
        yield


@contextlib.contextmanager
def _restored_globals() -> Iterator[list[Any]]:
    """Give the list of safe globals, and restore it afterwards.

    torch's own context takes away on leaving what it was given, even if that was allowed before.
    """
    before = torch.serialization.get_safe_globals()
    try:
        yield before
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


@contextlib.contextmanager
def _environment(values: dict) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    try:
        _set_environment(values)
        yield
    finally:
        _set_environment(before)


def _set_environment(values: dict) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
