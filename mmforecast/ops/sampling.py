"""Weighted sums of rows: the one heavy step of all operators that sample a feature map.

An output row is a sum of a few rows of a table, each times a weight: the pixels around a sampling
point, times their bilinear weights. `torch.nn.functional.embedding_bag` computes this in one pass,
without storing the rows that it sums.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ['as_table', 'corners', 'from_table', 'gather_rows', 'scatter_rows']

# So many matrices are transposed one by one, which torch does block by block.
FEW = 8


def as_table(features: Tensor) -> Tensor:
    """The pixels of (N,C,H,W) feature maps as rows: (N*H*W,C), in float32 at least."""
    count, channels, height, width = features.shape
    dtype = torch.promote_types(features.dtype, torch.float32)
    flat = features.to(dtype).reshape(count, channels, height * width)
    return _transpose(flat).reshape(-1, channels)


def from_table(table: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """The inverse of :func:`as_table`: (N*H*W,C) as (N,C,H,W)."""
    images = table.view(shape[0], shape[2] * shape[3], shape[1])
    return _transpose(images).reshape(shape)


def _transpose(matrices: Tensor) -> Tensor:
    """(N,P,C) as (N,C,P); a copy by blocks where the matrices are few and so may be large."""
    if len(matrices) == 1:
        return matrices[0].t().contiguous()[None]
    if 1 < len(matrices) < FEW:
        return torch.stack([matrix.t().contiguous() for matrix in matrices])
    return matrices.transpose(1, 2)


def gather_rows(table: Tensor, row: Tensor, index: Tensor, weight: Tensor, num_rows: int) -> Tensor:
    """Sum weighted rows of a table.

    Args:
        table: (P,C).
        row: (E,) int64, ascending: the sum that each entry belongs to.
        index: (E,) int64: its row in the table.
        weight: (E,): its weight.
        num_rows: R, the sums.

    Returns:
        (R,C); zeros for a sum without entries. Differentiable in `table` and `weight`.
    """
    if not num_rows or not len(index):
        return table.new_zeros(num_rows, table.shape[1])
    ends = torch.bincount(row, minlength=num_rows).cumsum(0)
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    return F.embedding_bag(index, table, starts, mode='sum', per_sample_weights=weight)


def scatter_rows(grad: Tensor, row: Tensor, index: Tensor, weight: Tensor, num_rows: int) -> Tensor:
    """The gradient of :func:`gather_rows` with respect to its table, given that of its sums.

    Args:
        grad: (R,C).
        row: As in :func:`gather_rows`, and so are `index` and `weight`.
        index: (E,).
        weight: (E,).
        num_rows: P, the rows of the table.

    Returns:
        (P,C).
    """
    # the same sum, with the entries sorted by the row of the table
    index, order = index.sort()
    return gather_rows(grad, index, row[order], weight[order], num_rows)


def corners(position: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The two pixels around each position on one axis, and their linear weights.

    Args:
        position: Coordinates in pixels, of any shape; pixel centers are at integers.
        size: Pixels on the axis.

    Returns:
        The lower and the upper index, int64, clamped into the axis, and their weights. A pixel
        beyond the axis has the weight 0, and so have both of a position that is not finite.
    """
    position = position.nan_to_num(nan=-2.0, posinf=-2.0, neginf=-2.0)
    low = position.detach().floor()
    upper = position - low
    lower = 1 - upper
    high = low + 1
    lower = lower * ((low >= 0) & (low < size))
    upper = upper * ((high >= 0) & (high < size))
    limit = size - 1
    return low.clamp(0, limit).long(), high.clamp(0, limit).long(), lower, upper
