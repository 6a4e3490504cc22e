"""Attention over a few sampled points of several feature maps.

Zhu et al., Deformable DETR, ICLR 2021. mmcv has it in PyTorch, for the CPU; here the same serves
the calls that mmcv makes on a GPU.
"""

import torch
from torch import Tensor

__all__ = ['ms_deform_attn_backward', 'ms_deform_attn_forward']


def ms_deform_attn_forward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int,
) -> Tensor:
    """Attend to sampled points.

    Args:
        value: (N,keys,heads,C).
        value_spatial_shapes: (levels,2): height and width of each map.
        value_level_start_index: Not needed: the maps follow each other.
        sampling_locations: (N,queries,heads,levels,points,2): x, y in [0, 1] of the map.
        attention_weights: (N,queries,heads,levels,points).
        im2col_step: Not needed.

    Returns:
        (N,queries,heads*C).
    """
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

    return multi_scale_deformable_attn_pytorch(
        value, value_spatial_shapes, sampling_locations, attention_weights
    )


def ms_deform_attn_backward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    im2col_step: int,
) -> None:
    """Write the gradients of :func:`ms_deform_attn_forward`.

    Args:
        value: As in the forward pass, and so are the arguments that are not named here.
        value_spatial_shapes: (levels,2).
        value_level_start_index: Not needed.
        sampling_locations: (N,queries,heads,levels,points,2).
        attention_weights: (N,queries,heads,levels,points).
        grad_output: (N,queries,heads*C).
        grad_value: Like `value`, written.
        grad_sampling_loc: Like `sampling_locations`, written.
        grad_attn_weight: Like `attention_weights`, written.
        im2col_step: Not needed.
    """
    inputs = [each.detach().requires_grad_() for each in (value, sampling_locations, attention_weights)]
    with torch.enable_grad():
        output = ms_deform_attn_forward(
            inputs[0], value_spatial_shapes, value_level_start_index, *inputs[1:], im2col_step
        )
    gradients = torch.autograd.grad(output, inputs, grad_output)
    for target, gradient in zip((grad_value, grad_sampling_loc, grad_attn_weight), gradients):
        target.copy_(gradient)
