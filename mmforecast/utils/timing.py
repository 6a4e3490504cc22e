"""Processor time and time on the clock of a call, or of a process of Python."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ['Spent', 'timed', 'timed_python']


class Spent(NamedTuple):
    """What something took, in seconds.

    Attributes:
        processor: Processor time, of all threads; of a process, of its children as well.
        clock: Time on the clock.
    """

    processor: float
    clock: float


def timed(call: Callable, *args) -> tuple[Spent, Any]:
    """What a call takes, and its result."""
    processor, clock = time.process_time(), time.perf_counter()
    result = call(*args)
    return Spent(time.process_time() - processor, time.perf_counter() - clock), result


def timed_python(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str | os.PathLike | None = None
) -> tuple[Spent, str]:
    """What a run of Python takes, and what it prints to the standard output.

    Args:
        arguments: Of this interpreter.
        environment: Variables that it gets besides those of this process.
        folder: That it runs in; None for that of this process.

    Raises:
        RuntimeError: It fails; the message ends with what it printed last.
    """
    with tempfile.TemporaryDirectory() as scratch:
        output, errors = Path(scratch, 'output'), Path(scratch, 'errors')
        start = time.perf_counter()
        with output.open('wb') as stdout, errors.open('wb') as stderr:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                env={**os.environ, **environment},
                stdout=stdout,
                stderr=stderr,
            )
            _, status, usage = os.wait4(process.pid, 0)
        clock = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        printed, complaint = (path.read_text(errors='replace') for path in (output, errors))
    if process.returncode:
        where = '' if folder is None else f' in {folder}'
        raise RuntimeError(f'{" ".join(arguments)} failed{where}:\n{complaint[-2000:]}')
    return Spent(usage.ru_utime + usage.ru_stime, clock), printed
