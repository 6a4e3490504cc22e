"""Exclusive use of a work directory: one training at a time writes its checkpoints and logs."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

__all__ = ['WorkDirInUseError', 'exclusive_work_dir']

LOCK_FILE = '.training.lock'


class WorkDirInUseError(ValueError):
    """Another training writes to the same work directory; the message says which."""


@contextmanager
def exclusive_work_dir(work_dir: str, launcher: str = 'none') -> Iterator[None]:
    """Hold a work directory for one training, by its first process.

    The operating system drops the lock when the process ends, however it ends. Processes that load data don't
    inherit it, and other processes of the same training don't ask for it. File systems without locks are not
    guarded.

    Args:
        work_dir: Made if it isn't there.
        launcher: As in a config; it says which environment variable has the rank of a process.

    Raises:
        WorkDirInUseError: Another process holds it.
    """
    if fcntl is None or not _is_first_process(launcher):
        yield
        return
    os.makedirs(work_dir, exist_ok=True)
    with open(os.path.join(work_dir, LOCK_FILE), 'a+') as handle:
        _lock(handle, work_dir)
        yield


def _lock(handle: TextIO, work_dir: str) -> None:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        handle.seek(0)
        owner = handle.read().strip() or 'another process'
        raise WorkDirInUseError(
            f'{work_dir} is in use by {owner}; give this training another folder with --work-dir, or wait '
            'until that one ends'
        ) from error
    except OSError:  # the file system has no locks
        return
    handle.truncate(0)
    handle.write(f'a training (process {os.getpid()} on {socket.gethostname()}, since {time.ctime()})\n')
    handle.flush()


_RANK = {'pytorch': 'RANK', 'slurm': 'SLURM_PROCID', 'mpi': 'OMPI_COMM_WORLD_RANK'}


def _is_first_process(launcher: str) -> bool:
    """Tell by the launcher's environment, since processes may not have joined yet."""
    return int(os.environ.get(_RANK.get(launcher, ''), 0)) == 0
