"""Bilinear sampling in ONNX graphs."""

import functools
from collections.abc import Callable

import numpy as np
import torch

__all__ = ['OPSET', 'translations']

OPSET = 20  # DeformConv came with 19
_BILINEAR, _BORDER = 0, 1  # PyTorch's numbers of the modes
_MODES = ('linear', 'nearest', 'cubic')
_OUTSIDE = ('zeros', 'border', 'reflection')


def translations() -> dict[Callable, Callable]:
    """What ``torch.onnx.export`` writes in place of some operations of PyTorch.

    onnxruntime's GridSample computes place and weights of a pixel once for every channel, and takes five times
    as long as PyTorch. Its DeformConv computes them once. As a convolution of 1x1 that leaves every channel as
    it is, it samples the same values. Older versions of onnxruntime lack it, and keep GridSample.
    """
    return {torch.ops.aten.grid_sampler.default: _grid_sampler} if _runs_deform_conv() else {}


def _grid_sampler(maps, grid, interpolation_mode: int, padding_mode: int, align_corners: bool):
    """``F.grid_sample`` of maps (B, C, H, W) at places (B, h, w, 2) in [-1, 1]."""
    from onnxscript import opset20 as op

    channels, *size = maps.shape[1:]
    known = all(isinstance(value, int) for value in (channels, *size))
    if (
        (interpolation_mode, padding_mode) != (_BILINEAR, _BORDER)
        or not known
        or list(grid.shape[1:3]) != size
    ):
        return op.GridSample(
            maps,
            grid,
            align_corners=int(align_corners),
            mode=_MODES[interpolation_mode],
            padding_mode=_OUTSIDE[padding_mode],
        )
    height, width = size
    last = np.array([width - 1, height - 1], np.float32).reshape(1, 2, 1, 1)
    half = last / 2 if align_corners else (last + 1) / 2
    own = np.stack(np.meshgrid(np.arange(width), np.arange(height)))[None]
    places = op.Add(op.Transpose(grid, perm=[0, 3, 1, 2]), _constant(np.ones(1)))
    places = op.Mul(places, _constant(half))  # in the order of PyTorch, which rounds alike
    if not align_corners:
        places = op.Sub(places, _constant(np.full(1, 0.5)))
    places = op.Max(op.Min(places, _constant(last)), _constant(np.zeros(1)))
    offsets = op.Gather(op.Sub(places, _constant(own)), op.Constant(value_ints=[1, 0]), axis=1)
    return op.DeformConv(
        maps, _constant(np.ones((channels, 1, 1, 1))), offsets, group=channels, kernel_shape=[1, 1]
    )


def _constant(value: np.ndarray):
    import onnx_ir
    from onnxscript import opset20 as op

    return op.Constant(value=onnx_ir.tensor(value.astype(np.float32)))


@functools.cache
def _runs_deform_conv() -> bool:
    """Whether the installed onnxruntime has a DeformConv for the CPU."""
    import onnxruntime
    from onnx import TensorProto, helper

    shapes = dict(maps=(1, 1, 1, 1), weight=(1, 1, 1, 1), offsets=(1, 2, 1, 1), out=(1, 1, 1, 1))
    *given, out = [helper.make_tensor_value_info(k, TensorProto.FLOAT, shape) for k, shape in shapes.items()]
    node = helper.make_node('DeformConv', list(shapes)[:3], ['out'])
    model = helper.make_model(
        helper.make_graph([node], 'one_pixel', given, [out]),
        opset_imports=[helper.make_opsetid('', OPSET)],
        ir_version=9,
    )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])
    except Exception:
        return False
    return True
