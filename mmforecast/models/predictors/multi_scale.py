"""The multi-scale convolutional predictor of S2S, coarse to fine.

Luc, Neverova, Couprie, Verbeek, LeCun, "Predicting deeper into the future of semantic segmentation",
ICCV 2017, after the pyramid of Mathieu, Couprie, LeCun, ICLR 2016. Every scale sees the average-pooled
window and the coarser guess, and adds its correction to that guess.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS

from .base import BasePredictor, check_window, require_losses
from .context import ForecastContext
from .conv_stack import conv_stack

_BASES = (None, 'last')


@MODELS.register_module()
class MultiScalePredictor(BasePredictor):
    """Predicts ``num_outputs`` maps from ``num_past`` maps, on one level, over K scales.

    With ``X_k`` the window average-pooled to scale k (K-1 coarsest, 0 the full resolution), ``U`` the
    nearest-neighbour x2 upsampling and ``B_k`` the pooled base,
    ``D_k = U(D_{k+1}) + conv_k(X_k, U(P_{k+1}))`` and ``P_k = act(B_k + D_k)``. Without a base this is
    the paper's network: ``P_k = act(U(P_{k+1}) + conv_k(...))`` with no ``act`` for scores.

    Args:
        in_channels: channels of one input map.
        out_channels: channels of one output map; by default those of the input.
        num_past, num_outputs: maps in and out; more than one out is the paper's batch model.
        widths: hidden channels per scale, coarsest first.
        kernels: kernel sizes per scale, coarsest first, one more than hidden layers.
        dilations: dilations per scale, coarsest first; all 1 by default.
        base: what the network corrects: None (paper: it predicts the maps from nothing) or 'last', the
            newest input. The latter is a variant of ours; it starts as the copy-last baseline, with its
            last convolutions at zero.
        out_act: None, or 'tanh' for RGB outputs in [-1, 1] (only without a base).
        losses: configs of the losses by name, each called on (N, C, h, w) pairs at every scale.
            The target of a coarse scale is the average-pooled target.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int | None = None,
        num_past: int = 4,
        num_outputs: int = 1,
        widths: Sequence[Sequence[int]] = ((128, 256, 128), (128, 256, 128)),
        kernels: Sequence[Sequence[int]] = ((3, 3, 3, 3), (5, 3, 3, 5)),
        dilations: Sequence[Sequence[int]] | None = None,
        base: str | None = None,
        out_act: str | None = None,
        losses: dict[str, dict] | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg=init_cfg)
        self.out_channels = in_channels if out_channels is None else out_channels
        self._check(in_channels, num_outputs, widths, kernels, dilations, base, out_act)
        self.in_channels = in_channels
        self.num_past = num_past
        self.num_outputs = num_outputs
        self.base = base
        self.out_act = out_act
        flat_out = self.out_channels * num_outputs
        given = in_channels * num_past
        self.scales = nn.ModuleList(
            conv_stack(
                given if k == 0 else given + flat_out,
                widths[k],
                kernels[k],
                flat_out,
                None if dilations is None else dilations[k],
            )
            for k in range(len(widths))
        )
        self.losses = nn.ModuleDict({name: MODELS.build(cfg) for name, cfg in (losses or {}).items()})
        self.apply_own_start()

    def apply_own_start(self) -> None:
        if self.base is None:
            return
        for stack in self.scales:  # the baseline, not noise on top of it
            nn.init.zeros_(stack[-1].conv.weight)
            nn.init.zeros_(stack[-1].conv.bias)

    def _check(self, in_channels, num_outputs, widths, kernels, dilations, base, out_act):
        counts = {len(widths), len(kernels), len(widths if dilations is None else dilations)}
        if len(counts) != 1 or counts == {0}:
            raise ValueError(
                'MultiScalePredictor: widths, kernels and dilations must list the same '
                f'number (>= 1) of scales, got {len(widths)}, {len(kernels)}'
                + ('' if dilations is None else f', {len(dilations)}')
            )
        if base not in _BASES:
            raise ValueError(f'MultiScalePredictor: base must be one of {_BASES}, got {base!r}')
        if out_act not in (None, 'tanh'):
            raise ValueError(f"MultiScalePredictor: out_act must be None or 'tanh', got {out_act!r}")
        if base is not None and (self.out_channels != in_channels or out_act is not None):
            raise ValueError(
                f'MultiScalePredictor: base={base!r} corrects an input map, so '
                'out_channels must equal in_channels and out_act be None'
            )

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        return [self._note(self.predict_scales(past), context)[-1]]

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        require_losses(self)
        predictions = self.predict_scales(past)
        truth = target[0].flatten(1, 2)
        losses = {}
        for k, prediction in enumerate(predictions):
            pooled = self._pool(truth, len(predictions) - 1 - k)
            pair = [self._as_maps(maps).flatten(0, 1) for maps in (prediction, pooled)]
            for name, loss in self.losses.items():
                losses[f'loss_{name}_s{len(predictions) - 1 - k}'] = loss(*pair)
        return losses, [self._note(predictions, context)[-1]]

    def predict_scales(self, past: Pyramid) -> list[Tensor]:
        """The guess of every scale, coarsest first: (B, num_outputs * C, h / 2^k, w / 2^k)."""
        (maps,) = past
        check_window(self, maps, self.in_channels, multiple=2 ** (len(self.scales) - 1))
        given = maps.flatten(1, 2)
        base = None if self.base is None else maps[:, -1].repeat(1, self.num_outputs, 1, 1)
        delta, guesses = None, []
        for k, stack in enumerate(self.scales):
            halvings = len(self.scales) - 1 - k
            inputs = self._pool(given, halvings)
            if delta is None:
                delta = stack(inputs)
            else:
                coarse = F.interpolate(guesses[-1], scale_factor=2, mode='nearest')
                step = stack(torch.cat((inputs, coarse), dim=1))
                delta = step + (
                    coarse if base is None else F.interpolate(delta, scale_factor=2, mode='nearest')
                )
            guess = delta if base is None else self._pool(base, halvings) + delta
            guesses.append(guess.tanh() if self.out_act == 'tanh' else guess)
        return guesses

    def _note(self, predictions: list[Tensor], context: ForecastContext) -> list[Tensor]:
        context.guesses = [self._as_maps(maps) for maps in predictions]
        return context.guesses

    def _as_maps(self, flat: Tensor) -> Tensor:
        return flat.unflatten(1, (self.num_outputs, self.out_channels))

    @staticmethod
    def _pool(maps: Tensor, halvings: int) -> Tensor:
        return F.avg_pool2d(maps, 2**halvings) if halvings else maps
