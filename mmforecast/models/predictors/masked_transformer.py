"""The transformer that fills in masked tokens of a clip's last frame, attending to time and space in turn."""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.utils.checks import check_positive


class AxisPositions(nn.Module):
    """Learned positions of tokens: one table for time, one for rows and one for columns, side by side.

    The tables of rows and columns are resampled to grids of other sizes, on the fly and when weights of
    another grid are loaded.

    Args:
        num_frames: T.
        grid: (h, w) in tokens.
        embed_dims: D, a multiple of 3.
    """

    def __init__(self, num_frames: int, grid: Sequence[int], embed_dims: int):
        super().__init__()
        if embed_dims % 3:
            raise ValueError(
                'a third of each position is for time, rows and columns, so embed_dims must be a multiple of '
                f'3, got {embed_dims}'
            )
        for name, length in zip(('time', 'rows', 'columns'), (num_frames, *grid)):
            setattr(self, name, nn.Parameter(torch.zeros(length, embed_dims // 3)))
        self.reset()

    def reset(self) -> None:
        """Draw the tables: truncated normal, of deviation 0.02."""
        for table in self.parameters():
            nn.init.trunc_normal_(table, std=0.02)

    def forward(self, grid: Sequence[int]) -> Tensor:
        """(T, h, w, D) for a grid (h, w) of any size."""
        height, width = grid
        rows, columns = resize_positions(self.rows, height), resize_positions(self.columns, width)
        shape = len(self.time), height, width, -1
        parts = self.time[:, None, None], rows[None, :, None], columns[None, None]
        return torch.cat([part.expand(shape) for part in parts], dim=-1)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args) -> None:
        for name in ('rows', 'columns'):
            key = f'{prefix}{name}'
            if key in state_dict and state_dict[key].ndim == 2:
                state_dict[key] = resize_positions(state_dict[key], len(getattr(self, name)))
        super()._load_from_state_dict(state_dict, prefix, *args)


def resize_positions(table: Tensor, length: int) -> Tensor:
    """Resample a table of positions (n, D) to ``length`` of them: linear, without aligned corners."""
    if len(table) == length:
        return table
    return F.interpolate(table.t()[None], size=length, mode='linear', align_corners=False)[0].t()


class FactorizedLayer(nn.Module):
    """Attention over time, attention over space, and an MLP, each added to what it normalizes first.

    It has 16 D^2 + 19 D parameters where the MLP is four times as wide.

    Args:
        embed_dims: D.
        num_heads: Of both attentions.
        mlp_ratio: Hidden width of the MLP, in D.
        dropout: Of attention weights and in the MLP.
        time_window: Attention over time joins windows of so many cells squared.
    """

    def __init__(
        self, embed_dims: int, num_heads: int, mlp_ratio: float = 4, dropout: float = 0.1, time_window: int = 1
    ):
        super().__init__()
        self.time_window = time_window
        self.time_norm = nn.LayerNorm(embed_dims)
        self.time = nn.MultiheadAttention(embed_dims, num_heads, dropout, batch_first=True)
        self.space_norm = nn.LayerNorm(embed_dims)
        self.space = nn.MultiheadAttention(embed_dims, num_heads, dropout, batch_first=True)
        self.mlp_norm = nn.LayerNorm(embed_dims)
        hidden = int(mlp_ratio * embed_dims)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dims, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, embed_dims),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, h, w, D) to the same shape."""
        tokens = tokens + self._over_time(self.time_norm(tokens))
        tokens = tokens + self._over_space(self.space_norm(tokens))
        return tokens + self.mlp(self.mlp_norm(tokens))

    def _over_time(self, tokens: Tensor) -> Tensor:
        batch, frames, height, width, dims = tokens.shape
        side = self.time_window
        if height % side or width % side:
            raise ValueError(
                f'attention over time joins windows of {side}x{side} tokens, so the grid of tokens must be a '
                f'multiple of it, got {height}x{width}; change time_window'
            )
        blocks = tokens.reshape(batch, frames, height // side, side, width // side, side, dims)
        blocks = blocks.permute(0, 2, 4, 1, 3, 5, 6)
        seen = blocks.flatten(3, 5).flatten(0, 2)
        out, _ = self.time(seen, seen, seen, need_weights=False)
        return out.reshape(blocks.shape).permute(0, 3, 1, 4, 2, 5, 6).reshape(tokens.shape)

    def _over_space(self, tokens: Tensor) -> Tensor:
        seen = tokens.flatten(2, 3).flatten(0, 1)
        out, _ = self.space(seen, seen, seen, need_weights=False)
        return out.reshape(tokens.shape)


class MaskedTransformer(nn.Module):
    """Adds positions to the tokens of a clip, and applies the layers and an output projection.

    There is no norm behind the last layer. The weight of the projection starts at zero, so every token starts
    with the same output.

    Args:
        embed_dims: D, a multiple of 3 and of ``num_heads``.
        grid: (h, w) in tokens, that of the tables of positions.
        num_frames: T.
        out_channels: Of the output.
        num_layers: Number of :class:`FactorizedLayer`.
        num_heads, mlp_ratio, dropout, time_window: See :class:`FactorizedLayer`.
    """

    def __init__(
        self,
        embed_dims: int,
        grid: Sequence[int],
        num_frames: int,
        out_channels: int,
        num_layers: int = 12,
        num_heads: int = 8,
        mlp_ratio: float = 4,
        dropout: float = 0.1,
        time_window: int = 1,
    ):
        super().__init__()
        check_positive(
            'MaskedTransformer', num_layers=num_layers, num_heads=num_heads, time_window=time_window
        )
        if embed_dims % num_heads:
            raise ValueError(f'embed_dims={embed_dims} must be a multiple of num_heads={num_heads}')
        self.positions = AxisPositions(num_frames, grid, embed_dims)
        self.layers = nn.ModuleList(
            FactorizedLayer(embed_dims, num_heads, mlp_ratio, dropout, time_window) for _ in range(num_layers)
        )
        self.out = nn.Linear(embed_dims, out_channels)
        self.reset()

    def reset(self) -> None:
        """Set the projection's weight to zero, and draw the positions anew."""
        self.positions.reset()
        nn.init.zeros_(self.out.weight)

    def forward(self, tokens: Tensor, newest: bool = True) -> Tensor:
        """Outputs (B, 1, h, w, out_channels) of the last frame, or of all T frames.

        Args:
            tokens: (B, T, h, w, D).
            newest: Whether only the last frame is projected.
        """
        tokens = tokens + self.positions(tokens.shape[2:4])
        for layer in self.layers:
            tokens = layer(tokens)
        return self.out(tokens[:, -1:] if newest else tokens)


def to_patches(maps: Tensor, size: int) -> Tensor:
    """Cut maps into tokens.

    Args:
        maps: (..., C, H, W), with sides that are multiples of ``size``.
        size: p.

    Returns:
        (..., H/p, W/p, C * p * p): channels outermost, then rows and columns of the patch.
    """
    *lead, channels, height, width = maps.shape
    blocks = maps.reshape(-1, channels, height // size, size, width // size, size)
    return blocks.permute(0, 2, 4, 1, 3, 5).reshape(*lead, height // size, width // size, -1)


def from_patches(tokens: Tensor, size: int) -> Tensor:
    """The inverse of :func:`to_patches`."""
    *lead, rows, columns, width = tokens.shape
    channels = width // size**2
    blocks = tokens.reshape(-1, rows, columns, channels, size, size).permute(0, 3, 1, 4, 2, 5)
    return blocks.reshape(*lead, channels, rows * size, columns * size)
