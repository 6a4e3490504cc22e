"""From the frames of a sequence to the levels of an encoder."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmforecast.datasets import BaseSequenceDataset, CorruptFrameError, Level
from mmforecast.datasets.transforms import (
    ClipCropToMultiple,
    ClipPadToMultiple,
    ClipResize,
    LoadClipFrames,
)
from mmforecast.models.encoders import BaseEncoder

__all__ = [
    'RESIZING',
    'SequenceFrames',
    'encode_frames',
    'gather_levels',
    'load_frames',
    'probe_encoder',
    'resizing_of',
]

# One array (n, C, h, w) float16 per level of the encoder, of n frames.
Maps = list[np.ndarray]
# The transforms that change frames, the same ones always.
RESIZING = (ClipResize, ClipCropToMultiple, ClipPadToMultiple)


@dataclass(frozen=True)
class SequenceFrames:
    """The frames of a sequence that any clip takes.

    Attributes:
        sequence: Of the dataset.
        positions: Of the frames in the sequence, ascending.
        names: Of the frames.
        resizing: The transforms that they go through.
    """

    sequence: Any
    positions: list[int]
    names: list[str]
    resizing: list


@torch.no_grad()
def probe_encoder(encoder: BaseEncoder, work: Iterable[SequenceFrames]) -> Maps:
    """The maps of the first frame that can be read of those that sequences begin with."""
    errors = []
    for part in work:
        try:
            frame = load_frames(part.sequence, part.positions[:1], part.resizing)
        except CorruptFrameError as error:
            errors.append(error)
            continue
        (maps,) = encode_frames(encoder, frame, 1)
        if len(maps) != len(encoder.level_names):
            raise ValueError(
                f'{type(encoder).__name__} gives {len(maps)} levels, but level_names has '
                f'{len(encoder.level_names)}: {encoder.level_names}'
            )
        return maps
    raise errors[0]


def resizing_of(dataset: BaseSequenceDataset) -> list:
    return [step for step in dataset.pipeline.transforms if isinstance(step, RESIZING)]


def load_frames(sequence, positions, resize: Sequence = ()) -> np.ndarray:
    paths = [sequence.image_paths[p] for p in positions]
    results = dict(img_paths=paths, sequence_id=sequence.id, num_past=len(paths))
    results = LoadClipFrames().transform(results)
    for step in resize:
        results = step(results)
    return results['frames']


def encode_frames(encoder: BaseEncoder, frames: np.ndarray, chunk: int) -> Iterator[Maps]:
    """(N, H, W, 3) uint8 to the maps of ``chunk`` frames at a time."""
    device = next((p.device for p in encoder.parameters()), torch.device('cpu'))
    for start in range(0, len(frames), chunk):
        part = torch.from_numpy(frames[start : start + chunk]).permute(0, 3, 1, 2)
        pyramid = encoder.encode_raw(part[None].float().to(device), [])
        yield [level[0].half().cpu().numpy() for level in pyramid]


def gather_levels(
    encoder: BaseEncoder,
    parts: Iterator[Maps],
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
