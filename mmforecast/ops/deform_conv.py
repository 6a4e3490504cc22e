"""Deformable convolution, without a modulating mask (v1) and with it (v2).

Dai et al., Deformable Convolutional Networks, ICCV 2017; Zhu et al., Deformable ConvNets v2, CVPR
2019. A sample outside the image is 0, and so is its part of the gradient.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .sampling import as_table, corners, from_table, gather_rows, scatter_rows

__all__ = ['Geometry', 'Gradients', 'convolve', 'entry_points', 'gradients']


class Geometry(NamedTuple):
    """How the kernel moves over the image; pairs are y, x."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    deform_groups: int


class Gradients(NamedTuple):
    """The gradients of a deformable convolution, None where they were not asked for."""

    input: Tensor | None
    offset: Tensor | None
    mask: Tensor | None
    weight: Tensor | None


def convolve(input: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor, geometry: Geometry) -> Tensor:
    """Convolve at moved positions.

    Args:
        input: (N,C,H,W).
        offset: (N,2*D*K,h,w): y and x of the move of each of K cells of the kernel, in D groups.
        mask: (N,D*K,h,w), a factor of each sample; or None.
        weight: (O,C/groups,kernel height,kernel width).
        geometry: Stride, padding and groups.

    Returns:
        (N,O,h,w).
    """
    out = []
    for image, moves, factors in _images(input, offset, mask):
        sampler = _Sampler(image, moves, factors, weight.shape[2:], geometry)
        columns = _grouped(sampler.columns(), geometry.groups)
        products = torch.bmm(columns, _as_matrices(weight, geometry.groups).to(columns.dtype))
        out.append(products.transpose(1, 2).reshape(-1, *offset.shape[2:]))
    return torch.stack(out).to(input.dtype)


def gradients(
    input: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    weight: Tensor,
    grad: Tensor,
    geometry: Geometry,
    of_samples: bool = True,
    of_weight: bool = True,
) -> Gradients:
    """The gradients of :func:`convolve`, given that of its result, (N,O,h,w).

    Args:
        input: As in :func:`convolve`, and so are the arguments that are not named here.
        offset: (N,2*D*K,h,w).
        mask: (N,D*K,h,w) or None.
        weight: (O,C/groups,kernel height,kernel width).
        grad: (N,O,h,w).
        geometry: Stride, padding and groups.
        of_samples: Whether the gradients of the input, the offset and the mask are wanted.
        of_weight: Whether that of the weight is wanted.
    """
    parts = [
        _gradients_of_image(*each, weight, geometry, of_samples, of_weight)
        for each in zip(_images(input, offset, mask), grad)
    ]
    stacked = [None if part[0] is None else torch.stack(part) for part in zip(*parts)]
    return Gradients(*stacked[:3], None if stacked[3] is None else stacked[3].sum(0))


def _images(input: Tensor, offset: Tensor, mask: Tensor | None) -> zip:
    return zip(input, offset, [None] * len(input) if mask is None else mask)


def _gradients_of_image(
    inputs: tuple[Tensor, Tensor, Tensor | None],
    grad: Tensor,
    weight: Tensor,
    geometry: Geometry,
    of_samples: bool,
    of_weight: bool,
) -> Gradients:
    sampler = _Sampler(*inputs, weight.shape[2:], geometry)
    dtype = sampler.table.dtype
    # (groups, h*w, O/groups)
    grad = grad.to(dtype).flatten(1).unflatten(0, (geometry.groups, -1)).transpose(1, 2)
    found = Gradients(None, None, None, None)
    if of_samples:
        matrices = _as_matrices(weight, geometry.groups).to(dtype)
        grad_columns = _ungrouped(torch.bmm(grad, matrices.transpose(1, 2)), weight)
        found = Gradients(*sampler.backward(grad_columns), None)
    if of_weight:
        columns = _grouped(sampler.columns(), geometry.groups)
        grad_matrices = torch.bmm(columns.transpose(1, 2), grad)
        found = found._replace(weight=_from_matrices(grad_matrices, weight))
    return found


