"""Maps of class ids as tokens, and back to logits by the same table; and the masks of training."""

import math
from collections.abc import Sequence

import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.utils.checks import check_choice

from .masked_transformer import from_patches, to_patches

# Share of masked positions as a function of a uniform number.
SCHEDULES = dict(
    arccos=lambda r: 2 / math.pi * torch.arccos(r),
    linear=lambda r: r,
    square=torch.square,
    cosine=lambda r: torch.cos(math.pi / 2 * r),
    full=torch.ones_like,
)
SHARINGS = ('exclusive', 'shared', 'independent', 'independent_ratios')


class LabelPlane(nn.Module):
    """One map of ids per frame: a vector per pixel, patches of them as tokens.

    The table of vectors serves both ends: the logit of an id is the product of the output vector with the id's
    own, plus a bias.

    Args:
        num_ids: K, the ids that are predicted.
        width: Channels of a token.
        patch_size: Pixels of a token on either side.
        pixel_dims: E, length of the vectors.
        unknown: Whether there is one more id, K, that may be seen and is never predicted.
    """

    def __init__(self, num_ids: int, width: int, patch_size: int, pixel_dims: int = 10, unknown: bool = False):
        super().__init__()
        self.num_ids, self.patch_size, self.pixel_dims = num_ids, patch_size, pixel_dims
        self.table = nn.Parameter(torch.zeros(num_ids + unknown, pixel_dims))
        self.bias = nn.Parameter(torch.zeros(num_ids))
        self.embed = nn.Linear(self.token_channels, width)
        self.replacement = nn.Parameter(torch.zeros(width))
        self.reset()

    @property
    def token_channels(self) -> int:
        """Channels of a patch of vectors: E p^2."""
        return self.pixel_dims * self.patch_size**2

    def reset(self) -> None:
        """Draw the vectors: of ids from N(0, 1), of masked positions with deviation 0.02."""
        nn.init.normal_(self.table)
        nn.init.zeros_(self.bias)
        nn.init.normal_(self.replacement, std=0.02)

    def tokens(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Tokens of a clip.

        Args:
            ids: (B, T, H, W) int64.
            mask: (B, h, w) bool, the positions of the last frame whose content is replaced.

        Returns:
            (B, T, h, w, width).
        """
        vectors = self.table[ids].movedim(-1, -3)
        tokens = self.embed(to_patches(vectors, self.patch_size))
        newest = torch.where(mask[..., None], self.replacement, tokens[:, -1])
        return torch.cat((tokens[:, :-1], newest[:, None]), dim=1)

    def logits(self, out: Tensor) -> Tensor:
        """(B, T, h, w, E p^2) to (B, T, K, H, W)."""
        vectors = from_patches(out, self.patch_size)
        scores = torch.einsum('bteyx,ke->btkyx', vectors, self.table[: self.num_ids])
        return scores + self.bias[:, None, None]


def draw_masks(
    num_planes: int,
    batch: int,
    grid: Sequence[int],
    schedule: str = 'arccos',
    sharing: str = 'exclusive',
    device: torch.device | str = 'cpu',
) -> list[Tensor]:
    """Masks of the last frame for training, (batch, h, w) bool per plane.

    Each clip draws a number r from U(0, 1); a position is masked with probability gamma(r). With 'exclusive',
    two planes share that mask, and of the positions that are left, over the whole batch, one half is masked in
    the first plane alone and the other half in the second. With 'shared' they share the mask; with
    'independent' each draws its own at the same probability, and with 'independent_ratios' also r.

    Args:
        num_planes: 1 or 2.
        batch: Clips.
        grid: (h, w) in tokens.
        schedule: gamma: 'arccos' (2/pi arccos r), 'linear' (r), 'square' (r^2), 'cosine' (cos(pi r / 2)), or
            'full', 1.
        sharing: As above; of two planes.
        device: Of the masks.
    """
    check_choice('draw_masks', tuple(SCHEDULES), schedule=schedule)
    check_choice('draw_masks', SHARINGS, sharing=sharing)
    gamma = SCHEDULES[schedule](torch.rand(num_planes, batch, 1, 1, device=device))
    if sharing != 'independent_ratios':
        gamma = gamma[:1].expand_as(gamma)
    masks = torch.rand(num_planes, batch, *grid, device=device) < gamma
    if num_planes == 1 or sharing.startswith('independent'):
        return list(masks)
    shared = masks[0]
    if sharing == 'shared':
        return [shared] * num_planes
    left = (~shared).flatten().nonzero()[:, 0]
    left = left[torch.randperm(len(left), device=device)]
    return [
        (shared.flatten().index_fill(0, half, True)).view_as(shared)
        for half in (left[: len(left) // 2], left[len(left) // 2 :])
    ]
