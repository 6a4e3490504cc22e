"""Small operations on feature pyramids: ``list[Tensor]``, finest first, each (B, T, C, h, w)."""

from collections.abc import Sequence

import torch
from torch import Tensor

Pyramid = list[Tensor]


def num_steps(pyramid: Pyramid) -> int:
    """Number of frames along the time axis."""
    return pyramid[0].shape[1]


def time_slice(pyramid: Pyramid, start: int, stop: int) -> Pyramid:
    """Frames ``start`` to ``stop`` (exclusive) of every level; a view."""
    return [level[:, start:stop] for level in pyramid]


def time_cat(pyramids: list[Pyramid]) -> Pyramid:
    """Concatenate pyramids along time, level by level."""
    return [torch.cat(levels, dim=1) for levels in zip(*pyramids)]


def slide(window: Pyramid, new: Pyramid) -> Pyramid:
    """Append ``new`` frames to ``window`` and drop as many of the oldest; the length stays."""
    length = num_steps(window)
    return [torch.cat((old, add), dim=1)[:, -length:] for old, add in zip(window, new)]


def random_crop(pyramids: Sequence[Pyramid], size: tuple[int, int]) -> list[Pyramid]:
    """One random window out of pyramids that show the same frames; views.

    Args:
        pyramids: Each with the same sizes (h, w) by level.
        size: (h, w) of the window, in cells of the finest level. It lies on the coarsest level's grid.

    Raises:
        ValueError: The window is larger than the maps, or not a whole number of the coarsest cells; or
            cells of a coarser level don't hold a whole number of the finest, the same both ways.
    """
    rows, columns = pyramids[0][0].shape[-2:]
    coarse = tuple(pyramids[0][-1].shape[-2:])
    cell = rows // coarse[0]
    for level in pyramids[0]:
        height, width = level.shape[-2:]
        factor = rows // height
        if (height * factor, width * factor) != (rows, columns) or cell % factor:
            raise ValueError(
                f'levels of {height}x{width} and {rows}x{columns} cells have no windows in common: set '
                'the size of the encoder to multiples of the stride of its coarsest level'
            )
    if size[0] > rows or size[1] > columns or size[0] % cell or size[1] % cell:
        raise ValueError(
            f'crop size {tuple(size)} has to fit into the finest maps, {rows}x{columns}, and be a '
            f'multiple of {cell}, the size of a cell of the coarsest level'
        )
    count = tuple(side // cell for side in size)
    corner = [int(torch.randint(c - n + 1, ())) for c, n in zip(coarse, count)]
    out = []
    for pyramid in pyramids:
        windows = []
        for level in pyramid:
            unit = level.shape[-2] // coarse[0]
            (y, x), (h, w) = ([v * unit for v in pair] for pair in (corner, count))
            windows.append(level[..., y : y + h, x : x + w])
        out.append(windows)
    return out
