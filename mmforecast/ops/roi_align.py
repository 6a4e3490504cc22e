"""RoIAlign: bilinear samples of a region of interest (RoI), pooled in a grid of bins.

He et al., Mask R-CNN, ICCV 2017. With `aligned` the region is shifted by half a pixel, so that pixel
centers are at half integers.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from .sampling import as_table, corners, from_table, gather_rows, scatter_rows

__all__ = ['roi_align_backward', 'roi_align_forward']

MAXIMUM, AVERAGE = range(2)
# Pixels read at a time, over all samples of some regions: bounds the memory of their indices.
MAX_ENTRIES = 1 << 21
# What mmcv starts a maximum from.
LOWEST = -10000


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Pool the regions of interest of feature maps.

    Args:
        input: (N,C,H,W).
        rois: (R,5): index of the map, x1, y1, x2, y2 in pixels of the image.
        output: (R,C,bins,bins), written.
        argmax_y: Like `output`, written where the mode is the maximum: where it was sampled.
        argmax_x: The same for x.
        aligned_height: Bins over the height.
        aligned_width: Bins over the width.
        spatial_scale: Pixels of the map per pixel of the image.
        sampling_ratio: Samples per bin and axis; 0 for one per pixel of the map.
        pool_mode: 0 takes the maximum of the samples of a bin, 1 their average.
        aligned: Whether to shift the regions by half a pixel.

    Raises:
        ValueError: A region is inside out (x2 < x1 or y2 < y1), and `aligned` is set.
    """
    bins = aligned_height, aligned_width
    regions = _Regions(rois, input.shape, bins, spatial_scale, sampling_ratio, aligned)
    table = as_table(input)
    for part in regions.parts():
        if pool_mode == AVERAGE:
            row, index, weight = part.entries()
            targets = [output]
            results = [gather_rows(table, row, index, weight, part.num_bins)]
        else:
            targets = [output, argmax_y, argmax_x]
            results = _maximum(table, part)
        for target, values in zip(targets, results):
            shape = len(part.chosen), *target.shape[1:]
            target[part.chosen] = from_table(values, shape).to(target.dtype)


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Add the gradient of :func:`roi_align_forward` to `grad_input`.

    Args:
        grad_output: (R,C,bins,bins).
        rois: As in the forward pass, and so are the arguments that are not named here.
        argmax_y: What the forward pass wrote.
        argmax_x: The same for x.
        grad_input: (N,C,H,W), added to.
        aligned_height: Bins over the height.
        aligned_width: Bins over the width.
        spatial_scale: Pixels of the map per pixel of the image.
        sampling_ratio: Samples per bin and axis.
        pool_mode: 0 for the maximum, 1 for the average.
        aligned: Whether the regions were shifted by half a pixel.
    """
    if pool_mode == MAXIMUM:
        _scatter_maximum(grad_output, rois[:, 0].long(), argmax_y, argmax_x, grad_input)
        return
    count, _, height, width = grad_input.shape
    bins = aligned_height, aligned_width
    regions = _Regions(rois, grad_input.shape, bins, spatial_scale, sampling_ratio, aligned)
    for part in regions.parts():
        row, index, weight = part.entries()
        grads = as_table(grad_output[part.chosen])
        grad_input += from_table(
            scatter_rows(grads, row, index, weight, count * height * width), grad_input.shape
        )


class _Axis(NamedTuple):
    """The samples of some regions on one axis: (R,bins,S) each, for S samples per bin or fewer."""

    position: Tensor
    used: Tensor
    low: Tensor
    high: Tensor
    lower: Tensor
    upper: Tensor


class _Regions:
    """The geometry of regions of interest on feature maps of one size."""

    def __init__(
        self,
        rois: Tensor,
        shape: tuple[int, int, int, int],
        bins: tuple[int, int],
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool,
    ):
        require_regions(rois, shape[0], aligned)
        rois = rois.detach().to(torch.promote_types(rois.dtype, torch.float32))
        _, _, self.height, self.width = shape
        self.bins = bins
        self.image = rois[:, 0].long()
        box = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0)
        size = box[:, 2:] - box[:, :2]
        if not aligned:
            size = size.clamp(min=1)
        self.start = box[:, :2].flip(1)  # y, x
        self.bin_size = size.flip(1) / size.new_tensor(bins)
        self.samples = (
            torch.full_like(self.bin_size, sampling_ratio) if sampling_ratio > 0 else self.bin_size.ceil()
        )

    def parts(self) -> Iterator['_Part']:
        """Regions of about the same number of samples, of at most `MAX_ENTRIES` pixels in total."""
        if not len(self.image):
            return
        cost = self.samples.prod(1).clamp(min=1) * 4 * self.bins[0] * self.bins[1]
        sorted_cost, order = cost.sort(descending=True)
        sorted_cost = sorted_cost.tolist()
        first = 0
        while first < len(order):
            count = max(1, int(MAX_ENTRIES // sorted_cost[first]))
            # What needs less than a third of the largest is padded too much in one part with it.
            end = min(first + count, len(order))
            while sorted_cost[end - 1] * 3 < sorted_cost[first]:
                end -= 1
            yield _Part(self, order[first:end])
            first = end


class _Part:
    """Some regions, chosen by index, with the samples of both axes."""

    def __init__(self, regions: _Regions, chosen: Tensor):
        self.regions, self.chosen = regions, chosen
        self.y = self._axis(0, regions.height)
        self.x = self._axis(1, regions.width)

    def _axis(self, axis: int, size: int) -> _Axis:
        regions, chosen = self.regions, self.chosen
        samples = regions.samples[chosen, axis][:, None, None]
        start = regions.start[chosen, axis][:, None, None]
        bin_size = regions.bin_size[chosen, axis][:, None, None]
        bins = torch.arange(regions.bins[axis], device=start.device, dtype=start.dtype)[None, :, None]
        # at least one sample, unused where the regions are empty
        sample = torch.arange(max(1, int(samples.max())), device=start.device, dtype=start.dtype)
        position = start + bins * bin_size + (sample + 0.5) * bin_size / samples.clamp(min=1)
        used = (sample < samples).expand_as(position)
        inside = used & (position >= -1) & (position <= size)
        low, high, lower, upper = corners(position.clamp(0, size - 1), size)
        return _Axis(position, used, low, high, lower * inside, upper * inside)

    @property
    def num_bins(self) -> int:
        """The bins of all regions."""
        return len(self.chosen) * self.regions.bins[0] * self.regions.bins[1]

    def entries(self) -> tuple[Tensor, Tensor, Tensor]:
        """The bin, the pixel and the weight of each term in the averages over the samples."""
        (y, wy), (x, wx) = self._pixels(self.y), self._pixels(self.x)
        image = self.regions.image[self.chosen] * self.regions.height * self.regions.width
        y = y * self.regions.width + image[:, None, None]
        index = y[:, :, None, :, None] + x[:, None, :, None, :]
        weight = wy[:, :, None, :, None] * wx[:, None, :, None, :]
        needed = weight.flatten().nonzero().squeeze(1)
        row = needed // (index.shape[3] * index.shape[4])
        return row, index.flatten()[needed], weight.flatten()[needed]

    def _pixels(self, axis: _Axis) -> tuple[Tensor, Tensor]:
        samples = axis.used.sum(2, keepdim=True).clamp(min=1)
        pixels = torch.cat([axis.low, axis.high], 2)
        return pixels, torch.cat([axis.lower, axis.upper], 2) / samples


def require_regions(rois: Tensor, num_maps: int, aligned: bool) -> None:
    """Refuse regions that make no sense, on the CPU; a GPU would have to be waited for.

    Args:
        rois: (R,5): index of the map, x1, y1, x2, y2.
        num_maps: Maps that there are.
        aligned: Whether a region may not be inside out; otherwise it counts as one pixel.

    Raises:
        ValueError: A region is inside out or not finite, or is of a map that does not exist.
    """
    if not len(rois) or rois.device.type != 'cpu':
        return
    wrong = ~(rois[:, 3:] >= rois[:, 1:3]).all(1)
    if aligned and wrong.any():
        raise ValueError(
            f'RoIAlign: region {rois[wrong][0, 1:].tolist()} is inside out or not finite; regions are '
            'x1, y1, x2, y2 with x1 <= x2 and y1 <= y2'
        )
    low, high = int(rois[:, 0].min()), int(rois[:, 0].max())
    if low < 0 or high >= num_maps:
        raise ValueError(
            f'RoIAlign: a region is of feature map {low if low < 0 else high}, but there are {num_maps}; '
            'the first column of the regions is the index of their image in the batch'
        )


def _maximum(table: Tensor, part: _Part) -> tuple[Tensor, Tensor, Tensor]:
    """The largest sample of each bin, and its y and x: (R*bins*bins,C) each."""
    y, x = part.y, part.x
    regions = part.regions
    image = (regions.image[part.chosen] * regions.height * regions.width)[:, None, None, None, None]
    index, weight = [], []
    for ys, wy in ((y.low, y.lower), (y.high, y.upper)):
        for xs, wx in ((x.low, x.lower), (x.high, x.upper)):
            index.append(image + ys[:, :, None, :, None] * regions.width + xs[:, None, :, None, :])
            weight.append(wy[:, :, None, :, None] * wx[:, None, :, None, :])
    shape, rows, channels = index[0].shape, part.num_bins, table.shape[1]
    index, weight = (torch.stack(each, -1).flatten() for each in (index, weight))
    sample = torch.arange(len(index) // 4, device=index.device).repeat_interleave(4)
    values = gather_rows(table, sample, index, weight, len(index) // 4).view(rows, -1, channels)
    used = (y.used[:, :, None, :, None] & x.used[:, None, :, None, :]).reshape(rows, -1, 1)
    best, sample = values.masked_fill(~used, LOWEST).max(1)
    found = used.any(1)
    locations = (
        each.expand(shape).reshape(rows, -1).gather(1, sample).masked_fill(~found, -1)
        for each in (y.position[:, :, None, :, None], x.position[:, None, :, None, :])
    )
    return best, *locations


def _scatter_maximum(grad_output: Tensor, image: Tensor, y: Tensor, x: Tensor, grad_input: Tensor) -> None:
    """Add the gradient of each bin to the four pixels around its largest sample."""
    _, channels, height, width = grad_input.shape
    inside = (y >= -1) & (y <= height) & (x >= -1) & (x <= width) & (y != -1)
    low_y, high_y, lower_y, upper_y = corners(y.clamp(0, height - 1), height)
    low_x, high_x, lower_x, upper_x = corners(x.clamp(0, width - 1), width)
    channel = torch.arange(channels, device=image.device)[None, :, None, None]
    plane = (image[:, None, None, None] * channels + channel) * height * width
    flat = torch.zeros_like(grad_input).flatten()
    for ys, wy in ((low_y, lower_y), (high_y, upper_y)):
        for xs, wx in ((low_x, lower_x), (high_x, upper_x)):
            weighted = grad_output * (wy * wx * inside).to(grad_output.dtype)
            flat.index_add_(0, (plane + ys * width + xs).flatten(), weighted.flatten())
    grad_input += flat.view_as(grad_input)
