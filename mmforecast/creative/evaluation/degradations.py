"""Real images made worse, and real images of two classes in one: references for confusion."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mmforecast.models.utils.blur import gaussian_blur
from mmforecast.utils.checks import check_above, check_multiple, check_range

__all__ = ['DEGRADATIONS', 'add_noise', 'blur', 'halves_of_two_classes', 'mixed_with', 'shuffle_patches']


def blur(images: Tensor, sigma: float) -> Tensor:
    """Gaussian blur.

    Args:
        images: uint8 (N, 3, H, W).
        sigma: In pixels, above 0.
    """
    check_above('blur', 0, sigma=sigma)
    return _bytes(gaussian_blur(images.float(), sigma))


def add_noise(images: Tensor, deviation: float, seed: int = 0) -> Tensor:
    """Gaussian noise on every value.

    Args:
        images: uint8 (N, 3, H, W).
        deviation: In levels of [0, 255], above 0.
        seed: Of the noise.
    """
    check_above('add_noise', 0, deviation=deviation)
    generator = torch.Generator().manual_seed(seed)
    return _bytes(images.float() + deviation * torch.randn(images.shape, generator=generator))


def shuffle_patches(images: Tensor, count: int, seed: int = 0) -> Tensor:
    """Square patches in random order, another one for each image.

    Args:
        images: uint8 (N, 3, H, W).
        count: Patches per side, which both sides are multiples of.
        seed: Of the order.
    """
    number, channels, height, width = images.shape
    check_multiple('shuffle_patches', count, height=height, width=width)
    rng = np.random.default_rng(seed)
    size = height // count, width // count
    patches = images.view(number, channels, count, size[0], count, size[1]).permute(0, 2, 4, 1, 3, 5)
    patches = patches.reshape(number, count * count, channels, *size)
    order = torch.from_numpy(rng.permuted(np.tile(np.arange(count * count), (number, 1)), axis=1))
    patches = patches[torch.arange(number)[:, None], order].view(number, count, count, channels, *size)
    return patches.permute(0, 3, 1, 4, 2, 5).reshape(images.shape)


# By family, the strengths and the function of images and strength. Strengths are for 64x64.
DEGRADATIONS: dict[str, tuple[tuple[float, ...], Callable[[Tensor, float], Tensor]]] = {
    'blur': ((0.5, 1.0, 2.0, 4.0), blur),
    'noise': ((8.0, 16.0, 32.0, 64.0), add_noise),
    'shuffled patches': ((2, 4, 8), shuffle_patches),
}


def halves_of_two_classes(images: Tensor, labels: np.ndarray, seed: int = 0) -> Tensor:
    """The left half of each labeled image beside the right half of one of another class.

    Args:
        images: uint8 (N, 3, H, W).
        labels: (N,) int, -1 where missing.
        seed: Of the choice of the other image.

    Returns:
        (M, 3, H, W), one for each labeled image.

    Raises:
        ValueError: Fewer than two classes occur.
    """
    known = np.flatnonzero(labels >= 0)
    if len(np.unique(labels[known])) < 2:
        raise ValueError('hybrids need labeled images of two classes or more')
    rng, half = np.random.default_rng(seed), images.shape[3] // 2
    others = [rng.choice(known[labels[known] != labels[number]]) for number in known]
    mixed = images[known].clone()
    mixed[..., half:] = images[others][..., half:]
    return mixed


def mixed_with(images: Tensor, changed: Tensor, share: float) -> Tensor:
    """The first images up to a share are taken from ``changed``, the rest as they are."""
    check_range('mixed_with', 0, 1, share=share)
    number = round(share * min(len(images), len(changed)))
    return torch.cat([changed[:number], images[number:]])


def _bytes(images: Tensor) -> Tensor:
    return images.round().clamp(0, 255).to(torch.uint8)
