"""Writes a representation store."""

import dataclasses
import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from collections.abc import Sequence as SequenceType
from contextlib import contextmanager, suppress

import numpy as np

from mmforecast.fileio.atomic import remove_leftovers
from mmforecast.utils.addresses import refuse_address

from .files import (
    StoreError,
    StoreManifest,
    check_manifest,
    index_line,
    index_parts,
    index_path,
    manifest_path,
    read_index,
    read_index_file,
    read_manifest,
    write_array,
    write_index,
    write_manifest,
)


class StoreWriter:
    """Writes a store, one level of one sequence at a time, and resumes where an earlier one stopped.

    Only one writer may be at work on a store, or several with a part of the sequences each.

    Args:
        root: Folder of the store; made if it doesn't exist.
        manifest: What will be written. A store that is there already must be of the same weights and
            dataset, and of the same shape at the levels that both have; it gains the others.
        num_frames: How many frames of each of these levels the whole store will hold: to be refused
            now rather than stopped by a full disk. 0 doesn't check.
        part: Of the index, where other writers write other sequences of the store at the same time: a
            suffix of its file's name such as '-1-of-8'; '' for the only writer.
        sequences: Ids of those that this writer may write; None for all. What a killed writer has left of
            them is removed.

    Raises:
        StoreError: The folder holds other representations, or the disk is too small.
        ValueError: ``root`` is an address.
    """

    def __init__(
        self,
        root: str,
        manifest: StoreManifest,
        num_frames: int = 0,
        part: str = '',
        sequences: Collection[str] | None = None,
    ):
        self.root = root
        self.part = part
        refuse_address(root)
        os.makedirs(root, exist_ok=True)
        self.manifest = self._join(manifest)
        self._index = read_index(root)
        self._check_space(manifest, num_frames)
        owned = None if sequences is None else {f'{name}.npy' for name in sequences}.__contains__
        for name in manifest.level_names:
            os.makedirs(os.path.join(root, 'data', name), exist_ok=True)
            remove_leftovers(os.path.join(root, 'data', name), owned)
        if not os.path.exists(manifest_path(root)) or read_manifest(root) != self.manifest:
            write_manifest(root, self.manifest)
        # Without the torn last line that a killed writer may have left.
        path = index_path(root, part)
        write_index(path, read_index_file(path) if part else self._index)
        if not part:
            _remove(index_parts(root))

    def has_sequence(self, level: str, sequence_id: str, frame_names: SequenceType[str]) -> bool:
        """Whether the store holds these frames of the sequence at that level."""
        stored = self._index.get((level, sequence_id))
        return stored is not None and set(frame_names) <= set(stored)

    def write_sequence(self, level: str, sequence_id: str, frame_names: SequenceType[str], array: np.ndarray):
        """Store a sequence's representations for good; on return they are on the disk.

        Args:
            level: One of the manifest's.
            sequence_id: A name without path separators, not yet in the store at that level.
            frame_names: Of the frames, in the array's order.
            array: (frames, C, h, w), any float type; its values must be finite in float16.
        """
        self._check_names(level, sequence_id, frame_names)
        write_array(self.root, self.manifest.level(level), sequence_id, len(frame_names), array)
        self.enter(level, sequence_id, frame_names)

    def enter(self, level: str, sequence_id: str, frame_names: SequenceType[str]) -> None:
        """Name an array in the index that :func:`write_array` has written."""
        self._check_names(level, sequence_id, frame_names)
        with open(index_path(self.root, self.part), 'a', encoding='utf-8') as file:
            file.write(index_line(level, sequence_id, frame_names))
            file.flush()
            os.fsync(file.fileno())
        self._index[level, sequence_id] = list(frame_names)

    def finish(self) -> None:
        """Bring the index to the order that does not depend on who wrote what when: by sequence and level."""
        own = index_path(self.root, self.part)
        with _locked(self.root):
            index = {**read_index_file(own), **read_index_file(index_path(self.root))}
            levels = {name: place for place, name in enumerate(self.manifest.level_names)}
            keys = sorted(index, key=lambda key: (key[1], levels.get(key[0], len(levels))))
            write_index(index_path(self.root), {key: index[key] for key in keys})
        if self.part:
            _remove([own])

    def _check_names(self, level: str, sequence_id: str, frame_names: SequenceType[str]):
        stored = self._index.get((level, sequence_id))
        if stored is not None:
            raise StoreError(
                f'{self.root} already holds {level} of sequence {sequence_id} with frames '
                f'{stored[0]} to {stored[-1]}: a sequence is written once, with all the frames '
                'that will be needed; write to another folder'
            )
        if not frame_names or len(set(frame_names)) != len(frame_names):
            raise StoreError(
                f'sequence {sequence_id} must be of at least one frame, all of different names; '
                f'got {len(frame_names)} frames of {len(set(frame_names))} names'
            )

    def _join(self, manifest: StoreManifest) -> StoreManifest:
        """The manifest of the store that is there, with the levels that are new to it."""
        if not os.path.exists(manifest_path(self.root)):
            return manifest
        stored = read_manifest(self.root)
        expect = dict(weights_sha256=manifest.weights_sha256, dataset=manifest.dataset)
        check_manifest(self.root, stored, expect)
        new = [level for level in manifest.levels if level.name not in stored.level_names]
        joined = dataclasses.replace(stored, levels=(*stored.levels, *new))
        for level in manifest.levels:
            if joined.level(level.name) != level:
                raise StoreError(
                    f'the store at {self.root} has level {joined.level(level.name)}, but {level} '
                    'is to be written: extract frames of another size to another folder'
                )
        return joined

    def _check_space(self, manifest: StoreManifest, num_frames: int):
        needs = {}
        for level in manifest.levels:
            stored = sum(len(names) for key, names in self._index.items() if key[0] == level.name)
            needs[level.name] = level.num_bytes(max(num_frames - stored, 0))
        need, free = sum(needs.values()), shutil.disk_usage(self.root).free
        if need > free:
            parts = ', '.join(f'{name} {size / 1e9:.3g}' for name, size in needs.items())
            raise StoreError(
                f'{self.root} still needs {need / 1e9:.3g} GB ({parts}), but {free / 1e9:.3g} GB '
                'are free: choose another disk, fewer levels or fewer frames'
            )


def _remove(paths: SequenceType[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            os.remove(path)


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Wait for other processes that are in such a block for the same folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
