"""Mixes of classes: what a generator is asked for where an image may belong to several classes."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmforecast.utils.checks import check_range


def one_hot_mix(labels: Sequence[Tensor], attributes: Mapping[str, int]) -> Tensor:
    """The mix (B, sum of classes) of single classes.

    Args:
        labels: (B,) int64 by attribute, in the order of ``attributes``.
        attributes: Classes by attribute.
    """
    parts = [F.one_hot(one, classes) for one, classes in zip(labels, attributes.values(), strict=True)]
    return torch.cat(parts, dim=1).float()


def split_mix(mix: Tensor, attributes: Mapping[str, int]) -> dict[str, Tensor]:
    """The mix (B, classes) of each attribute."""
    return dict(zip(attributes, mix.split(list(attributes.values()), dim=1), strict=True))


def toward_uniform(mix: Tensor, creativity: float, attributes: Mapping[str, int]) -> Tensor:
    """``(1 - creativity) mix + creativity / classes``, for each attribute.

    Args:
        mix: (B, sum of classes).
        creativity: In [0, 1]; at 1 every class is asked for equally, which is the target of CAN(H).
        attributes: Classes by attribute.
    """
    check_range('toward_uniform', 0, 1, creativity=creativity)
    parts = split_mix(mix, attributes)
    return torch.cat([(1 - creativity) * part + creativity / part.shape[1] for part in parts.values()], dim=1)


def draw_mixes(
    labels: Mapping[str, Tensor], attributes: Mapping[str, int], pure: float, device: torch.device
) -> Tensor:
    """Mixes (B, sum of classes) to train with, drawn from torch's global generator.

    For each image and attribute, the class of ``labels`` with a probability of ``pure``; else one of two
    blends of it by a uniform share, equally likely: with the uniform mix, or with another class.

    Args:
        labels: (B,) int64 by attribute, no label missing.
        attributes: Classes by attribute.
        pure: In [0, 1].
        device: Of the result.
    """
    parts = []
    for name, classes in attributes.items():
        own = F.one_hot(labels[name], classes).float()
        batch = len(own)
        share, is_pure, is_pair = torch.rand(3, batch, 1, device=device)
        other = F.one_hot(torch.randint(classes, (batch,), device=device), classes).float()
        other = torch.where(is_pair < 0.5, other, torch.full_like(other, 1 / classes))
        share = share * (is_pure >= pure)
        parts.append((1 - share) * own + share * other)
    return torch.cat(parts, dim=1)
