"""The pyramid of an mmdet detector, found by running it on noise."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn as nn
from torch import Tensor
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.hooks import RemovableHandle


@torch.no_grad()
def probe_pyramid(detector: nn.Module) -> tuple[list[int], int, int]:
    """The pyramid that a detector makes, found by running it on noise.

    Returns:
        Strides of its levels, finest first, their channels, and how many of the last levels are a mere
        subsampling of the one before (as P6 of Mask R-CNN is of P5).

    Raises:
        ValueError: Its features are not a pyramid with equal channels and doubling strides.
    """
    name = type(detector).__name__
    side, levels = _probe(detector)
    shapes = [tuple(level.shape[1:]) for level in levels]
    strides = [side // height for _, height, _ in shapes]
    channels = {shape[0] for shape in shapes}
    doubling = all(b == 2 * a for a, b in zip(strides, strides[1:]))
    if len(levels) < 2 or len(channels) > 1 or not doubling:
        raise ValueError(
            f'{name} has no feature pyramid that F2F could forecast: its features of a {side}x{side} '
            f'image are (C, h, w) = {shapes}; choose a detector with a neck like FPN (two levels or '
            'more, of the same channels, each of half the size of the one before)'
        )
    return strides, channels.pop(), _count_derived(detector, side)


def _count_derived(detector: nn.Module, side: int) -> int:
    """How many of the last levels subsample the one before, whatever the weights are.

    Other weights tell: those of the detector may happen to make levels equal, as zeros do.
    """
    with _generic_weights(detector):
        levels = _features(detector, side)
    derived = 0
    for fine, coarse in zip(levels[-2::-1], levels[:0:-1]):
        # computed in another order, they may differ in the last bits (DetectoRS)
        if not torch.allclose(fine[..., ::2, ::2], coarse, rtol=1e-3, atol=1e-5 * float(fine.abs().max())):
            break
        derived += 1
    return derived


@contextmanager
def _generic_weights(detector: nn.Module) -> Iterator[None]:
    """Inside, a detector has random weights that are the same for every detector of its config, in eval mode.

    The output of each layer is divided by the scale that it had first, so that no depth makes it overflow.
    """
    # No deep copy: detectors that were used may hold tensors of a graph (SOLO), which can't be copied.
    tensors = [*detector.parameters(), *detector.buffers()]
    before = [tensor.detach().clone() for tensor in tensors]
    hooks = _randomize(detector)
    try:
        with _eval_mode(detector):
            yield
    finally:
        for hook in hooks:
            hook.remove()
        for tensor, value in zip(tensors, before):
            tensor.copy_(value)


@contextmanager
def _eval_mode(network: nn.Module) -> Iterator[None]:
    """Inside, a network is in eval mode; afterwards, each of its modules is in the mode that it was in."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _randomize(detector: nn.Module) -> list[RemovableHandle]:
    """Set random weights; the hooks that keep the scale of each layer."""
    generator = torch.Generator().manual_seed(0)
    scales: dict[nn.Module, Tensor] = {}

    def keep_scale(layer: nn.Module, _: tuple, output: Tensor) -> Tensor:
        if not torch.is_tensor(output):
            return output
        return output / scales.setdefault(layer, output.abs().mean().clamp(min=1e-6))

    hooks = []
    for layer in detector.modules():
        if isinstance(layer, _NormBase):
            layer.reset_running_stats()
        for name, parameter in layer.named_parameters(recurse=False):
            noise = torch.randn(parameter.shape, generator=generator).to(parameter)
            # vectors are biases, or the factors of a normalization
            vector = 0.1 * noise + (0 if name.endswith('bias') else 1)
            parameter.copy_(noise if parameter.ndim > 1 else vector)
        if any(parameter.ndim > 1 for parameter in layer.parameters(recurse=False)):
            hooks.append(layer.register_forward_hook(keep_scale))
    return hooks


def _features(detector: nn.Module, side: int) -> Sequence[Tensor]:
    """The detector's features of a square image of noise."""
    image = torch.randn((1, 3, side, side), generator=torch.Generator().manual_seed(0))
    return detector.extract_feat(image.to(next(detector.parameters()).device))


def _probe(detector: nn.Module) -> tuple[int, Sequence[Tensor]]:
    """The side of a square image of noise, and the detector's features of it."""
    for side in (256, 512):  # some necks need more cells at their coarsest level (SSD)
        try:
            with _eval_mode(detector):
                return side, _features(detector, side)
        except (RuntimeError, IndexError) as error:
            failure = error
    raise ValueError(
        f'{type(detector).__name__} gives no features of a 512x512 image ({failure}); F2F needs a detector '
        'whose backbone and neck work at any size'
    ) from failure
