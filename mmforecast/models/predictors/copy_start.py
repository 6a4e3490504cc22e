"""Weights with which a stack of convolutions and ReLUs returns a linear map of its input.

Function-preserving initialization: the positive and the negative part of a value in two channels (the
"looks-linear" weights of Balduzzi et al., "The shattered gradients problem", ICML 2017), or the value itself,
shifted by a bias to where ReLU is the identity. Every tap but the center of a kernel is zero, so that
padding changes nothing.
"""

import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.utils.checks import check_above, check_choice

INITS = (None, 'copy')


def check_copy_start(owner: str, init: str | None, init_bound: float | None) -> None:
    """Refuse an ``init`` that is not known, and an ``init_bound`` that is not positive or has no use."""
    check_choice(owner, INITS, init=init)
    if init_bound is None:
        return
    check_above(owner, 0, init_bound=init_bound)
    if init is None:
        raise ValueError(f"{owner}: init_bound is of init='copy'; set that too, or drop init_bound")


def newest_map(num_past: int, channels: int, more_channels: int = 0, copies: int = 1) -> Tensor:
    """The linear map that a scale of a coarse-to-fine network starts with, (C, in_channels).

    It takes the newest of ``num_past`` maps, and subtracts the coarser guess where there is one, since the
    network adds its output to that.

    Args:
        num_past, channels: Maps of the window, oldest first, and C of one.
        more_channels: Channels of the coarser guess, which come after the window; 0 for none.
        copies: Future maps of C channels in the guess, whose mean is subtracted.
    """
    eye = torch.eye(channels)
    parts = [torch.zeros(channels, channels * (num_past - 1)), eye]
    if more_channels:
        parts.append(-eye.repeat(1, copies) / copies)
    return torch.cat(parts, dim=1)


@torch.no_grad()
def start_as_linear_map(
    owner: str, stack: nn.Sequential, matrix: Tensor, copies: int = 1, bound: float | None = None
) -> None:
    """Set weights of ``stack`` so that it returns ``matrix`` times its input at every pixel.

    The values pass through the first hidden channels, two channels a value, or one with ``bound``. All other
    hidden channels keep the weights that they have; the last layer starts with zeros for them.

    Args:
        owner: Whose stack it is, for error messages.
        stack: Of :func:`~mmforecast.models.predictors.conv_stack.conv_stack`.
        matrix: (C, in_channels).
        copies: How many times the result is repeated in the output of ``copies * C`` channels.
        bound: Shift of the values. Exact where none is below ``-bound``; lower ones are cut off there. None
            takes two channels a value, and is exact for all.

    Raises:
        ValueError: A hidden layer is too narrow.
    """
    convs = [layer.conv for layer in stack]
    count = len(matrix)
    signs = [1.0, -1.0] if bound is None else [1.0]
    used = count * len(signs)
    _check_widths(owner, [conv.out_channels for conv in convs[:-1]], count, bound)
    if len(convs) == 1:
        _set_center(convs[0], matrix.repeat(copies, 1), 0.0)
        return
    _set_center(convs[0], torch.cat([sign * matrix for sign in signs]), bound or 0.0)
    eye = torch.eye(used)
    for conv in convs[1:-1]:
        _set_center(conv, eye, 0.0)
    joined = torch.cat([sign * torch.eye(count) for sign in signs], dim=1)
    _set_center(convs[-1], joined.repeat(copies, 1), -(bound or 0.0))


def _set_center(conv: nn.Conv2d, matrix: Tensor, bias: float) -> None:
    """The first rows of a convolution: ``matrix`` at the center, zero elsewhere, and ``bias``."""
    rows, columns = matrix.shape
    middle = conv.kernel_size[0] // 2
    conv.weight[:rows] = 0
    conv.weight[:rows, :columns, middle, middle] = matrix.to(conv.weight)
    conv.bias[:rows] = bias


def _check_widths(owner: str, widths: list[int], count: int, bound: float | None) -> None:
    need = count if bound is not None else 2 * count
    if not widths or min(widths) >= need:
        return
    hint = (
        f'set init_bound to the largest absolute value of the maps, which needs {count}, or widen it'
        if bound is None and min(widths) >= count
        else 'widen it'
    )
    raise ValueError(
        f"{owner}: init='copy' carries {count} channels through {need} channels of every hidden layer, but "
        f'the narrowest has {min(widths)}; {hint}'
    )
