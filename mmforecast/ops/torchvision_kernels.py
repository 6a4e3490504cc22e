"""The operators that torchvision has kernels for, with the arguments of mmcv's extension."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from . import deform_conv, roi_align
from . import nms as pytorch_nms
from .deform_conv import Geometry, Gradients

__all__ = ['torchvision_operators']

KERNELS = ('nms', 'roi_align', '_roi_align_backward', 'deform_conv2d', '_deform_conv2d_backward')


def torchvision_operators() -> dict[str, Callable]:
    """The operators by the names of mmcv's extension.

    Raises:
        Exception: torchvision is missing, or fails as it does beside a torch that it was not built
            for: with `ImportError`, `OSError`, `RuntimeError` or `AttributeError`.
    """
    import torchvision  # noqa: F401  (registers the kernels)

    for name in KERNELS:
        _kernel(name)
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 3]])
    if nms(boxes, torch.tensor([0.5, 0.6]), 0.5, 0).tolist() != [1]:
        raise RuntimeError('its NMS gives wrong indices')
    return dict(
        nms=nms,
        roi_align_forward=roi_align_forward,
        roi_align_backward=roi_align_backward,
        **deform_conv.entry_points(convolve, gradients),
    )


def _kernel(name: str) -> Callable:
    return getattr(torch.ops.torchvision, name)


def _wide(values: Tensor) -> Tensor:
    """Half precision as float32: torchvision has no kernels for bfloat16, and float16 rounds places."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """As :func:`mmforecast.ops.nms.nms`; torchvision knows no offset."""
    if offset:
        return pytorch_nms.nms(boxes, scores, iou_threshold, offset)
    # mmcv compares with a threshold in float32
    return _kernel('nms')(_wide(boxes.detach()), _wide(scores.detach()), float(np.float32(iou_threshold)))


def roi_align_forward(
    input, rois, output, argmax_y, argmax_x, aligned_height, aligned_width, spatial_scale,
    sampling_ratio, pool_mode, aligned,
) -> None:  # fmt: skip
    """As :func:`mmforecast.ops.roi_align.roi_align_forward`; torchvision has no maximum."""
    if pool_mode != roi_align.AVERAGE:
        roi_align.roi_align_forward(
            input, rois, output, argmax_y, argmax_x, aligned_height, aligned_width, spatial_scale,
            sampling_ratio, pool_mode, aligned,
        )  # fmt: skip
        return
    roi_align.require_regions(rois, len(input), aligned)
    maps, bins = _wide(input), (aligned_height, aligned_width)
    output.copy_(_kernel('roi_align')(maps, rois.to(maps), spatial_scale, *bins, sampling_ratio, aligned))


def roi_align_backward(
    grad_output, rois, argmax_y, argmax_x, grad_input, aligned_height, aligned_width, spatial_scale,
    sampling_ratio, pool_mode, aligned,
) -> None:  # fmt: skip
    """As :func:`mmforecast.ops.roi_align.roi_align_backward`."""
    if pool_mode != roi_align.AVERAGE:
        roi_align.roi_align_backward(
            grad_output, rois, argmax_y, argmax_x, grad_input, aligned_height, aligned_width,
            spatial_scale, sampling_ratio, pool_mode, aligned,
        )  # fmt: skip
        return
    grad, bins = _wide(grad_output), (aligned_height, aligned_width)
    grad_input += _kernel('_roi_align_backward')(
        grad, rois.to(grad), spatial_scale, *bins, *grad_input.shape, sampling_ratio, aligned
    )


def convolve(input: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor, geometry: Geometry) -> Tensor:
    """As :func:`mmforecast.ops.deform_conv.convolve`."""
    return _kernel('deform_conv2d')(*_arguments(input, offset, mask, weight, geometry)).to(input.dtype)


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
    """As :func:`mmforecast.ops.deform_conv.gradients`; torchvision's kernel computes them all."""
    found = _kernel('_deform_conv2d_backward')(_wide(grad), *_arguments(input, offset, mask, weight, geometry))
    grad_input, grad_weight, grad_offset, grad_mask, _ = (each.to(input.dtype) for each in found)
    return Gradients(grad_input, grad_offset, grad_mask, grad_weight)


def _arguments(
    input: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor, geometry: Geometry
) -> tuple:
    input, offset, weight = _wide(input), _wide(offset), _wide(weight)
    bias = weight.new_zeros(len(weight))
    factors = input.new_zeros(len(input), 1) if mask is None else _wide(mask)
    pairs = *geometry.stride, *geometry.padding, *geometry.dilation
    groups = geometry.groups, geometry.deform_groups
    return input, weight, offset, factors, bias, *pairs, *groups, mask is not None
