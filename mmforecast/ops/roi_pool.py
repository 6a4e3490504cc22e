"""RoI pooling: the maximum of a region of interest (RoI) in each bin of a grid.

Girshick, Fast R-CNN, ICCV 2015. The edges of the bins are rounded outward, as in mmcv.
"""

import torch
from torch import Tensor

from .sampling import as_table, from_table

__all__ = ['roi_pool_backward', 'roi_pool_forward']

# Values compared at a time: bounds the memory.
MAX_VALUES = 1 << 24


def roi_pool_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Pool the regions of interest of feature maps.

    Args:
        input: (N,C,H,W).
        rois: (R,5): index of the map, x1, y1, x2, y2 in pixels of the image, both ends included.
        output: (R,C,bins,bins), written; 0 in a bin without pixels.
        argmax: Like `output`, int32, written: y * W + x of the maximum, -1 in a bin without pixels.
        pooled_height: Bins over the height.
        pooled_width: Bins over the width.
        spatial_scale: Pixels of the map per pixel of the image.
    """
    _, channels, height, width = input.shape
    table = as_table(input)
    rois = rois.to(table.dtype)
    start, end = rois[:, 1:3] * spatial_scale, (rois[:, 3:5] + 1) * spatial_scale
    top, bottom = _edges(start[:, 1], end[:, 1], pooled_height, height)
    left, right = _edges(start[:, 0], end[:, 0], pooled_width, width)
    window = [
        max(1, int((high - low).max())) if len(rois) else 1 for low, high in ((top, bottom), (left, right))
    ]
    at_a_time = max(1, MAX_VALUES // (pooled_height * pooled_width * window[0] * window[1] * channels))
    for part in torch.arange(len(rois), device=rois.device).split(at_a_time):
        y, in_y = _window(top[part], bottom[part], window[0], height)
        x, in_x = _window(left[part], right[part], window[1], width)
        inside = in_y[:, :, None, :, None] & in_x[:, None, :, None, :]
        pixel = y[:, :, None, :, None] * width + x[:, None, :, None, :]
        first = rois[part, 0].long()[:, None, None, None, None] * height * width
        count = inside.shape[3] * inside.shape[4]
        values = table[(first + pixel).reshape(-1, count)]
        values = values.masked_fill(~inside.reshape(-1, count, 1), -torch.inf)
        best, place = values.max(1)
        filled = inside.reshape(-1, count).any(1, keepdim=True)
        where = pixel.reshape(-1, count).gather(1, place)
        shape = len(part), channels, pooled_height, pooled_width
        output[part] = from_table(best.masked_fill(~filled, 0), shape).to(output.dtype)
        argmax[part] = from_table(where.masked_fill(~filled, -1), shape).int()


def roi_pool_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax: Tensor,
    grad_input: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Add the gradient of :func:`roi_pool_forward` to `grad_input`.

    Args:
        grad_output: (R,C,bins,bins).
        rois: As in the forward pass, and so are the arguments that are not named here.
        argmax: What the forward pass wrote.
        grad_input: (N,C,H,W), added to.
        pooled_height: Bins over the height.
        pooled_width: Bins over the width.
        spatial_scale: Pixels of the map per pixel of the image.
    """
    _, channels, height, width = grad_input.shape
    channel = torch.arange(channels, device=rois.device)[None, :, None, None]
    plane = (rois[:, 0].long()[:, None, None, None] * channels + channel) * height * width
    filled = argmax >= 0
    flat = torch.zeros_like(grad_input).flatten()
    flat.index_add_(0, (plane + argmax)[filled], grad_output[filled].to(flat.dtype))
    grad_input += flat.view_as(grad_input)


def _edges(start: Tensor, end: Tensor, bins: int, size: int) -> tuple[Tensor, Tensor]:
    """First pixel of each bin and the one after its last: (R,bins) int64, within the map."""
    bin_size = ((end - start) / bins)[:, None]
    number = torch.arange(bins, device=start.device, dtype=start.dtype)
    low = (number * bin_size + start[:, None]).floor().clamp(0, size).long()
    high = ((number + 1) * bin_size + start[:, None]).ceil().clamp(0, size).long()
    return low, torch.where(bin_size > 0, high, low)


def _window(low: Tensor, high: Tensor, length: int, size: int) -> tuple[Tensor, Tensor]:
    """The pixels of each bin, (R,bins,length), and which of them belong to it."""
    pixels = low[:, :, None] + torch.arange(length, device=low.device)
    return pixels.clamp(max=size - 1), pixels < high[:, :, None]
