"""The files of a representation store: manifest, index and arrays."""

import glob
import json
import os
from collections.abc import Sequence as SequenceType
from dataclasses import asdict, dataclass

import numpy as np

from mmforecast.fileio.atomic import write_atomically
from mmforecast.fileio.partial_file import partial_file

from ..corrupt_files import CorruptFileError

FORMAT_VERSION = 2
DTYPE = np.dtype('<f2')


class StoreError(ValueError):
    """A representation store is missing, broken, or not the one that was asked for."""


class DamagedArrayError(CorruptFileError, StoreError):
    """One array of a store is missing or not what index and manifest promise."""


@dataclass(frozen=True)
class Level:
    """One level of a representation.

    Attributes:
        name: Of its folder, e.g. 'P5', or 'scores'.
        shape: (C, h, w) of one frame.
    """

    name: str
    shape: tuple[int, int, int]

    def __post_init__(self):
        if not _is_plain(self.name):
            raise ValueError(f'the name of a level must be a plain file name, got {self.name!r}')
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ValueError(
                f'the shape of level {self.name} must be (C, h, w), each at least 1, got {self.shape!r}'
            )
        object.__setattr__(self, 'shape', tuple(int(size) for size in self.shape))

    def __str__(self) -> str:
        return f'{self.name} {self.shape}'

    def num_bytes(self, num_frames: int) -> int:
        """Of so many frames on disk; names and headers add under 1 kB per sequence."""
        return num_frames * int(np.prod(self.shape, dtype=np.int64)) * DTYPE.itemsize


@dataclass(frozen=True)
class StoreManifest:
    """What the representations of a store are.

    Attributes:
        model: Name or config of the network that computed them; for the reader's information.
        weights_sha256: Fingerprint of that network's weights, by which it is known (see
            :func:`mmforecast.fileio.fingerprint.weights_fingerprint`).
        levels: Of different names, as :class:`Level` or as dicts of its fields; kept finest first.
        dataset: What the frames are of.
    """

    model: str
    weights_sha256: str
    levels: tuple[Level, ...]
    dataset: str

    def __post_init__(self):
        object.__setattr__(self, 'levels', _as_levels(self.levels))
        names = self.level_names
        if not names or len(set(names)) != len(names):
            raise ValueError(f'levels must be one or more, of different names, got {names}')

    @property
    def level_names(self) -> tuple[str, ...]:
        return tuple(level.name for level in self.levels)

    def level(self, name: str) -> Level:
        """The level of that name, which must exist."""
        return next(level for level in self.levels if level.name == name)


def _as_levels(levels: SequenceType) -> tuple[Level, ...]:
    levels = [level if isinstance(level, Level) else Level(**level) for level in levels]
    return tuple(sorted(levels, key=lambda level: -level.shape[1] * level.shape[2]))


def check_manifest(root: str, manifest: StoreManifest, expect: dict):
    """Raise unless every expected field holds."""
    fields = {name: getattr(manifest, name) for name in manifest.__dataclass_fields__}
    unknown = sorted(set(expect) - set(fields))
    if unknown:
        raise ValueError(f'expect knows the fields {sorted(fields)}, got {unknown}')
    for key, value in expect.items():
        value = _as_levels(value) if key == 'levels' else value
        if fields[key] != value:
            has, wants = (', '.join(map(str, v)) if key == 'levels' else repr(v) for v in (fields[key], value))
            raise StoreError(
                f'the store at {root} has {key} {has}, but {wants} is expected: use the store of '
                'that one, or extract it to another folder'
            )


def manifest_path(root: str) -> str:
    return os.path.join(root, 'manifest.json')


def index_path(root: str, part: str = '') -> str:
    """The index, or the part of it that one of several writers appends to until it is at its end."""
    return os.path.join(root, f'index{part}.jsonl')


def index_parts(root: str) -> list[str]:
    """Paths of the parts of the index that are there, of writers that have not come to their end."""
    return sorted(glob.glob(os.path.join(glob.escape(root), 'index-*.jsonl')))


def array_path(root: str, level: str, sequence_id: str) -> str:
    if not _is_plain(sequence_id):
        raise StoreError(f'a sequence id must be a plain file name, got {sequence_id!r}')
    return os.path.join(root, 'data', level, f'{sequence_id}.npy')


def _is_plain(name: str) -> bool:
    return name not in ('', '.', '..') and os.path.basename(name) == name


