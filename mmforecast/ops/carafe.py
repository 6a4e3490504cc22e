"""Upsampling by reassembly: each new pixel is a weighted sum of a window of old ones.

Wang et al., CARAFE: Content-Aware ReAssembly of FEatures, ICCV 2019.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ['carafe_backward', 'carafe_forward', 'carafe_naive_backward', 'carafe_naive_forward']


def reassemble(
    features: Tensor, masks: Tensor, kernel_size: int, group_size: int, scale_factor: int
) -> Tensor:
    """Upsample by an integer factor s.

    Args:
        features: (N,C,H,W).
        masks: (N,G*K*K,s*H,s*W): the weights of each new pixel's window, for G groups of channels.
        kernel_size: K, the side of the window.
        group_size: G.
        scale_factor: s.

    Returns:
        (N,C,s*H,s*W).
    """
    count, channels, height, width = features.shape
    windows = F.unfold(features, kernel_size, padding=kernel_size // 2)
    windows = windows.view(count, group_size, channels // group_size, kernel_size**2, height, width)
    weights = masks.view(count, group_size, kernel_size**2, height, scale_factor, width, scale_factor)
    upsampled = torch.einsum('ngckhw,ngkhawb->ngchawb', windows, weights)
    return upsampled.reshape(count, channels, height * scale_factor, width * scale_factor)


def carafe_naive_forward(features, masks, output, kernel_size, group_size, scale_factor) -> None:
    """Write the upsampled features into `output`."""
    output.copy_(reassemble(features, masks, kernel_size, group_size, scale_factor))


def carafe_naive_backward(
    top_grad, features, masks, bottom_grad, mask_grad, kernel_size, group_size, scale_factor
) -> None:
    """Write the gradients of the features and of the masks, given that of the output."""
    inputs = [features.detach().requires_grad_(), masks.detach().requires_grad_()]
    with torch.enable_grad():
        output = reassemble(*inputs, kernel_size, group_size, scale_factor)
    for target, gradient in zip((bottom_grad, mask_grad), torch.autograd.grad(output, inputs, top_grad)):
        target.copy_(gradient)


def carafe_forward(
    features, masks, rfeatures, routput, rmasks, output, kernel_size, group_size, scale_factor
) -> None:
    """Write the upsampled features; `rfeatures` is what the backward pass gets of the features."""
    rfeatures.copy_(features)
    carafe_naive_forward(features, masks, output, kernel_size, group_size, scale_factor)


def carafe_backward(
    top_grad, rfeatures, masks, rtop_grad, rbottom_grad_hs, rbottom_grad, rmask_grad, bottom_grad,
    mask_grad, kernel_size, group_size, scale_factor,
) -> None:  # fmt: skip
    """Write the gradients as :func:`carafe_naive_backward`; the other buffers are not needed."""
    carafe_naive_backward(
        top_grad, rfeatures, masks, bottom_grad, mask_grad, kernel_size, group_size, scale_factor
    )
