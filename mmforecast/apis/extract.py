"""Compute the representations of a dataset once, for every training run to read."""

from collections.abc import Sequence

import numpy as np
import torch

from mmforecast.datasets import (
    BaseSequenceDataset,
    CorruptFrameError,
    Level,
    StoreManifest,
    StoreWriter,
)
from mmforecast.engine.data_watch import find_sources
from mmforecast.fileio.fingerprint import weights_fingerprint
from mmforecast.models.encoders import BaseEncoder
from mmforecast.utils.progress import progress_bar

from .batch.units import Shard
from .extract_frames import (
    SequenceFrames,
    encode_frames,
    gather_levels,
    load_frames,
    probe_encoder,
    resizing_of,
)


class Extractor:
    """Computes the representation of every frame that any clip of a dataset takes.

    Args:
        encoder: Must have a ``network`` and work on any RGB frame.
        dataset: As for :func:`extract_representations`.
        levels: Names of those of the encoder's levels to compute; all by default.
        chunk: Frames per forward pass.

    Raises:
        ValueError: The encoder has nothing to store, or no such level.
        CorruptFrameError: No sequence can be read.
    """

    def __init__(
        self,
        encoder: BaseEncoder,
        dataset: BaseSequenceDataset,
        levels: Sequence[str] | None = None,
        chunk: int = 8,
    ):
        self.encoder = encoder
        self.names = _check_levels(encoder, levels)
        self.work = sequences_in_use(dataset)
        self.chunk = chunk
        maps = probe_encoder(encoder, self.work.values())
        self.levels = [Level(name, level.shape[1:]) for name, level in zip(encoder.level_names, maps)]

    @property
    def weights(self) -> str:
        """Fingerprint of the network's weights."""
        return weights_fingerprint(self.encoder.network)

    @torch.no_grad()
    def compute(self, sequence_id: str, levels: Sequence[str]) -> dict[str, np.ndarray]:
        """(num_frames, C, h, w) float16 of each of these levels of a sequence.

        Raises:
            CorruptFrameError: A frame cannot be read.
            ValueError: Frames differ in size from those before.
        """
        work = self.work[sequence_id]
        frames = load_frames(work.sequence, work.positions, work.resizing)
        missing = [level for level in self.levels if level.name in levels]
        maps = encode_frames(self.encoder, frames, self.chunk)
        return gather_levels(self.encoder, maps, missing, sequence_id, len(frames))


def extract_representations(
    encoder: BaseEncoder,
    dataset: BaseSequenceDataset,
    root: str,
    model: str,
    levels: Sequence[str] | None = None,
    chunk: int = 8,
    dry_run: bool = False,
    shard: Shard | None = None,
) -> dict:
    """Write the representation of every frame that any clip of ``dataset`` takes.

    What the store already holds is left as it is, sequence by sequence and level by level. So a killed
    run resumes where it stopped, and levels can be added to a store later. A sequence with an
    unreadable file is left out and reported. Sizes are printed before anything is written.

    Args:
        encoder: Must have a ``network`` and work on any RGB frame.
        dataset: Its clips say which frames of which sequences are needed; a wrapper such as mmengine's
            ``ConcatDataset`` stands for what it holds. Of its pipeline, frames go through ``ClipResize``,
            ``ClipCropToMultiple`` and ``ClipPadToMultiple``, so that they are as large as in a clip.
        root: Folder of the store.
        model: Name of the network, for the manifest.
        levels: Names of those of the encoder's levels to write; all by default.
        chunk: Frames per forward pass.
        dry_run: Print the sizes and write nothing.
        shard: The part of the sequences to write, where other commands write the others; by default all.

    Returns:
        ``written`` and ``kept`` (numbers of sequences to which something was added or nothing),
        ``bytes`` (of the whole store, by each of the encoder's levels) and ``corrupt`` (messages).

    Raises:
        ValueError: The encoder has nothing to store, or no such level.
        StoreError: ``root`` holds other representations, or its disk is too small.
        CorruptFrameError: No sequence can be read.
    """
    extractor = Extractor(encoder, dataset, levels, chunk)
    work = extractor.work
    sizes = print_sizes(extractor.levels, extractor.names, work, root)
    report = dict(written=0, kept=0, bytes=sizes, corrupt=[])
    if dry_run:
        return report
    owned = owned_sequences(work, shard)
    source = name_sources(dataset)
    writer = open_store(root, model, extractor.weights, extractor.levels, extractor.names, source, work, shard)
    for sequence_id in progress_bar(owned, desc='sequences'):
        names = work[sequence_id].names
        missing = [level for level in extractor.names if not writer.has_sequence(level, sequence_id, names)]
        if not missing:
            report['kept'] += 1
            continue
        try:
            arrays = extractor.compute(sequence_id, missing)
        except CorruptFrameError as error:
            report['corrupt'].append(str(error))
            continue
        for level, array in arrays.items():
            writer.write_sequence(level, sequence_id, names, array)
        report['written'] += 1
    writer.finish()
    return report