class _Sampler:
    """The samples of one image: D * K for each of h * w places."""

    def __init__(
        self, image: Tensor, offset: Tensor, mask: Tensor | None, kernel: tuple[int, int], geometry: Geometry
    ):
        groups, cells = geometry.deform_groups, kernel[0] * kernel[1]
        self.shape = image.shape
        # a group of channels is a row of its own
        self.table = as_table(image.reshape(groups, -1, *image.shape[1:]))
        dtype = self.table.dtype
        self.places, self.groups, self.cells = offset.shape[1] * offset.shape[2], groups, cells
        self.offset = offset.detach().to(dtype).requires_grad_()
        self.mask = None if mask is None else mask.detach().to(dtype).requires_grad_()
        with torch.enable_grad():
            self.index, self.weight = self._entries(kernel, geometry)

    def _entries(self, kernel: tuple[int, int], geometry: Geometry) -> tuple[Tensor, Tensor]:
        """Four pixels for each sample, in the order place, cell, group: (h*w*K*D*4,) each."""
        moved = self.offset.unflatten(0, (self.groups, self.cells, 2))
        height, width = self.shape[1:]
        y, x = (
            moved[:, :, axis] + _positions(axis, kernel, moved.shape[3:], geometry).to(moved)
            for axis in (0, 1)
        )
        factor = (y > -1) & (y < height) & (x > -1) & (x < width)
        factor = factor if self.mask is None else factor * self.mask.unflatten(0, (self.groups, self.cells))
        low_y, high_y, lower_y, upper_y = corners(y, height)
        low_x, high_x, lower_x, upper_x = corners(x, width)
        first = torch.arange(self.groups, device=y.device)[:, None, None, None] * height * width
        index, weight = [], []
        for ys, wy in ((low_y, lower_y), (high_y, upper_y)):
            for xs, wx in ((low_x, lower_x), (high_x, upper_x)):
                index.append(first + ys * width + xs)
                weight.append(wy * wx * factor)
        return tuple(torch.stack(each, -1).permute(2, 3, 1, 0, 4).flatten() for each in (index, weight))

    def _num_samples(self) -> int:
        return self.places * self.cells * self.groups

    def _rows(self) -> Tensor:
        return torch.arange(self._num_samples(), device=self.index.device).repeat_interleave(4)

    def columns(self) -> Tensor:
        """(h*w, K, C)."""
        sums = gather_rows(self.table, self._rows(), self.index, self.weight.detach(), self._num_samples())
        return sums.view(self.places, self.cells, -1)

    def backward(self, grad: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """The gradients of the image, its offset and its mask, given that of the columns."""
        grad = grad.reshape(self._num_samples(), -1)
        row = self._rows()
        grad_table = scatter_rows(grad, row, self.index, self.weight.detach(), len(self.table))
        with torch.enable_grad():
            sums = gather_rows(self.table, row, self.index, self.weight, len(grad))
        wanted = [self.offset] if self.mask is None else [self.offset, self.mask]
        grad_offset, *rest = torch.autograd.grad(sums, wanted, grad)
        channels, height, width = self.shape
        grad_image = from_table(grad_table, (self.groups, channels // self.groups, height, width))
        return grad_image.reshape(self.shape), grad_offset, rest[0] if rest else None


def _positions(axis: int, kernel: tuple[int, int], size: tuple[int, int], geometry: Geometry) -> Tensor:
    """Where the cells of the kernel lie without a move, on one axis: (K,h,1) or (K,1,w)."""
    cells = torch.stack(torch.meshgrid(*map(torch.arange, kernel), indexing='ij'))[axis].flatten()
    places = torch.arange(size[axis]) * geometry.stride[axis] - geometry.padding[axis]
    positions = cells[:, None] * geometry.dilation[axis] + places
    return positions[:, :, None] if axis == 0 else positions[:, None, :]


def _grouped(columns: Tensor, groups: int) -> Tensor:
    """(h*w,K,C) as (groups, h*w, K*C/groups)."""
    places, cells, channels = columns.shape
    return columns.view(places, cells, groups, channels // groups).permute(2, 0, 1, 3).flatten(2)


def _ungrouped(columns: Tensor, weight: Tensor) -> Tensor:
    """The inverse of :func:`_grouped`."""
    cells = weight.shape[2] * weight.shape[3]
    return columns.unflatten(2, (cells, -1)).permute(1, 2, 0, 3).flatten(2)


def _as_matrices(weight: Tensor, groups: int) -> Tensor:
    """(O,C/groups,kh,kw) as (groups, K*C/groups, O/groups)."""
    return weight.flatten(2).unflatten(0, (groups, -1)).permute(0, 3, 2, 1).flatten(1, 2)


def _from_matrices(matrices: Tensor, weight: Tensor) -> Tensor:
    """The inverse of :func:`_as_matrices`."""
    out, channels, *kernel = weight.shape
    cells = kernel[0] * kernel[1]
    return matrices.unflatten(1, (cells, channels)).permute(0, 3, 2, 1).reshape(out, channels, *kernel)


def entry_points(convolve: Callable, gradients: Callable) -> dict[str, Callable]:
    """The functions of mmcv's extension, with its names of arguments, around two functions.

    Args:
        convolve: As :func:`convolve`.
        gradients: As :func:`gradients`.
    """

    def deform_conv_forward(input, weight, offset, output, columns, ones, **geometry) -> None:
        output.copy_(convolve(input, offset, None, weight, _geometry_v1(**geometry)))

    def deform_conv_backward_input(
        input, offset, gradOutput, gradInput, gradOffset, weight, columns, **geometry
    ) -> None:
        geometry = _geometry_v1(**geometry)
        found = gradients(input, offset, None, weight, gradOutput, geometry, of_weight=False)
        gradInput.copy_(found.input)
        gradOffset.copy_(found.offset)

    def deform_conv_backward_parameters(
        input, offset, gradOutput, gradWeight, columns, ones, scale, **geometry
    ) -> None:
        geometry = _geometry_v1(**geometry)
        found = gradients(input, offset, None, gradWeight, gradOutput, geometry, of_samples=False)
        gradWeight.add_(found.weight, alpha=scale)

    def modulated_deform_conv_forward(
        input, weight, bias, ones, offset, mask, output, columns, with_bias, **geometry
    ) -> None:
        moves, factors = (_as_read(maps, output.shape[2:]) for maps in (offset, mask))
        output.copy_(convolve(input, moves, factors, weight, _geometry_v2(**geometry)))
        if with_bias:
            output.add_(bias[:, None, None])

    def modulated_deform_conv_backward(
        input, weight, bias, ones, offset, mask, columns, grad_input, grad_weight, grad_bias,
        grad_offset, grad_mask, grad_output, with_bias, **geometry,
    ) -> None:  # fmt: skip
        moves, factors = (_as_read(maps, grad_output.shape[2:]) for maps in (offset, mask))
        found = gradients(input, moves, factors, weight, grad_output, _geometry_v2(**geometry))
        grad_input.copy_(found.input)
        _as_read(grad_offset, grad_output.shape[2:]).copy_(found.offset)
        _as_read(grad_mask, grad_output.shape[2:]).copy_(found.mask)
        grad_weight.add_(found.weight)
        if with_bias:
            grad_bias.add_(grad_output.sum((0, 2, 3)))

    return {name: function for name, function in locals().items() if 'deform_conv' in name}


def _as_read(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Offsets or masks (N,C,H,W) of another size than the output as mmcv reads them: (N,C,*size), a view.

    mmcv goes through the memory of each image as if it had the size of the output. mmdet's DyHead hands it
    larger maps, and its weights were trained so.

    Raises:
        ValueError: The maps are too small.
    """
    if maps.shape[2:] == size:
        return maps
    count, channels, needed = *maps.shape[:2], maps.shape[1] * size[0] * size[1]
    if maps[0].numel() < needed:
        raise ValueError(
            f'modulated_deform_conv: offset and mask must be at least as large as the output, {tuple(size)}; '
            f'got {tuple(maps.shape[2:])}'
        )
    return maps.view(count, -1)[:, :needed].view(count, channels, *size)


def _geometry_v1(
    kW, kH, dW, dH, padW, padH, dilationW, dilationH, group, deformable_group, im2col_step
) -> Geometry:
    return Geometry((dH, dW), (padH, padW), (dilationH, dilationW), group, deformable_group)


def _geometry_v2(
    kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group, deformable_group
) -> Geometry:
    return Geometry((stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w), group, deformable_group)
