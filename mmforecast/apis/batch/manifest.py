"""The manifest: what is done, what failed and why, and what is left, of all units of a batch."""

import fcntl
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mmforecast.fileio.atomic import write_atomically

from .states import DONE, FAILED, LEFT, SPLIT
from .unit_files import remove_files
from .units import Shard, Unit
from .writing import writing

__all__ = ['Manifest', 'read_manifest']


def read_manifest(folder: str | os.PathLike) -> list[dict]:
    """The state of each unit of a batch, of all its shards.

    Args:
        folder: The batch's output folder.

    Returns:
        Dicts with ``unit``, the name of its files; ``video``; ``start`` and ``stop`` of the frames that a
        stretch forecasts at, or None; ``state``, which is 'done', 'failed', 'left' or, for a video whose
        stretches are units, 'split'; of done units ``forecasts``, ``instances``, ``frames``, ``seconds`` and
        ``files``; of failed ones ``sentence``.
    """
    entries: dict[str, dict] = {}
    for path in sorted(Path(folder).glob('manifest*.jsonl')):
        for entry in _read_lines(path):
            known = entries.get(entry['unit'])
            if known is None or _rank(entry) >= _rank(known):
                entries[entry['unit']] = entry
    return list(entries.values())


class Manifest:
    """The manifest of one command, and what those of others say; a context manager.

    It is a file of JSON lines, to which each change is appended, so that nothing is lost whatever ends the
    process; the last line on a unit counts. The same units are not begun by two commands at once: one shard
    of a folder has one writer.

    Args:
        folder: The batch's output folder, which exists.
        shard: The part of the batch that this command does.

    Raises:
        OSError: The file cannot be written, or another command has it open.
    """

    def __init__(self, folder: str | os.PathLike, shard: Shard | None = None):
        self.path = Path(folder) / f'manifest{(shard or Shard()).suffix}.jsonl'
        self.entries: dict[str, dict] = {}
        self.folder = Path(folder)
        self._own: dict[str, None] = {}
        self._handle = self._lock = None

    def __enter__(self) -> 'Manifest':
        self._lock = self._locked()
        self.entries = {entry['unit']: entry for entry in read_manifest(self.folder)}
        if self.path.exists():
            self._own = dict.fromkeys(entry['unit'] for entry in _read_lines(self.path))
        self._rewrite()
        with writing(self.path):
            self._handle = open(self.path, 'ab')
        return self

    def __exit__(self, kind, error, trace) -> None:
        with suppress(OSError):  # of a full disk; the call that wrote has said so
            self._handle.close()
        try:
            if kind is None:
                self._rewrite()
        finally:
            self._lock.close()

    def state(self, unit: Unit) -> str | None:
        """One of 'done', 'failed', 'left' and 'split'; None for a unit that was never seen."""
        entry = self.entries.get(unit.name)
        return entry and entry['state']

    def stretches(self, unit: Unit) -> list[Unit]:
        """The units that a video was split into."""
        return [unit.stretch(*ends) for ends in self.entries[unit.name]['units']]

    def files(self, unit: Unit) -> list[str]:
        """The files of a done unit, relative to the folder."""
        return self.entries[unit.name].get('files', [])

    def discard(self, unit: Unit) -> None:
        """Remove the files of a unit that is not done.

        Raises:
            ResultsError: A file cannot be removed.
        """
        remove_files(self.folder, unit.name)

    def record(self, unit: Unit, state: str, **more) -> dict:
        """Write the new state of a unit, and return its entry."""
        (entry,) = self.record_all([(unit, state, more)])
        return entry

    def record_all(self, changes: Iterable[tuple[Unit, str, dict]]) -> list[dict]:
        """Write new states of units at once."""
        entries = [
            dict(unit=unit.name, video=unit.video, start=unit.start, stop=unit.stop, state=state, **more)
            for unit, state, more in changes
        ]
        with writing(self.path):
            self._handle.write(b''.join(map(_line, entries)))
            self._handle.flush()
            os.fsync(self._handle.fileno())
        for entry in entries:
            self.entries[entry['unit']] = entry
            self._own[entry['unit']] = None
        return entries

    def _rewrite(self) -> None:
        """Bring the file to one line per unit; one that was torn by the end of a process goes."""
        with writing(self.path):
            write_atomically(str(self.path), b''.join(_line(self.entries[unit]) for unit in self._own))

    def _locked(self):
        path = self.path.with_name(f'.{self.path.stem}.lock')
        with writing(path):
            handle = open(path, 'ab')
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.close()
            raise OSError(
                f'another command is writing results to {self.folder}: wait for its end, give another output '
                'folder, or share the work between commands by --shard'
            ) from error
        except OSError:  # some network file systems have no locks
            pass
        return handle


def _rank(entry: dict) -> int:
    """What counts more where two shards know a unit: a later state in its life."""
    return (LEFT, FAILED, SPLIT, DONE).index(entry['state'])


def _line(entry: dict) -> bytes:
    return json.dumps(entry).encode() + b'\n'


def _read_lines(path: Path) -> list[dict]:
    """The last entry of each unit; the last line may be torn."""
    entries: dict[str, dict] = {}
    with open(path, 'rb') as handle:
        for number, line in enumerate(handle, 1):
            if line.endswith(b'\n'):
                entry = _parse(line, f'{path}, line {number}')
                entries[entry['unit']] = entry
    return list(entries.values())


def _parse(line: bytes, where: str) -> dict:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise ValueError(
            f'{where}, is no JSON ({error}): remove the line, and its unit is done again'
        ) from error
    if not (isinstance(entry, dict) and {'unit', 'state'} <= set(entry)):
        raise ValueError(f'{where}, is not the entry of a unit: remove the line')
    return entry
