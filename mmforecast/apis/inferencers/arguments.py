"""Numbers as users have them: from numpy, Fraction and argparse, as plain Python numbers."""

import operator

import numpy as np

from mmforecast.utils.checks import check_positive, check_range

__all__ = ['fraction', 'frame_number', 'integer']


def integer(owner: str, name: str, value: int) -> int:
    """An int of at least 1, of an integer of any type.

    Raises:
        ValueError: It is none, see :func:`check_positive`.
    """
    plain = _plain_integer(value)
    check_positive(owner, **{name: plain})
    return plain


def frame_number(owner: str, name: str, value: int) -> int:
    """An int, of an integer of any type and sign; a ValueError for anything else."""
    plain = _plain_integer(value)
    if isinstance(plain, bool) or not isinstance(plain, int):
        raise ValueError(f'{owner}: {name} must be an integer, got {value!r}')
    return plain


def fraction(owner: str, name: str, value: float) -> float:
    """A float in [0, 1], of a number of any type; a ValueError for anything else."""
    plain = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    check_range(owner, 0, 1, **{name: plain})
    return float(plain)


def _plain_integer(value):
    """An int of what stands for an integer; all else, and bool, as it is."""
    if isinstance(value, (bool, np.bool_)):
        return value
    try:
        return operator.index(value)
    except TypeError:
        return value
