"""A masked transformer on features (DINO-Foresight), by regression or by flow matching.

Karypidis, Kakogeorgiou, Gidaris, Komodakis, "DINO-Foresight: looking into the future with DINO", NeurIPS 2025.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_positive

from .base import BasePredictor
from .context import ForecastContext
from .masked_transformer import MaskedTransformer, from_patches, to_patches

# Latent-Foresight's: times of training are sigmoid(N(mean, deviation)), and a velocity divides by at least
# this.
_TIME = dict(mean=-2.0, std=1.5)
_LEAST_REST = 0.05
_FREQUENCIES = 128


@MODELS.register_module()
class MaskedFeatureTransformer(BasePredictor):
    """Forecasts a map of features: the transformer fills in an empty frame behind those of the window.

    With the defaults, on the 16x32 tokens of 1152 principal components, it has the released model's
    257,744,640 parameters; 257,763,072 on 32x64. Features are meant to be standardized.

    Of a pyramid, every level is cut into patches so that all have the grid of the coarsest, and the tokens of
    all levels are joined, as those of several layers of a vision transformer are. This is ours.

    **Flow matching** (after Latent-Foresight, smaller): in training, the last frame is a blend z = t x + (1 -
    t) e of the true features with noise, and its features x are predicted; the loss is that of the velocities,
    (x - z) / max(1 - t, 0.05). A forecast starts from noise, the same in every call, and takes ``flow_steps``
    Euler steps; a single one gives the first prediction. How far t is, is added to the tokens (theirs
    modulates every layer).

    Args:
        channels, num_past, num_levels: See ``BasePredictor``.
        size: (h, w) of the coarsest level that positions are made for. Others work: positions are resampled.
        patch_size: Cells of the coarsest level in a token, on either side.
        embed_dims: Width of the transformer, a multiple of 3 and of ``num_heads``.
        num_layers, num_heads, mlp_ratio, dropout, time_window: See ``MaskedTransformer``.
        residual: Whether the output is added to the newest map, so that the untrained network repeats it.
            Ours, for short trainings.
        flow: Whether it is trained by flow matching, which is its only loss.
        flow_steps: Euler steps of a forecast by flow matching.
        kwargs: See ``BasePredictor``. The paper's loss is SmoothL1 with ``beta=0.1``.
    """

    def __init__(
        self,
        channels: int,
        size: Sequence[int],
        num_past: int = 4,
        num_levels: int = 1,
        patch_size: int = 1,
        embed_dims: int = 1152,
        num_layers: int = 12,
        num_heads: int = 8,
        mlp_ratio: float = 4,
        dropout: float = 0.1,
        time_window: int = 1,
        residual: bool = False,
        flow: bool = False,
        flow_steps: int = 1,
        **kwargs,
    ):
        super().__init__(num_past, channels, num_levels, **kwargs)
        owner = type(self).__name__
        check_positive(owner, patch_size=patch_size, embed_dims=embed_dims, flow_steps=flow_steps)
        if flow and self.losses:
            raise ValueError(f'{owner}: flow matching is a loss of its own; set losses or flow, not both')
        if flow and residual:
            raise ValueError(f'{owner}: flow matching predicts the features themselves; drop residual or flow')
        self.patches = [patch_size * 2**index for index in reversed(range(num_levels))]
        self.residual, self.flow, self.flow_steps = residual, flow, flow_steps
        self._check_sides([size])
        self.widths = [channels * patch**2 for patch in self.patches]
        self.embed = nn.Linear(sum(self.widths), embed_dims)
        self.replacement = None if flow else nn.Parameter(torch.zeros(embed_dims))
        self.time = _time_embedding(embed_dims) if flow else None
        self.transformer = MaskedTransformer(
            embed_dims,
            tuple(side // patch_size for side in size),
            num_past + 1,
            sum(self.widths),
            num_layers,
            num_heads,
            mlp_ratio,
            dropout,
            time_window,
        )
        self.apply_own_start()

    def apply_own_start(self) -> None:
        self.transformer.reset()
        if self.residual:
            nn.init.zeros_(self.transformer.out.bias)
        if self.replacement is not None:
            nn.init.normal_(self.replacement, std=0.02)

    def forward(self, past: Pyramid, context: ForecastContext | None = None) -> Pyramid:
        self.check_window(past)
        self._check_sides([level.shape[-2:] for level in past])
        tokens = self._tokens(past)
        if self.flow:
            return self._maps(self._denoised(tokens))
        out = self.fill_in(tokens)
        return self._maps(out + tokens[:, -1] if self.residual else out)

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        if not self.flow:
            return super().loss_and_predict(past, target, context)
        self.check_window(past)
        tokens, (wanted,) = self._tokens(past), self._tokens(target).unbind(dim=1)
        time = torch.sigmoid(_TIME['mean'] + _TIME['std'] * torch.randn(len(wanted), device=wanted.device))
        share = time.view(-1, 1, 1, 1)
        noisy = share * wanted + (1 - share) * torch.randn_like(wanted)
        found = self.fill_in(tokens, noisy, time)
        rest = (1 - share).clamp(min=_LEAST_REST)
        return dict(loss_flow=((found - wanted) / rest).square().mean()), self._maps(found.detach())

    def require_losses(self) -> None:
        if not self.flow:
            super().require_losses()

    def fill_in(self, tokens: Tensor, noisy: Tensor | None = None, time: Tensor | None = None) -> Tensor:
        """What the last frame is filled with, (B, h, w, N).

        Args:
            tokens: (B, num_past, h, w, N), the joint patches of the window.
            noisy: (B, h, w, N), what is known of the last frame, for flow matching.
            time: (B,) in [0, 1], how much it is.
        """
        seen = self.embed(tokens)
        if noisy is None:
            newest = self.replacement.expand_as(seen[:, 0])
        else:
            newest = self.embed(noisy) + self.time(_sinusoids(time))[:, None, None]
        return self.transformer(torch.cat((seen, newest[:, None]), dim=1))[:, 0]

    def _denoised(self, tokens: Tensor) -> Tensor:
        """The Euler steps from noise to the features of the last frame."""
        generator = torch.Generator().manual_seed(0)
        shape = tokens[:1, -1].shape
        state = torch.randn(shape, generator=generator).to(tokens).expand_as(tokens[:, -1])
        for step in range(self.flow_steps):
            time = step / self.flow_steps
            found = self.fill_in(tokens, state, tokens.new_full((len(tokens),), time))
            velocity = (found - state) / max(1 - time, _LEAST_REST)
            state = found if self.flow_steps == 1 else state + velocity / self.flow_steps
        return state

    def _tokens(self, pyramid: Pyramid) -> Tensor:
        """Joint patches (B, T, h, w, N) of all levels."""
        parts = [to_patches(level, patch) for level, patch in zip(pyramid, self.patches, strict=True)]
        return torch.cat(parts, dim=-1)

    def _maps(self, tokens: Tensor) -> Pyramid:
        """Levels (B, 1, C, h, w) from the tokens of one frame."""
        parts = tokens[:, None].split(self.widths, dim=-1)
        return [from_patches(part, patch) for part, patch in zip(parts, self.patches)]

    def _check_sides(self, sizes: Sequence[Sequence[int]]) -> None:
        patches = self.patches[-len(sizes) :]
        grids = {tuple(side / patch for side in size) for size, patch in zip(sizes, patches)}
        if len(grids) > 1 or any(side != int(side) for side in next(iter(grids))):
            raise ValueError(
                f'{type(self).__name__} cuts its levels into patches of {self.patches} cells, finest first, '
                f'which must give one grid, but levels are {[tuple(size) for size in sizes]}; set size of the '
                'encoder to a multiple of the stride of its coarsest level, or another patch_size'
            )


def _time_embedding(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(2 * _FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))


def _sinusoids(time: Tensor) -> Tensor:
    """(B,) in [0, 1] to (B, 256): cosines and sines of frequencies from 1000 down to 0.1."""
    steps = torch.arange(_FREQUENCIES, device=time.device) / _FREQUENCIES
    angles = 1000 * time[:, None] * torch.exp(-math.log(10000) * steps)
    return torch.cat((angles.cos(), angles.sin()), dim=1)
