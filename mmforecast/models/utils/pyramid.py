"""Small operations on feature pyramids: ``list[Tensor]``, finest first, each (B, T, C, h, w)."""

from typing import List

import torch
from torch import Tensor

Pyramid = List[Tensor]


def num_steps(pyramid: Pyramid) -> int:
    """Number of frames along the time axis."""
    return pyramid[0].shape[1]


def time_slice(pyramid: Pyramid, start: int, stop: int) -> Pyramid:
    """Frames ``start`` to ``stop`` (exclusive) of every level; a view."""
    return [level[:, start:stop] for level in pyramid]


def time_cat(pyramids: List[Pyramid]) -> Pyramid:
    """Concatenate pyramids along time, level by level."""
    return [torch.cat(levels, dim=1) for levels in zip(*pyramids)]


def slide(window: Pyramid, new: Pyramid) -> Pyramid:
    """Append ``new`` frames to ``window`` and drop as many of the oldest; the length stays."""
    length = num_steps(window)
    return [torch.cat((old, add), dim=1)[:, -length:] for old, add in zip(window, new)]