def open_store(
    root: str,
    model: str,
    weights: str,
    levels: Sequence[Level],
    names: Sequence[str],
    source: str,
    work: dict[str, SequenceFrames],
    shard: Shard | None = None,
) -> StoreWriter:
    """The writer of a store, or of a shard's part of it.

    Args:
        root: Folder of the store.
        model: Name of the network.
        weights: Fingerprint of its weights.
        levels: All of the encoder's.
        names: Of those that are written.
        source: As of :func:`name_sources`.
        work: As of :func:`sequences_in_use`.
        shard: The part of the sequences; by default all.
    """
    manifest = StoreManifest(model, weights, [level for level in levels if level.name in names], source)
    part, owned = (shard.suffix, owned_sequences(work, shard)) if shard is not None else ('', None)
    return StoreWriter(root, manifest, _count_frames(work), part, owned)


def owned_sequences(work: dict[str, SequenceFrames], shard: Shard | None) -> list[str]:
    """Ids of the sequences that a shard writes."""
    return [name for place, name in enumerate(work) if shard is None or shard.owns(place)]


def name_sources(dataset: BaseSequenceDataset) -> str:
    """The data sets that the frames are of, for the manifest of a store."""
    names = [f'{type(part).__name__}({part.data_root})' for part in find_sources(dataset)]
    return ', '.join(dict.fromkeys(names))


def sequences_in_use(dataset: BaseSequenceDataset) -> dict[str, SequenceFrames]:
    """The frames to extract of each sequence, by its id.

    Once where several datasets have it, as the first one resizes it.
    """
    used: dict[str, tuple] = {}
    for source in find_sources(dataset):
        for sequence, positions in source.frames_in_use():
            first, known, _ = used.setdefault(sequence.id, (sequence, set(), resizing_of(source)))
            if first.frame_names != sequence.frame_names:
                raise ValueError(
                    f'two data sets have different sequences called {sequence.id}; extract them apart'
                )
            known.update(positions)
    return {
        name: SequenceFrames(
            sequence, sorted(known), [sequence.frame_names[place] for place in sorted(known)], resizing
        )
        for name, (sequence, known, resizing) in used.items()
    }


def _check_levels(encoder: BaseEncoder, levels: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the levels to write."""
    name = type(encoder).__name__
    if not encoder.from_rgb or getattr(encoder, 'network', None) is None:
        raise ValueError(
            f'{name} has no network that makes its representation of a frame, so there is nothing '
            'to compute; use a config whose encoder is a SegmentorEncoder or a DetectorEncoder'
        )
    if levels is None:
        return encoder.level_names
    unknown = [level for level in levels if level not in encoder.level_names]
    if unknown or not levels:
        raise ValueError(
            f'{name} has the levels {", ".join(encoder.level_names)}; choose one or more of them, '
            f'got {list(levels)}'
        )
    return tuple(levels)


def _count_frames(work: dict[str, SequenceFrames]) -> int:
    return sum(len(part.names) for part in work.values())


def print_sizes(
    levels: Sequence[Level], names: Sequence[str], work: dict[str, SequenceFrames], root: str
) -> dict[str, int]:
    """Print, and return, the bytes of each level in the whole store; arguments as of :func:`open_store`."""
    num_frames = _count_frames(work)
    sizes = {level.name: level.num_bytes(num_frames) for level in levels}
    print(f'{num_frames} frames in fp16, by level (C, h, w):')
    for level in levels:
        note = '' if level.name in names else '  (not asked for)'
        print(f'  {level}: {sizes[level.name] / 1e9:.3g} GB{note}')
    print(f'{sum(sizes[name] for name in names) / 1e9:.3g} GB in {root}')
    return sizes
