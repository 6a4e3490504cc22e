"""Safe reading of pickled numbers: nothing in the file is run.

A pickle can name any function and have it called. Here it may name only what numpy arrays and plain
containers are made of, and even these names stand for narrow functions of ours. torch's own
``weights_only`` reader, which :mod:`.checkpoint` uses, is for torch's files.
"""

import math
import os
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np

__all__ = ['PickleError', 'load_pickle']

_NUMBERS = 'biufc'  # kinds of numpy's types
_NDARRAY = 'numpy.ndarray'  # only handed to _reconstruct, so that nobody can call it


class PickleError(ValueError):
    """A pickle that is refused or broken; the message says which and why."""


def load_pickle(path: str | os.PathLike, encoding: str = 'latin1') -> Any:
    """Read the first object of a pickle of numpy arrays, numbers, strings and plain containers.

    Args:
        path: A file of any pickle protocol, also of Python 2.
        encoding: How the strings of Python 2 are read; latin1 keeps the bytes of its arrays.

    Returns:
        The object. Its arrays are of numeric types, and of a private subclass of
        :class:`numpy.ndarray`, which ``numpy.asarray`` takes off.

    Raises:
        PickleError: The pickle asks for anything else, by whatever name, or it is broken.
        FileNotFoundError: There is no such file.
    """
    with open(path, 'rb') as handle:
        try:
            return _Unpickler(handle, encoding=encoding).load()
        except PickleError as error:
            raise PickleError(f'{path} is refused: {error}') from None
        # A pickle is a program: a wrong one can fail in any operation.
        except Exception as error:
            reason = str(error).strip().split('\n')[0] or type(error).__name__
            raise PickleError(
                f"{path} can't be read as a pickle ({reason}): it may be cut short or not be one; "
                'take another copy'
            ) from error


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _ALLOWED.get(f'{module}.{name}')
        if found is None:
            raise PickleError(
                f"besides arrays and plain containers it holds '{module}.{name}', and reading that "
                'could run any code; take the file from its authors again'
            )
        return found


class _Dtype:
    """Stands for ``numpy.dtype``: a numeric type and its byte order."""

    def __init__(self, kind: str, *_: Any):
        self.dtype = np.dtype(kind)
        if self.dtype.kind not in _NUMBERS:
            raise PickleError(f"it holds values of the type '{kind}', and only numbers are read")

    def __setstate__(self, state: tuple) -> None:
        _, byte_order, subtype, names, fields = state[:5]
        if (subtype, names, fields) != (None, None, None):
            raise PickleError('it holds arrays of structures, and only numbers are read')
        self.dtype = self.dtype.newbyteorder(byte_order)


class _Array(np.ndarray):
    """An array that is filled only from as many bytes as its shape says."""

    def __setstate__(self, state: tuple) -> None:
        shape, dtype, is_fortran, data = state[-4:]
        if not isinstance(dtype, _Dtype):
            raise PickleError('it holds an array without a type')
        data = _bytes(data)
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.dtype.itemsize != len(data):
            raise PickleError(f'it holds {len(data)} bytes for an array of the shape {shape}')
        super().__setstate__((1, shape, dtype.dtype, bool(is_fortran), data))


def _reconstruct(subtype: str, shape: tuple, typecode: Any) -> _Array:
    if subtype is not _NDARRAY:
        raise PickleError('it holds a subclass of numpy.ndarray')
    return _Array(0)  # __setstate__ gives it its shape


def _scalar(dtype: _Dtype, data: bytes | str) -> np.generic:
    return np.frombuffer(_bytes(data), dtype.dtype)[0]


def _bytes(data: bytes | str) -> bytes:
    return data.encode('latin1') if isinstance(data, str) else data


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """What Python 3 writes bytes with in the protocols of Python 2."""
    return text.encode('latin1')


def _no_bytes() -> bytes:
    return b''  # as Python 3 writes them there


_ALLOWED = {
    'numpy.ndarray': _NDARRAY,
    'numpy.dtype': _Dtype,
    'numpy.core.multiarray._reconstruct': _reconstruct,  # numpy 1
    'numpy._core.multiarray._reconstruct': _reconstruct,  # numpy 2
    'numpy.core.multiarray.scalar': _scalar,
    'numpy._core.multiarray.scalar': _scalar,
    '_codecs.encode': _encode,
    'collections.OrderedDict': OrderedDict,
}
for _module in ('builtins', '__builtin__'):  # Python 3 and Python 2
    _ALLOWED.update({f'{_module}.{kind.__name__}': kind for kind in (set, frozenset)})
    _ALLOWED[f'{_module}.bytes'] = _no_bytes
