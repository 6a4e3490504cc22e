"""The multi-scale convolutional predictor of S2S, coarse to fine.

Luc, Neverova, Couprie, Verbeek, LeCun, "Predicting deeper into the future of semantic segmentation",
ICCV 2017, after the pyramid of Mathieu, Couprie, LeCun, ICLR 2016. Every scale sees the average-pooled
window and the coarser guess, and adds its correction to that guess.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import constant_init
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_above, check_choice

from .base import BasePredictor
from .context import ForecastContext
from .conv_stack import conv_stack
from .copy_start import check_copy_start, newest_map, start_as_linear_map


@MODELS.register_module()
class MultiScalePredictor(BasePredictor):
    """Predicts ``num_outputs`` maps from ``num_past`` maps, on one level, over K scales.

    With ``X_k`` the window average-pooled to scale k (K-1 coarsest, 0 the full resolution), ``U`` the
    nearest-neighbor x2 upsampling and ``B_k`` the pooled base,
    ``D_k = U(D_{k+1}) + conv_k(X_k, U(P_{k+1}))`` and ``P_k = act(B_k + D_k)``. Without a base this is
    the paper's network: ``P_k = act(U(P_{k+1}) + conv_k(...))`` with no ``act`` for scores.

    Args:
        channels, num_past: See ``BasePredictor``.
        out_channels: Channels of one output map; by default those of the input.
        num_outputs: Maps out; more than one is the paper's batch model.
        widths: Hidden channels per scale, coarsest first.
        kernels: Kernel sizes per scale, coarsest first, one more than hidden layers.
        dilations: Dilations per scale, coarsest first; all 1 by default.
        base: What the network corrects: None (paper: it predicts the maps from nothing) or 'last', the
            newest input. The latter is a variant of ours; it starts as the copy-last baseline, with its
            last convolutions at zero.
        out_act: None, or 'tanh' for RGB outputs in [-1, 1] (only without a base).
        init: None draws the weights. 'copy' sets some so that the untrained network returns the newest map at
            every scale: the paper's network, started as the copy-last baseline. The map's C channels go
            through 2C channels of every hidden layer, their positive and negative parts; the others keep their
            drawn weights and count for nothing until the last layer learns to use them. Only where the output
            has the channels of the input, without ``base`` and ``out_act``.
        init_bound: Largest absolute value of the maps. With it, 'copy' takes C hidden channels, shifted to
            where ReLU is the identity, which leaves more of a narrow network; maps below ``-init_bound`` are
            cut off there.
        score_temperature: For maps that are scores of classes: the window is read as
            ``2 softmax(maps / score_temperature) - 1``, in [-1, 1] as label maps are. Scores that are fed back
            then look like those of the past, however large a cross-entropy has made them. None (paper)
            reads them as they are.
        kwargs: See ``BasePredictor``. The losses are those of every scale; the target of a coarse one is the
            average-pooled target.
    """

    num_levels = 1

    def __init__(
        self,
        channels: int,
        out_channels: int | None = None,
        num_past: int = 4,
        num_outputs: int = 1,
        widths: Sequence[Sequence[int]] = ((128, 256, 128), (128, 256, 128)),
        kernels: Sequence[Sequence[int]] = ((3, 3, 3, 3), (5, 3, 3, 5)),
        dilations: Sequence[Sequence[int]] | None = None,
        base: str | None = None,
        out_act: str | None = None,
        init: str | None = None,
        init_bound: float | None = None,
        score_temperature: float | None = None,
        **kwargs,
    ):
        super().__init__(num_past, channels, **kwargs)
        self.out_channels = channels if out_channels is None else out_channels
        self._check(widths, kernels, dilations, base, out_act)
        self._check_init(init, init_bound, base, out_act)
        if score_temperature is not None:
            check_above('MultiScalePredictor', 0, score_temperature=score_temperature)
        self.score_temperature = score_temperature
        self.num_outputs = num_outputs
        self.base = base
        self.out_act = out_act
        self.init = init
        self.init_bound = init_bound
        flat_out = self.out_channels * num_outputs
        given = channels * num_past
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
        self.apply_own_start()

    def apply_own_start(self) -> None:
        if self.init == 'copy':
            self._start_as_copy()
        if self.base is None:
            return
        for stack in self.scales:  # the baseline, not noise on top of it
            constant_init(stack[-1].conv, 0)

    def _start_as_copy(self) -> None:
        flat_out, bound = self.out_channels * self.num_outputs, self.init_bound
        for k, stack in enumerate(self.scales):
            coarser = 0 if k == 0 else flat_out
            matrix = newest_map(self.num_past, self.channels, coarser, self.num_outputs)
            # a finer scale carries the difference of two maps
            limit = bound if bound is None or k == 0 else 2 * bound
            start_as_linear_map('MultiScalePredictor', stack, matrix, self.num_outputs, limit)

    def _check_init(
        self, init: str | None, init_bound: float | None, base: str | None, out_act: str | None
    ) -> None:
        check_copy_start('MultiScalePredictor', init, init_bound)
        if init == 'copy' and (base is not None or out_act is not None or self.out_channels != self.channels):
            raise ValueError(
                "MultiScalePredictor: init='copy' returns an input map, so out_channels must equal channels, "
                f'and base and out_act be None (with base={base!r} the network starts as copy-last anyway), '
                f'got channels={self.channels}, out_channels={self.out_channels}, out_act={out_act!r}'
            )

    def _check(
        self,
        widths: Sequence,
        kernels: Sequence,
        dilations: Sequence | None,
        base: str | None,
        out_act: str | None,
    ) -> None:
        counts = {len(widths), len(kernels), len(widths if dilations is None else dilations)}
        if len(counts) != 1 or counts == {0}:
            raise ValueError(
                'MultiScalePredictor: widths, kernels and dilations must list the same '
                f'number (>= 1) of scales, got {len(widths)}, {len(kernels)}'
                + ('' if dilations is None else f', {len(dilations)}')
            )
        check_choice('MultiScalePredictor', (None, 'last'), base=base)
        check_choice('MultiScalePredictor', (None, 'tanh'), out_act=out_act)
        if base is not None and (self.out_channels != self.channels or out_act is not None):
            raise ValueError(
                f'MultiScalePredictor: base={base!r} corrects an input map, so '
                'out_channels must equal channels and out_act be None'
            )

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        return self._predict(past, context)[:1]

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        self.require_losses()
        guesses = self._predict(past, context)
        truth = target[0].flatten(1, 2)
        truths = [self._split_steps(self._pool(truth, scale)) for scale in range(len(guesses))]
        return self.compute_losses([guesses], [truths]), guesses[:1]

    def _predict(self, past: Pyramid, context: ForecastContext) -> list[Tensor]:
        """(B, num_outputs, C, h_k, w_k) of every scale, finest first; ``context.guesses`` has them too."""
        context.guesses = [self._split_steps(maps) for maps in self.predict_scales(past)]
        return context.guesses[::-1]

    def predict_scales(self, past: Pyramid) -> list[Tensor]:
        """The guess of every scale, coarsest first: (B, num_outputs * C, h / 2^k, w / 2^k)."""
        self.check_window(past, multiple=2 ** (len(self.scales) - 1))
        (maps,) = past
        if self.score_temperature is not None:
            maps = 2 * (maps / self.score_temperature).softmax(dim=2) - 1
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

    def _split_steps(self, flat: Tensor) -> Tensor:
        """(B, num_outputs * C, h, w) to (B, num_outputs, C, h, w)."""
        return flat.unflatten(1, (self.num_outputs, self.out_channels))

    @staticmethod
    def _pool(maps: Tensor, halvings: int) -> Tensor:
        return F.avg_pool2d(maps, 2**halvings) if halvings else maps