def write_manifest(root: str, manifest: StoreManifest):
    content = dict(format_version=FORMAT_VERSION, dtype='float16', **asdict(manifest))
    write_atomically(manifest_path(root), (json.dumps(content, indent=2) + '\n').encode())


def read_manifest(root: str) -> StoreManifest:
    path = manifest_path(root)
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except FileNotFoundError as error:
        raise StoreError(
            f'no representation store at {root}: {path} does not exist; write it with '
            'tools/extract_representations.py'
        ) from error
    except (ValueError, RecursionError) as error:
        raise StoreError(
            f'{path} is not a JSON file: {error}; delete the store and extract it again'
        ) from error
    if not isinstance(content, dict):
        raise StoreError(
            f'{path} is not a manifest but a {type(content).__name__}; delete the store and extract it again'
        )
    version, dtype = content.pop('format_version', None), content.pop('dtype', None)
    if (version, dtype) != (FORMAT_VERSION, 'float16'):
        raise StoreError(
            f'{path} is of format {version} with {dtype}, this version reads format '
            f'{FORMAT_VERSION} with float16; extract the store again'
        )
    try:
        return StoreManifest(**content)
    except (TypeError, ValueError) as error:
        raise StoreError(
            f'{path} is not a manifest: {error}; delete the store and extract it again'
        ) from error


def index_line(level: str, sequence_id: str, frame_names: SequenceType[str]) -> str:
    entry = dict(level=level, sequence_id=sequence_id, frame_names=list(frame_names))
    return json.dumps(entry) + '\n'


def read_index(root: str) -> dict[tuple[str, str], list[str]]:
    """(level, sequence id) to frame names; a killed writer's unfinished last line doesn't count."""
    index: dict[tuple[str, str], list[str]] = {}
    # the whole index last: a part is removed only after that holds its lines
    for path in (*index_parts(root), index_path(root)):
        index |= read_index_file(path)
    return index


def read_index_file(path: str) -> dict[tuple[str, str], list[str]]:
    """The entries of one file of an index; none where there is no such file."""
    try:
        with open(path, encoding='utf-8', newline='\n') as file:
            lines = file.readlines()
        entries = [json.loads(line) for line in lines if line.endswith('\n')]
        index = {(entry['level'], entry['sequence_id']): entry['frame_names'] for entry in entries}
        if not all(isinstance(part, str) for key, names in index.items() for part in (*key, *names)):
            raise TypeError('names must be text')
        return index
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise StoreError(
            f'{path} is not an index of a store ({type(error).__name__}: {error}); delete the store and '
            'extract it again'
        ) from error


def write_index(path: str, index: dict[tuple[str, str], list[str]]) -> None:
    """Write a file of an index, one line per entry."""
    lines = [index_line(*key, names) for key, names in index.items()]
    write_atomically(path, ''.join(lines).encode())


def write_array(root: str, level: Level, sequence_id: str, num_frames: int, array: np.ndarray) -> None:
    """Write the array of a sequence, which belongs to the store once the index names it.

    Args:
        root: Folder of the store, with a folder for the level.
        level: Of the store.
        sequence_id: A name without path separators.
        num_frames: Frames that the array must have.
        array: (num_frames, C, h, w), any float type; its values must be finite in float16.

    Raises:
        StoreError: The array is another, or cannot be written.
    """
    path = array_path(root, level.name, sequence_id)
    array = _as_stored(level, sequence_id, num_frames, array)
    try:
        with partial_file(path) as partial, open(partial, 'wb') as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(
            f'{path} cannot be written ({error.strerror or error}): free space on that disk, or make the '
            'folder writable; the same command goes on with what is left'
        ) from error


def _as_stored(level: Level, sequence_id: str, num_frames: int, array: np.ndarray) -> np.ndarray:
    expected = (num_frames, *level.shape)
    if array.shape != expected:
        raise StoreError(
            f'{level.name} of sequence {sequence_id} must be an array {expected}, got '
            f'{array.shape}: all frames of a store are of one size'
        )
    with np.errstate(over='ignore'):
        array = array.astype(DTYPE, copy=False)
    if not np.isfinite(array).all():
        raise StoreError(
            f'{level.name} of sequence {sequence_id} has values that are not finite in float16 (up '
            'to 65504): the network that computed them diverged, or needs scaling'
        )
    return array
