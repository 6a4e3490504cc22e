"""Compute the representations of a data set once, for every training run to read."""

from typing import Optional

import numpy as np
import torch
from tqdm import tqdm

from mmforecast.datasets import BaseSequenceDataset
from mmforecast.datasets.file_access import CorruptFrameError
from mmforecast.datasets.representation_store import StoreManifest, StoreWriter, estimate_bytes
from mmforecast.datasets.transforms import LoadClipFrames
from mmforecast.models.encoders import BaseEncoder


@torch.no_grad()
def extract_representations(
    encoder: BaseEncoder,
    dataset: BaseSequenceDataset,
    root: str,
    model: str,
    checkpoint_sha256: str = '',
    chunk: int = 8,
) -> dict:
    """Write the scores of every frame that any clip of ``dataset`` takes.

    Sequences that the store already holds are left as they are, so a killed run goes on where it
    stopped. A sequence with an unreadable file is left out and reported.

    Args:
        encoder: must work on any RGB frame and have one level.
        dataset: its clips say which frames of which sequences are needed.
        root: folder of the store.
        model: name of the segmentor, for the manifest.
        checkpoint_sha256: of its weights, for the manifest.
        chunk: frames per forward pass.

    Returns:
        ``written`` and ``kept`` (numbers of sequences), ``bytes`` (of the whole store) and ``corrupt``
        (messages).
    """
    if not encoder.from_rgb:
        raise ValueError(
            f'{type(encoder).__name__} takes its representation from the sample, so there '
            'is nothing to compute; use a config whose encoder is a SegmentorEncoder'
        )
    work = dataset.frames_in_use()
    num_frames = sum(len(frames) for _, frames in work)
    writer: Optional[StoreWriter] = None
    report = dict(written=0, kept=0, bytes=0, corrupt=[])
    for sequence, positions in tqdm(work, desc='sequences', mininterval=1.0):
        names = [sequence.frame_names[p] for p in positions]
        if writer is not None and writer.has_sequence(sequence.id, names):
            report['kept'] += 1
            continue
        try:
            frames = _load(sequence, positions)
        except CorruptFrameError as error:
            report['corrupt'].append(str(error))
            continue
        if writer is None:
            # One pass tells the shape that the manifest has to hold.
            shape = tuple(_encode(encoder, frames[:1], chunk).shape[1:])
            source = f'{type(dataset).__name__}({dataset.data_root})'
            manifest = StoreManifest(model, checkpoint_sha256, shape, source)
            writer = StoreWriter(root, manifest, num_frames)
            report['bytes'] = estimate_bytes(num_frames, *shape)
            tqdm.write(
                f'{num_frames} frames of {shape} fp16: {report["bytes"] / 1e9:.2f} GB in {root}'
            )
            if writer.has_sequence(sequence.id, names):
                report['kept'] += 1
                continue
        writer.write_sequence(sequence.id, names, _encode(encoder, frames, chunk))
        report['written'] += 1
    return report


def _load(sequence, positions) -> np.ndarray:
    paths = [sequence.image_paths[p] for p in positions]
    results = dict(img_paths=paths, sequence_id=sequence.id, num_past=len(paths))
    return LoadClipFrames().transform(results)['frames']


def _encode(encoder: BaseEncoder, frames: np.ndarray, chunk: int) -> np.ndarray:
    """(N, H, W, 3) uint8 to (N, C, h, w) float16."""
    device = next((p.device for p in encoder.parameters()), torch.device('cpu'))
    parts = []
    for start in range(0, len(frames), chunk):
        part = torch.from_numpy(frames[start : start + chunk]).permute(0, 3, 1, 2)
        levels = encoder.encode(part[None].float().to(device), [])
        if len(levels) != 1:
            raise ValueError(
                f'{type(encoder).__name__} gives {len(levels)} levels; a score store holds one'
            )
        parts.append(levels[0][0].half().cpu().numpy())
    return np.concatenate(parts)
