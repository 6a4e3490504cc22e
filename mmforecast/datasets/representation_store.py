"""Representations of frames on disk: computed once, mapped into memory by every training run.

A store is a folder of plain files; nothing in it is pickled::

    manifest.json           what the representations are: model, checkpoint, shape, data set
    index.jsonl             one line per whole sequence: its id and frame names, in order
    data/<sequence_id>.npy  (frames, C, h, w) float16

An array is written under another name, renamed, and entered in the index only then: whatever the
index names is whole, and a writer that was killed goes on after it.
"""

import hashlib
import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Sequence as SequenceType
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

__all__ = [
    'RepresentationStore',
    'StoreError',
    'StoreManifest',
    'StoreWriter',
    'estimate_bytes',
    'file_sha256',
]

FORMAT_VERSION = 1
_DTYPE = np.dtype('<f2')


class StoreError(ValueError):
    """A representation store is missing, broken, or not the one that was asked for."""


@dataclass(frozen=True)
class StoreManifest:
    """What the representations of a store are.

    Attributes:
        model: Name or config of the network that computed them.
        checkpoint_sha256: Of its weights, in hexadecimal (see :func:`file_sha256`); '' where there
            are none.
        shape: (C, h, w) of one frame.
        dataset: What the frames are of.
    """

    model: str
    checkpoint_sha256: str
    shape: tuple[int, int, int]
    dataset: str

    def __post_init__(self):
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ValueError(f'shape has to be (C, h, w), each at least 1, got {self.shape!r}')
        object.__setattr__(self, 'shape', tuple(int(size) for size in self.shape))


def estimate_bytes(num_frames: int, channels: int, height: int, width: int) -> int:
    """Size on disk of so many representations; names and headers add under 1 kB per sequence."""
    return num_frames * channels * height * width * _DTYPE.itemsize


def file_sha256(path: str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class StoreWriter:
    """Writes a store, one sequence at a time, and goes on where an earlier writer stopped.

    Only one writer may be at work on a store.

    Args:
        root: Folder of the store; made if it doesn't exist.
        manifest: What will be written. Has to equal the manifest of a store that is there already.
        num_frames: How many frames the whole store will hold: to be refused now rather than stopped
            by a full disk. 0 doesn't check.

    Raises:
        StoreError: The folder holds other representations, or the disk is too small.
    """

    def __init__(self, root: str, manifest: StoreManifest, num_frames: int = 0):
        self.root = root
        self.manifest = manifest
        os.makedirs(os.path.join(root, 'data'), exist_ok=True)
        if os.path.exists(_manifest_path(root)):
            _check(root, _read_manifest(root), asdict(manifest))
        self._index = _read_index(root)
        self._check_space(num_frames)
        _write_whole(_manifest_path(root), _manifest_json(manifest))
        # The torn last line that a killed writer may have left.
        _write_whole(
            _index_path(root),
            ''.join(_index_line(*entry) for entry in self._index.items()).encode(),
        )

    def has_sequence(self, sequence_id: str, frame_names: SequenceType[str] | None = None) -> bool:
        """Whether the store holds the sequence, and these frames of it."""
        stored = self._index.get(sequence_id)
        return stored is not None and set(frame_names or ()) <= set(stored)

    def write_sequence(self, sequence_id: str, frame_names: SequenceType[str], array: np.ndarray):
        """Store a sequence's representations for good; on return they are on the disk.

        Args:
            sequence_id: A name without path separators, not yet in the store.
            frame_names: Of the frames, in the array's order.
            array: (frames, C, h, w), any float type; its values have to be finite in float16.
        """
        path = _array_path(self.root, sequence_id)
        if sequence_id in self._index:
            raise StoreError(
                f'{self.root} already holds sequence {sequence_id} with frames '
                f'{self._index[sequence_id][0]} to {self._index[sequence_id][-1]}: a sequence is '
                'written once, with all the frames that will be needed; write to another folder'
            )
        expected = (len(frame_names), *self.manifest.shape)
        if (
            array.shape != expected
            or len(set(frame_names)) != len(frame_names)
            or not len(frame_names)
        ):
            raise StoreError(
                f'sequence {sequence_id} has to be an array {expected} of at least one frame, all '
                f'of different names; got {array.shape} and {len(set(frame_names))} names'
            )
        with np.errstate(over='ignore'):
            array = array.astype(_DTYPE)
        if not np.isfinite(array).all():
            raise StoreError(
                f'sequence {sequence_id} has representations that are not finite in float16 (up to '
                '65504): the network that computed them diverged, or needs scaling'
            )
        with open(path + '.tmp', 'wb') as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + '.tmp', path)
        with open(_index_path(self.root), 'a', encoding='utf-8') as file:
            file.write(_index_line(sequence_id, frame_names))
            file.flush()
            os.fsync(file.fileno())
        self._index[sequence_id] = list(frame_names)

    def _check_space(self, num_frames: int):
        stored = sum(map(len, self._index.values()))
        need = estimate_bytes(max(num_frames - stored, 0), *self.manifest.shape)
        free = shutil.disk_usage(self.root).free
        if need > free:
            raise StoreError(
                f'{num_frames - stored} frames of {self.manifest.shape} need {need / 1e9:.1f} GB '
                f'in {self.root}, where {free / 1e9:.1f} GB are free: choose another disk, fewer '
                'frames or a smaller representation'
            )


