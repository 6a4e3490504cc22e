"""Noise that belongs to an image, not to a batch."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def image_generator(seed: int, number: int) -> torch.Generator:
    """The source of all that is random of image ``number`` (0-based) of ``seed``, on the CPU."""
    words = np.random.SeedSequence((seed, number)).generate_state(2)
    return torch.Generator().manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)


def draw_noise(
    seed: int, numbers: Sequence[int], size: int, num_classes: int | Sequence[int] | None = None
) -> tuple[Tensor, Tensor | None]:
    """Noise (n, size) of the images ``numbers`` of ``seed``, and a class of each, (n,), where there are any.

    That of an image depends on nothing but its number and the seed. Of several numbers of classes, a class
    each is drawn, (n, number of attributes).
    """
    generators = [image_generator(seed, number) for number in numbers]
    noise = [torch.randn(size, generator=generator) for generator in generators]
    noise = torch.stack(noise) if noise else torch.zeros(0, size)
    if num_classes is None:
        return noise, None
    if isinstance(num_classes, int):
        labels = [torch.randint(num_classes, (), generator=generator) for generator in generators]
        return noise, torch.stack(labels) if labels else torch.zeros(0, dtype=torch.int64)
    labels = [
        [int(torch.randint(classes, (), generator=generator)) for classes in num_classes]
        for generator in generators
    ]
    return noise, torch.tensor(labels, dtype=torch.int64).view(-1, len(num_classes))


def truncate(noise: Tensor, bound: float | None) -> Tensor:
    """Standard normal noise brought to the normal distribution cut off at ``-bound`` and ``bound``.

    Each value keeps its rank: it moves to the value that is as likely to be exceeded there.

    Args:
        noise: Of any shape.
        bound: Above 0; None changes nothing.
    """
    if bound is None:
        return noise
    if not bound > 0:
        raise ValueError(f'truncation must be above 0, or None, got {bound!r}')
    inside = math.erf(bound / math.sqrt(2))
    exact = torch.erf(noise.double() / math.sqrt(2)) * inside
    return (torch.erfinv(exact) * math.sqrt(2)).clamp(-bound, bound).to(noise.dtype)


def slerp(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Spherical interpolation: along the arc between two vectors, so that lengths stay those of noise.

    Args:
        start, end: (size,); where they point the same way, or in opposite ways, the line is taken.
        share: (steps,) in [0, 1].

    Returns:
        (steps, size).
    """
    share = share[:, None].to(start.dtype)
    cosine = torch.dot(start, end) / (start.norm() * end.norm()).clamp(min=1e-12)
    angle = torch.arccos(cosine.clamp(-1, 1))
    if torch.sin(angle) < 1e-4:
        return torch.lerp(start, end, share)
    first = torch.sin((1 - share) * angle) / torch.sin(angle)
    return first * start + torch.sin(share * angle) / torch.sin(angle) * end
