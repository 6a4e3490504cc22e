"""Checks of constructor arguments, each one line where it is used.

Every function takes the name of the class or function whose arguments it checks, then the arguments by
name, and raises a ValueError that names the argument, what it accepts and what was given.
"""

from collections.abc import Collection
from numbers import Real
from typing import Any

__all__ = ['check_above', 'check_at_least', 'check_choice', 'check_positive', 'check_range']


def check_positive(owner: str, **arguments: int) -> None:
    """Refuse anything but integers of at least 1."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f'{owner}: {name} must be an integer >= 1, got {value!r}')


def check_choice(owner: str, choices: Collection, **arguments: Any) -> None:
    """Refuse values that are not among ``choices``."""
    for name, value in arguments.items():
        if value not in choices:
            known = ', '.join(repr(choice) for choice in choices)
            raise ValueError(f'{owner}: {name} must be one of {known}, got {value!r}')


def check_at_least(owner: str, low: float, **arguments: float) -> None:
    """Refuse anything but numbers of at least ``low``; NaN is refused too."""
    for name, value in arguments.items():
        if not _is_number(value) or not value >= low:
            raise ValueError(f'{owner}: {name} must be {low:g} or more, got {value!r}')


def check_above(owner: str, low: float, **arguments: float) -> None:
    """Refuse anything but numbers above ``low``; NaN is refused too."""
    for name, value in arguments.items():
        if not _is_number(value) or not value > low:
            raise ValueError(f'{owner}: {name} must be above {low:g}, got {value!r}')


def check_range(owner: str, low: float, high: float, **arguments: float) -> None:
    """Refuse anything but numbers in [low, high]; NaN is refused too."""
    for name, value in arguments.items():
        if not _is_number(value) or not low <= value <= high:
            raise ValueError(f'{owner}: {name} must lie in [{low:g}, {high:g}], got {value!r}')


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