class RepresentationStore:
    """Reads a store. Cheap to build; arrays are mapped at first use, in each process.

    Args:
        root: Folder of the store.
        expect: Fields of :class:`StoreManifest` that have to hold.
        max_open: Arrays mapped at a time.

    Raises:
        StoreError: There is no store, or it isn't the expected one.
    """

    def __init__(self, root: str, expect: dict | None = None, max_open: int = 256):
        self.root = root
        self.manifest = _read_manifest(root)
        _check(root, self.manifest, dict(expect or {}))
        self.max_open = max_open
        self._positions = {
            sequence_id: {name: position for position, name in enumerate(names)}
            for sequence_id, names in _read_index(root).items()
        }
        self._arrays: OrderedDict[str, np.memmap] = OrderedDict()

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_arrays': OrderedDict()}

    def __contains__(self, sequence_id: str) -> bool:
        return sequence_id in self._positions

    def __len__(self) -> int:
        """How many frames the store holds."""
        return sum(map(len, self._positions.values()))

    def read(self, sequence_id: str, frame_names: SequenceType[str]) -> np.ndarray:
        """Representations of some frames of a sequence.

        Returns:
            (T, C, h, w) float16. A read-only view of the mapped file where the frames are equally
            spaced: what is not looked at, as outside a crop, is not read from disk.
        """
        if sequence_id not in self._positions:
            raise StoreError(
                f'{self.root} holds no sequence {sequence_id} (it has {len(self._positions)}): '
                f'extract the representations of this data set and split; manifest: {self.manifest}'
            )
        known = self._positions[sequence_id]
        missing = [name for name in frame_names if name not in known]
        if missing:
            raise StoreError(
                f'{self.root} lacks frame {missing[0]} of sequence {sequence_id}, of which it '
                f'holds {len(known)} frames: extract it with the frames that this clip takes'
            )
        positions = [known[name] for name in frame_names]
        array = self._map(sequence_id)
        step = positions[1] - positions[0] if len(positions) > 1 else 1
        if step > 0 and all(b - a == step for a, b in pairwise(positions)):
            return array[positions[0] : positions[-1] + 1 : step]
        return array[positions]

    def _map(self, sequence_id: str) -> np.ndarray:
        if sequence_id in self._arrays:
            self._arrays.move_to_end(sequence_id)
            return self._arrays[sequence_id]
        path = _array_path(self.root, sequence_id)
        try:
            array = np.load(path, mmap_mode='r', allow_pickle=False)
        except (OSError, ValueError) as error:
            raise StoreError(
                f'{path} cannot be mapped, though the index names it: {error}; delete the store '
                'and extract it again'
            ) from error
        expected = (len(self._positions[sequence_id]), *self.manifest.shape)
        if array.shape != expected or array.dtype != _DTYPE:
            raise StoreError(
                f'{path} holds {array.shape} {array.dtype}, but manifest and index promise '
                f'{expected} {_DTYPE}; delete the store and extract it again'
            )
        # A plain array: views of np.memmap cost a Python call each.
        self._arrays[sequence_id] = array.view(np.ndarray)
        if len(self._arrays) > self.max_open:
            self._arrays.popitem(last=False)
        return self._arrays[sequence_id]


def _manifest_path(root: str) -> str:
    return os.path.join(root, 'manifest.json')


def _index_path(root: str) -> str:
    return os.path.join(root, 'index.jsonl')


def _array_path(root: str, sequence_id: str) -> str:
    if not sequence_id or os.path.basename(sequence_id) != sequence_id:
        raise StoreError(f'a sequence id has to be a plain file name, got {sequence_id!r}')
    return os.path.join(root, 'data', f'{sequence_id}.npy')


def _write_whole(path: str, data: bytes):
    with open(path + '.tmp', 'wb') as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + '.tmp', path)


def _manifest_json(manifest: StoreManifest) -> bytes:
    content = dict(format_version=FORMAT_VERSION, dtype='float16', **asdict(manifest))
    return (json.dumps(content, indent=2) + '\n').encode()


def _read_manifest(root: str) -> StoreManifest:
    path = _manifest_path(root)
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except FileNotFoundError as error:
        raise StoreError(
            f'no representation store at {root}: {path} does not exist; write it with '
            'tools/extract_representations.py'
        ) from error
    except ValueError as error:
        raise StoreError(
            f'{path} is not a JSON file: {error}; delete the store and extract it again'
        ) from error
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


def _check(root: str, manifest: StoreManifest, expect: dict):
    """Raise unless every expected field holds."""
    fields = asdict(manifest)
    unknown = sorted(set(expect) - set(fields))
    if unknown:
        raise ValueError(f'expect knows the fields {sorted(fields)}, got {unknown}')
    for key, value in expect.items():
        value = tuple(value) if key == 'shape' else value
        if fields[key] != value:
            raise StoreError(
                f'the store at {root} has {key} {fields[key]!r}, but {value!r} is expected: use '
                'the store of that one, or extract it to another folder'
            )


def _index_line(sequence_id: str, frame_names: SequenceType[str]) -> str:
    return json.dumps(dict(sequence_id=sequence_id, frame_names=list(frame_names))) + '\n'


def _read_index(root: str) -> dict[str, list[str]]:
    """Sequence id to frame names; the unfinished last line of a killed writer doesn't count."""
    path = _index_path(root)
    if not os.path.exists(path):
        return {}
    with open(path, encoding='utf-8') as file:
        lines = file.read().splitlines(keepends=True)
    entries = [json.loads(line) for line in lines if line.endswith('\n')]
    return {entry['sequence_id']: entry['frame_names'] for entry in entries}
