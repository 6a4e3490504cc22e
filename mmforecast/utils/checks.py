"""Checks of arguments, each one line where it is used.

Every function takes the name of the class or function whose arguments it checks, then the arguments by
name, and raises a ValueError that names the argument, what it accepts and what was given. An argument named
``loss_config__penalty`` is reported as ``loss_config.penalty``, a key of a dict.
"""

from collections.abc import Collection, Iterable
from numbers import Integral, Real
from typing import Any

__all__ = [
    'check_above',
    'check_at_least',
    'check_between',
    'check_choice',
    'check_fraction',
    'check_increasing',
    'check_integer',
    'check_keys',
    'check_multiple',
    'check_not_empty',
    'check_positive',
    'check_range',
    'check_same_length',
    'check_shape',
    'check_size',
]


def check_positive(owner: str, /, **arguments: int) -> None:
    """Refuse anything but integers of at least 1."""
    check_integer(owner, 1, **arguments)


def check_integer(owner: str, low: int, high: int | None = None, /, **arguments: int) -> None:
    """Refuse anything but integers of at least ``low``, and of at most ``high`` where it is given."""
    accepted = f'an integer >= {low}' if high is None else f'an integer from {low} to {high}'
    for name, value in arguments.items():
        if not _is_integer(value) or value < low or (high is not None and value > high):
            raise _error(owner, name, accepted, value)


def check_multiple(owner: str, divisor: int, /, **arguments: int) -> None:
    """Refuse anything but positive multiples of ``divisor``."""
    for name, value in arguments.items():
        if not _is_integer(value) or value < 1 or value % divisor:
            raise _error(owner, name, f'a multiple of {divisor}', value)


def check_size(owner: str, smallest: int = 1, /, **arguments: tuple[int, int]) -> None:
    """Refuse anything but a pair of integers (height, width), each of at least ``smallest``."""
    for name, value in arguments.items():
        pair = isinstance(value, tuple | list) and len(value) == 2
        if not pair or not all(_is_integer(side) and side >= smallest for side in value):
            raise _error(owner, name, f'two integers (height, width) >= {smallest}', value)


def check_choice(owner: str, choices: Collection, /, **arguments: Any) -> None:
    """Refuse values that are not among ``choices``."""
    for name, value in arguments.items():
        if value not in choices:
            raise _error(owner, name, f'one of {", ".join(map(repr, choices))}', value)


def check_keys(owner: str, known: Iterable[str], /, **arguments: Iterable[str]) -> None:
    """Refuse dicts or sequences with names that are not among ``known``."""
    known = list(known)
    for name, value in arguments.items():
        unknown = [key for key in value if key not in known]
        if unknown:
            listed = ', '.join(map(repr, known)) or 'none'
            raise ValueError(f'{owner}: {_dotted(name)} has unknown names {unknown}; known are {listed}')


def check_at_least(owner: str, low: float, /, **arguments: float) -> None:
    """Refuse anything but numbers of at least ``low``; NaN is refused too."""
    for name, value in arguments.items():
        if not _is_number(value) or not value >= low:
            raise _error(owner, name, f'{low:g} or more', value)


def check_above(owner: str, low: float, /, **arguments: float) -> None:
    """Refuse anything but numbers above ``low``; NaN is refused too."""
    for name, value in arguments.items():
        if not _is_number(value) or not value > low:
            raise _error(owner, name, f'above {low:g}', value)


def check_range(owner: str, low: float, high: float, /, **arguments: float) -> None:
    """Refuse anything but numbers in [low, high]; NaN is refused too."""
    for name, value in arguments.items():
        if not _is_number(value) or not low <= value <= high:
            raise ValueError(f'{owner}: {_dotted(name)} must lie in [{low:g}, {high:g}], got {value!r}')


def check_between(owner: str, low: float, high: float, /, **arguments: float) -> None:
    """Refuse anything but numbers in (low, high), without the bounds; NaN is refused too."""
    for name, value in arguments.items():
        if not _is_number(value) or not low < value < high:
            raise ValueError(f'{owner}: {_dotted(name)} must lie in ({low:g}, {high:g}), got {value!r}')


def check_fraction(owner: str, below: float = 1, /, **arguments: float) -> None:
    """Refuse anything but numbers in [0, below), without the upper bound; NaN is refused too."""
    for name, value in arguments.items():
        if not _is_number(value) or not 0 <= value < below:
            raise ValueError(f'{owner}: {_dotted(name)} must lie in [0, {below:g}), got {value!r}')


def check_shape(owner: str, shape: tuple[int | str, ...], /, **arguments: Any) -> None:
    """Refuse anything but arrays or tensors of a shape.

    Args:
        owner: Class or function whose arguments these are.
        shape: The size of each dimension: a number, or a letter for any size. A letter that occurs again,
            in the same array or the next one, stands for the same size.
        arguments: Arrays or tensors; None is refused too.
    """
    sizes: dict[str, int] = {}
    for name, value in arguments.items():
        given = None if value is None else tuple(value.shape)
        fits = given is not None and len(given) == len(shape)
        if not fits or not all(_fits(want, size, sizes) for want, size in zip(shape, given)):
            known = ''.join(f', {letter}={size}' for letter, size in sizes.items()) if fits else ''
            wanted = ', '.join(map(str, shape)) + (',' if len(shape) == 1 else '')
            raise ValueError(f'{owner}: {_dotted(name)} must have shape ({wanted}){known}, got {given}')


def check_not_empty(owner: str, least: int = 1, /, **arguments: Collection) -> None:
    """Refuse collections and arrays of fewer than ``least`` items."""
    for name, value in arguments.items():
        if len(value) < least:
            needed = 'not be empty' if least == 1 else f'have {least} or more items, got {value!r}'
            raise ValueError(f'{owner}: {_dotted(name)} must {needed}')


def check_increasing(owner: str, /, **arguments: Collection[float]) -> None:
    """Refuse anything but a pair of numbers (low, high) with low <= high."""
    for name, value in arguments.items():
        pair = isinstance(value, tuple | list) and len(value) == 2
        if not pair or not all(map(_is_number, value)) or not value[0] <= value[1]:
            raise _error(owner, name, 'a pair (low, high) with low <= high', value)


def check_same_length(owner: str, /, **arguments: Collection) -> None:
    """Refuse collections of different lengths."""
    lengths = {_dotted(name): len(value) for name, value in arguments.items()}
    if len(set(lengths.values())) > 1:
        given = ', '.join(f'{name} has {length}' for name, length in lengths.items())
        raise ValueError(f'{owner}: {" and ".join(lengths)} must have the same length, but {given}')


def _error(owner: str, name: str, accepted: str, value: Any) -> ValueError:
    return ValueError(f'{owner}: {_dotted(name)} must be {accepted}, got {value!r}')


def _dotted(name: str) -> str:
    return name.replace('__', '.')


def _fits(want: int | str, size: int, sizes: dict[str, int]) -> bool:
    return sizes.setdefault(want, size) == size if isinstance(want, str) else want == size


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
