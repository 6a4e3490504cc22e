"""Correlation of the maps of two frames."""

import torch
import torch.nn.functional as F
from torch import Tensor


def cost_volume(first: Tensor, second: Tensor, radius: int, spacing: int = 1) -> Tensor:
    """Inner products of the vectors of one map with those around the same places in another.

    mmcv's ``Correlation`` computes the same on a GPU, and has no kernel for CPUs.

    Args:
        first, second: (B, C, h, w). Of unit vectors, the products are cosines.
        radius: Displacements on either side.
        spacing: Cells from one displacement to the next.

    Returns:
        (B, (2 * radius + 1)^2, h, w): channel by channel ``<first(p), second(p + spacing * d)>``, with d row
        by row from (-radius, -radius) on; 0 where that place is outside the map.
    """
    height, width = first.shape[-2:]
    reach = radius * spacing
    padded = F.pad(second, (reach,) * 4)
    places = range(0, 2 * reach + 1, spacing)
    products = [
        (first * padded[..., y : y + height, x : x + width]).sum(dim=1) for y in places for x in places
    ]
    return torch.stack(products, dim=1)
