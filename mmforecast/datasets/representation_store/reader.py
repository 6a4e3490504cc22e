"""Reads a representation store."""

from collections import OrderedDict
from collections.abc import Sequence as SequenceType
from itertools import pairwise

import numpy as np

from .files import (
    DTYPE,
    DamagedArrayError,
    StoreError,
    array_path,
    check_manifest,
    read_index,
    read_manifest,
)


class RepresentationStore:
    """Reads a store. Cheap to build; arrays are mapped at first use, in each process.

    Args:
        root: Folder of the store.
        expect: Fields of :class:`StoreManifest` that must hold.
        max_open: Arrays mapped at a time.

    Raises:
        StoreError: There is no store, or it isn't the expected one.
    """

    def __init__(self, root: str, expect: dict | None = None, max_open: int = 256):
        self.root = root
        self.manifest = read_manifest(root)
        check_manifest(root, self.manifest, dict(expect or {}))
        self.max_open = max_open
        self._positions = {
            key: {name: position for position, name in enumerate(names)}
            for key, names in read_index(root).items()
        }
        self._arrays: OrderedDict[tuple[str, str], np.ndarray] = OrderedDict()

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_arrays': OrderedDict()}

    def num_frames(self, level: str) -> int:
        """How many frames the store holds at a level."""
        return sum(len(names) for key, names in self._positions.items() if key[0] == level)

    def choose_levels(self, levels: SequenceType[str] | None = None) -> tuple[str, ...]:
        """These levels of the store (by default all), finest first; StoreError where one is missing."""
        missing = [name for name in levels or () if name not in self.manifest.level_names]
        if missing:
            raise StoreError(
                f'the store at {self.root} has no level {missing[0]}, only '
                f'{", ".join(self.manifest.level_names)}: add it with '
                f'tools/extract_representations.py --levels {missing[0]}, or load fewer'
            )
        return tuple(n for n in self.manifest.level_names if levels is None or n in levels)

    def read(self, level: str, sequence_id: str, frame_names: SequenceType[str]) -> np.ndarray:
        """One level of some frames of a sequence.

        Returns:
            (T, C, h, w) float16. A read-only view of the mapped file where the frames are equally
            spaced: what is not looked at, as outside a crop, is not read from disk.
        """
        if (level, sequence_id) not in self._positions:
            self.choose_levels([level])
            raise StoreError(
                f'{self.root} holds no {level} of sequence {sequence_id} (it has '
                f'{sum(key[0] == level for key in self._positions)} sequences of that level): '
                f'extract the representations of this data set and split; manifest: {self.manifest}'
            )
        known = self._positions[level, sequence_id]
        missing = [name for name in frame_names if name not in known]
        if missing:
            raise StoreError(
                f'{self.root} lacks frame {missing[0]} of {level} of sequence {sequence_id}, of '
                f'which it holds {len(known)} frames: extract it with the frames that this clip takes'
            )
        positions = [known[name] for name in frame_names]
        array = self._map(level, sequence_id)
        step = positions[1] - positions[0] if len(positions) > 1 else 1
        if step > 0 and all(b - a == step for a, b in pairwise(positions)):
            return array[positions[0] : positions[-1] + 1 : step]
        return array[positions]

    def _map(self, level: str, sequence_id: str) -> np.ndarray:
        key = level, sequence_id
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        path = array_path(self.root, level, sequence_id)
        try:
            # np.load also takes archives; this maps plain arrays only, and never unpickles.
            array = np.lib.format.open_memmap(path, mode='r')
        except (OSError, ValueError) as error:
            raise DamagedArrayError(
                f'{path} cannot be mapped, though the index names it: {error}; delete the store '
                'and extract it again',
                path,
            ) from error
        expected = (len(self._positions[key]), *self.manifest.level(level).shape)
        if array.shape != expected or array.dtype != DTYPE:
            raise DamagedArrayError(
                f'{path} holds {array.shape} {array.dtype}, but manifest and index promise '
                f'{expected} {DTYPE}; delete the store and extract it again',
                path,
            )
        # A plain array: views of np.memmap cost a Python call each.
        self._arrays[key] = array.view(np.ndarray)
        if len(self._arrays) > self.max_open:
            self._arrays.popitem(last=False)
        return self._arrays[key]
