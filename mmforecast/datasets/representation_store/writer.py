"""Writes a representation store."""

import dataclasses
import os
import shutil
from collections.abc import Sequence as SequenceType

import numpy as np

from mmforecast.fileio.atomic import remove_leftovers, write_atomically
from mmforecast.fileio.partial_file import partial_file

from .files import (
    DTYPE,
    StoreError,
    StoreManifest,
    array_path,
    check_manifest,
    index_line,
    index_path,
    manifest_path,
    read_index,
    read_manifest,
    write_manifest,
)


class StoreWriter:
    """Writes a store, one level of one sequence at a time, and resumes where an earlier one stopped.

    Only one writer may be at work on a store.

    Args:
        root: Folder of the store; made if it doesn't exist.
        manifest: What will be written. A store that is there already must be of the same weights and
            dataset, and of the same shape at the levels that both have; it gains the others.
        num_frames: How many frames of each of these levels the whole store will hold: to be refused
            now rather than stopped by a full disk. 0 doesn't check.

    Raises:
        StoreError: The folder holds other representations, or the disk is too small.
    """

    def __init__(self, root: str, manifest: StoreManifest, num_frames: int = 0):
        self.root = root
        os.makedirs(root, exist_ok=True)
        self.manifest = self._join(manifest)
        self._index = read_index(root)
        self._check_space(manifest, num_frames)
        for name in manifest.level_names:
            os.makedirs(os.path.join(root, 'data', name), exist_ok=True)
            remove_leftovers(os.path.join(root, 'data', name))
        write_manifest(root, self.manifest)
        # Without the torn last line that a killed writer may have left.
        lines = [index_line(*key, names) for key, names in self._index.items()]
        write_atomically(index_path(root), ''.join(lines).encode())

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
        path = array_path(self.root, level, sequence_id)
        self._check_names(level, sequence_id, frame_names)
        array = self._as_stored(level, sequence_id, len(frame_names), array)
        with partial_file(path) as partial, open(partial, 'wb') as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        with open(index_path(self.root), 'a', encoding='utf-8') as file:
            file.write(index_line(level, sequence_id, frame_names))
            file.flush()
            os.fsync(file.fileno())
        self._index[level, sequence_id] = list(frame_names)

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

    def _as_stored(self, level: str, sequence_id: str, num_frames: int, array: np.ndarray):
        expected = (num_frames, *self.manifest.level(level).shape)
        if array.shape != expected:
            raise StoreError(
                f'{level} of sequence {sequence_id} must be an array {expected}, got '
                f'{array.shape}: all frames of a store are of one size'
            )
        with np.errstate(over='ignore'):
            array = array.astype(DTYPE, copy=False)
        if not np.isfinite(array).all():
            raise StoreError(
                f'{level} of sequence {sequence_id} has values that are not finite in float16 (up '
                'to 65504): the network that computed them diverged, or needs scaling'
            )
        return array

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
