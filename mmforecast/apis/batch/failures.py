"""Errors as results of units."""

import traceback
from collections.abc import Callable

from .states import FAILED

__all__ = ['failure']


def failure(error: BaseException, explain: Callable[[BaseException], str | None] | None = None) -> dict:
    """The result of a unit that an error ended: its sentence, and a traceback of what nobody expected.

    Args:
        error: As caught.
        explain: Makes a sentence of it, or None where a traceback is needed.
    """
    sentence = explain(error) if explain is not None else None
    if sentence is not None:
        return dict(state=FAILED, sentence=sentence)
    trace = ''.join(traceback.format_exception(error))
    return dict(state=FAILED, sentence=f'{type(error).__name__}: {error}', traceback=trace)
