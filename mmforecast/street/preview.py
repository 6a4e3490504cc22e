"""Pictures of the synthetic street: colored labels, colored instances, contact sheets."""

from collections.abc import Sequence

import cv2
import numpy as np

from .labels import TRAIN_COLOURS, to_train_ids
from .sequence import generate_sequence

__all__ = ['color_instances', 'color_labels', 'contact_sheet']

_GOLDEN_ANGLE = 137.508
_GAP = 4


def color_labels(label_ids: np.ndarray) -> np.ndarray:
    """labelIds (H, W) in Cityscapes' colors, (H, W, 3) uint8 RGB."""
    return TRAIN_COLOURS[to_train_ids(label_ids)]


def color_instances(instance_ids: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Each instance in a color of its own over the darkened frame, (H, W, 3) uint8 RGB.

    The color depends on the id alone, so a track keeps it over time.
    """
    gray = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    out = (gray * 0.4).astype(np.uint8)
    for instance in np.unique(instance_ids[instance_ids >= 1000]):
        hue = int(instance) * _GOLDEN_ANGLE % 360
        light = 0.85 + 0.15 * (int(instance) % 3) / 2
        hsv = np.array([[[hue / 2, 190, 255 * light]]]).astype(np.uint8)
        out[instance_ids == instance] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
    return out


def contact_sheet(
    seed: int,
    split: str,
    indices: Sequence[int],
    frames: Sequence[int] = (0, 10, 19, 28),
    height: int = 128,
) -> np.ndarray:
    """Three rows per sequence (frame, labels, instances), one column per moment; RGB uint8."""
    blocks = []
    for index in indices:
        sequence = generate_sequence(seed, split, index, height, 2 * height)
        rows = [
            [sequence['frames'][f] for f in frames],
            [color_labels(sequence['label_ids'][f]) for f in frames],
            [color_instances(sequence['instance_ids'][f], sequence['frames'][f]) for f in frames],
        ]
        blocks.append(np.vstack([_join(row) for row in rows]))
    gap = np.full((_GAP, blocks[0].shape[1], 3), 255, np.uint8)
    return np.vstack([part for block in blocks for part in (block, gap)][:-1])


def _join(pictures) -> np.ndarray:
    gap = np.full((len(pictures[0]), _GAP, 3), 255, np.uint8)
    return np.hstack([part for picture in pictures for part in (picture, gap)][:-1])
