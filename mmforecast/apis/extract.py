"""Compute the representations of a dataset once, for every training run to read."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import torch

from mmforecast.datasets import (
    BaseSequenceDataset,
    CorruptFrameError,
    Level,
    StoreManifest,
    StoreWriter,
)
from mmforecast.datasets.transforms import (
    ClipCropToMultiple,
    ClipPadToMultiple,
    ClipResize,
    LoadClipFrames,
)
from mmforecast.engine.data_watch import find_sources
from mmforecast.fileio.fingerprint import weights_fingerprint
from mmforecast.models.encoders import BaseEncoder
from mmforecast.utils.progress import progress_bar

# One array (n, C, h, w) float16 per level of the encoder, of n frames.
_Maps = list[np.ndarray]
# The transforms that change frames, the same ones always.
RESIZING = (ClipResize, ClipCropToMultiple, ClipPadToMultiple)


@torch.no_grad()
def extract_representations(
    encoder: BaseEncoder,
    dataset: BaseSequenceDataset,
    root: str,
    model: str,
    levels: Sequence[str] | None = None,
    chunk: int = 8,
    dry_run: bool = False,
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

    Returns:
        ``written`` and ``kept`` (numbers of sequences to which something was added or nothing),
        ``bytes`` (of the whole store, by each of the encoder's levels) and ``corrupt`` (messages).

    Raises:
        ValueError: The encoder has nothing to store, or no such level.
        StoreError: ``root`` holds other representations, or its disk is too small.
        CorruptFrameError: No sequence can be read.
    """
    names = _check_levels(encoder, levels)
    work = _frames_in_use(dataset)
    num_frames = sum(len(item[1]) for item in work)
    probed, probe = _probe(encoder, work)
    all_levels = [Level(name, maps.shape[1:]) for name, maps in zip(encoder.level_names, probe)]
    sizes = {level.name: level.num_bytes(num_frames) for level in all_levels}
    _print_sizes(all_levels, sizes, names, num_frames, root)
    report = dict(written=0, kept=0, bytes=sizes, corrupt=[])
    if dry_run:
        return report

    wanted = [level for level in all_levels if level.name in names]
    sources = [f'{type(part).__name__}({part.data_root})' for part in find_sources(dataset)]
    source = ', '.join(dict.fromkeys(sources))
    manifest = StoreManifest(model, weights_fingerprint(encoder.network), wanted, source)
    writer = StoreWriter(root, manifest, num_frames)
    for sequence, positions, frame_names, resize in progress_bar(work, desc='sequences'):
        missing = [level for level in wanted if not writer.has_sequence(level.name, sequence.id, frame_names)]
        if not missing:
            report['kept'] += 1
            continue
        try:
            frames = _load(sequence, positions, resize)
        except CorruptFrameError as error:
            report['corrupt'].append(str(error))
            continue
        first = [probe] if sequence is probed else []
        maps = chain(first, _encode(encoder, frames[len(first) :], chunk))
        for level, array in _gather(encoder, maps, missing, sequence.id, len(frames)).items():
            writer.write_sequence(level, sequence.id, frame_names, array)
        report['written'] += 1
    return report


def _frames_in_use(dataset: BaseSequenceDataset) -> list[tuple]:
    """Return (sequence, positions, frame names, resizing transforms) of each sequence.

    Once where several datasets have it, as the first one resizes it.
    """
    used: dict[str, tuple] = {}
    for source in find_sources(dataset):
        for sequence, positions in source.frames_in_use():
            first, known, _ = used.setdefault(sequence.id, (sequence, set(), _resizing(source)))
            if first.frame_names != sequence.frame_names:
                raise ValueError(
                    f'two data sets have different sequences called {sequence.id}; extract them apart'
                )
            known.update(positions)
    return [
        (sequence, sorted(known), [sequence.frame_names[p] for p in sorted(known)], resize)
        for sequence, known, resize in used.values()
    ]


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


def _probe(encoder: BaseEncoder, work: list) -> tuple[object, _Maps]:
    """The first sequence whose first frame can be read, and the maps of that frame."""
    errors = []
    for sequence, positions, _, resize in work:
        try:
            frame = _load(sequence, positions[:1], resize)
        except CorruptFrameError as error:
            errors.append(error)
            continue
        (maps,) = _encode(encoder, frame, 1)
        if len(maps) != len(encoder.level_names):
            raise ValueError(
                f'{type(encoder).__name__} gives {len(maps)} levels, but level_names has '
                f'{len(encoder.level_names)}: {encoder.level_names}'
            )
        return sequence, maps
    raise errors[0]


def _print_sizes(
    levels: list[Level], sizes: dict[str, int], names: Sequence[str], num_frames: int, root: str
) -> None:
    print(f'{num_frames} frames in fp16, by level (C, h, w):')
    for level in levels:
        note = '' if level.name in names else '  (not asked for)'
        print(f'  {level}: {sizes[level.name] / 1e9:.3g} GB{note}')
    print(f'{sum(sizes[name] for name in names) / 1e9:.3g} GB in {root}')


def _resizing(dataset: BaseSequenceDataset) -> list:
    return [step for step in dataset.pipeline.transforms if isinstance(step, RESIZING)]


def _load(sequence, positions, resize: Sequence = ()) -> np.ndarray:
    paths = [sequence.image_paths[p] for p in positions]
    results = dict(img_paths=paths, sequence_id=sequence.id, num_past=len(paths))
    results = LoadClipFrames().transform(results)
    for step in resize:
        results = step(results)
    return results['frames']


def _encode(encoder: BaseEncoder, frames: np.ndarray, chunk: int) -> Iterator[_Maps]:
    """(N, H, W, 3) uint8 to the maps of ``chunk`` frames at a time."""
    device = next((p.device for p in encoder.parameters()), torch.device('cpu'))
    for start in range(0, len(frames), chunk):
        part = torch.from_numpy(frames[start : start + chunk]).permute(0, 3, 1, 2)
        pyramid = encoder.encode_raw(part[None].float().to(device), [])
        yield [level[0].half().cpu().numpy() for level in pyramid]


def _gather(
    encoder: BaseEncoder,
    parts: Iterator[_Maps],
    levels: list[Level],
    sequence_id: str,
    num_frames: int,
) -> dict[str, np.ndarray]:
    """(num_frames, C, h, w) of each of these levels of a sequence."""
    arrays = {level.name: np.empty((num_frames, *level.shape), np.float16) for level in levels}
    done = 0
    for maps in parts:
        stop = done + len(maps[0])
        for name, part in zip(encoder.level_names, maps):
            if name not in arrays:
                continue
            if part.shape[1:] != arrays[name].shape[1:]:
                raise ValueError(
                    f'frames of sequence {sequence_id} give {name} of {part.shape[1:]}, those before '
                    f'gave {arrays[name].shape[1:]}: a store holds frames of one size; resize them, '
                    "or set the encoder's size"
                )
            arrays[name][done:stop] = part
        done = stop
    return arrays
