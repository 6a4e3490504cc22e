"""Convolution at chosen places only: their patches as columns, and columns back into a map."""

import torch
from torch import Tensor

__all__ = ['masked_col2im_forward', 'masked_im2col_forward']


def masked_im2col_forward(
    im: Tensor,
    mask_h_idx: Tensor,
    mask_w_idx: Tensor,
    col: Tensor,
    kernel_h: int,
    kernel_w: int,
    pad_h: int,
    pad_w: int,
) -> None:
    """Write the patch around each place.

    Args:
        im: (1,C,H,W).
        mask_h_idx: (n,) int64: y of the places.
        mask_w_idx: (n,) int64: x of the places.
        col: (C*kernel_h*kernel_w,n), written; 0 outside the map.
        kernel_h: Height of a patch.
        kernel_w: Width of a patch.
        pad_h: How far a patch begins above its place.
        pad_w: How far it begins to the left.
    """
    channels, height, width = im.shape[1:]
    cell_y = torch.arange(kernel_h, device=im.device).repeat_interleave(kernel_w)[:, None]
    cell_x = torch.arange(kernel_w, device=im.device).repeat(kernel_h)[:, None]
    y, x = mask_h_idx - pad_h + cell_y, mask_w_idx - pad_w + cell_x
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    patches = im[0][:, y.clamp(0, height - 1), x.clamp(0, width - 1)] * inside
    col.copy_(patches.reshape(channels * kernel_h * kernel_w, -1))


def masked_col2im_forward(
    col: Tensor,
    mask_h_idx: Tensor,
    mask_w_idx: Tensor,
    im: Tensor,
    height: int,
    width: int,
    channels: int,
) -> None:
    """Write (C,n) columns to their places in a map (1,C,H,W); arguments as above."""
    im[0, :, mask_h_idx, mask_w_idx] = col.to(im.dtype)
