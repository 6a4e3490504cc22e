"""Attention masks around each pixel, spread over the whole map.

Zhao et al., PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018.
"""

import torch
from torch import Tensor

__all__ = ['psamask_backward', 'psamask_forward']

COLLECT = 0


def psamask_forward(
    input, output, psa_type, num_, h_feature, w_feature, h_mask, w_mask, half_h_mask, half_w_mask
) -> None:
    """Spread masks that are centered at their pixel over the map.

    Args:
        input: (N,h_mask*w_mask,H,W): the mask of each pixel.
        output: (N,H*W,H,W), written. Its channels are the pixels that a mask falls on, of the pixel
            in the last two axes; for `psa_type` 1 (distribute) the other way around.
        psa_type: 0 collects, 1 distributes.
        num_: N.
        h_feature: H.
        w_feature: W.
        h_mask: Height of the masks.
        w_mask: Width of the masks.
        half_h_mask: Rows of a mask above its pixel.
        half_w_mask: Columns to its left.
    """
    cell, inside = _cells(h_feature, w_feature, h_mask, w_mask, half_h_mask, half_w_mask, input.device)
    spread = input.flatten(2).gather(1, cell.expand(num_, -1, -1)) * inside
    if psa_type != COLLECT:
        spread = spread.transpose(1, 2)
    output.copy_(spread.reshape(output.shape))


def psamask_backward(
    grad_output, grad_input, psa_type, num_, h_feature, w_feature, h_mask, w_mask, half_h_mask, half_w_mask
) -> None:
    """Write the gradient of the masks; arguments as in the forward pass."""
    cell, inside = _cells(h_feature, w_feature, h_mask, w_mask, half_h_mask, half_w_mask, grad_output.device)
    grad = grad_output.reshape(num_, h_feature * w_feature, h_feature * w_feature)
    if psa_type != COLLECT:
        grad = grad.transpose(1, 2)
    flat = grad.new_zeros(num_, h_mask * w_mask, h_feature * w_feature)
    flat.scatter_add_(1, cell.expand(num_, -1, -1), grad * inside)
    grad_input.copy_(flat.view_as(grad_input))


def _cells(
    height: int, width: int, h_mask: int, w_mask: int, half_h: int, half_w: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """The cell of the mask of one pixel that falls on another: (other, pixel), and whether one does."""
    y = torch.arange(height, device=device).repeat_interleave(width)
    x = torch.arange(width, device=device).repeat(height)
    row, column = y[:, None] - y[None] + half_h, x[:, None] - x[None] + half_w
    inside = (row >= 0) & (row < h_mask) & (column >= 0) & (column < w_mask)
    return row.clamp(0, h_mask - 1) * w_mask + column.clamp(0, w_mask - 1), inside
