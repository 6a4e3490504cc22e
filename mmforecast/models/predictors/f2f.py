"""F2F: the feature pyramid of a future frame from the pyramids of past frames.

Luc, Couprie, LeCun, Verbeek, "Predicting future instance segmentation by forecasting convolutional
features", ECCV 2018. One network per pyramid level, each forecasting its own level in its own feature
space, independently of the others.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule, constant_init
from mmengine.runner import CheckpointLoader
from torch import Tensor
from torch.utils.checkpoint import checkpoint

import mmforecast.fileio  # noqa: F401  (makes mmengine read checkpoints safely)
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_choice

from .base import BasePredictor
from .context import ForecastContext
from .conv_stack import conv_stack
from .copy_start import check_copy_start, newest_map, start_as_linear_map

_KERNELS = (1, 3, 3, 3, 3, 3, 7)
_DILATIONS = (1, 2, 2, 4, 4, 2, 1)


def subsample(maps: Tensor) -> Tensor:
    """Every second row and column, without averaging: how P6 follows from P5, and coarser scales here."""
    return F.max_pool2d(maps, kernel_size=1, stride=2)


def upsample(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear with aligned corners, to the size of the next finer scale."""
    return F.interpolate(maps, size=size, mode='bilinear', align_corners=True)


class F2FLevel(BaseModule):
    """The network of one level: a dilated stack on the coarsest scale, residual refiners on finer ones.

    Each scale is 1x1, five dilated 3x3 and 7x7 convolutions that keep the resolution. A refiner also sees
    the upsampled prediction of the coarser scale, and adds to it.

    Args:
        channels: C of the level.
        num_past: T maps in.
        size_factor: The paper's model size; hidden widths are 64 and 32 times it.
        num_scales: scales, each at half the resolution of the one before (by subsampling).
        init, init_bound, base: See ``F2FPredictor``.
    """

    def __init__(
        self,
        channels: int,
        num_past: int,
        size_factor: int,
        num_scales: int,
        init: str | None = None,
        init_bound: float | None = None,
        base: str | None = None,
    ):
        super().__init__()
        self.channels, self.num_past = channels, num_past
        self.base = base
        self.init, self.init_bound = init, init_bound
        wide, narrow = 64 * size_factor, 32 * size_factor
        widths = (wide, wide, wide, narrow, narrow, narrow)
        seen = [channels * (num_past + 1)] * (num_scales - 1) + [channels * num_past]
        self.scales = nn.ModuleList(
            conv_stack(given, widths, _KERNELS, channels, _DILATIONS) for given in seen
        )
        self.init_weights()

    def init_weights(self) -> None:
        """He's normal initialization by fan-in (the authors'); biases as PyTorch draws them.

        Then ``init`` or ``base``, where it is set.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_in', nonlinearity='relu')
                bound = 1 / math.sqrt(module.weight[0].numel())
                nn.init.uniform_(module.bias, -bound, bound)
        self.start_as_copy()
        self._is_init = True

    def start_as_copy(self) -> None:
        """Set weights so that the newest map is returned at every scale, where ``init`` or ``base`` is set."""
        if self.base is not None:
            for stack in self.scales:
                constant_init(stack[-1].conv, 0)
        if self.init is None:
            return
        for scale, stack in enumerate(self.scales):
            refines = scale < len(self.scales) - 1
            matrix = newest_map(self.num_past, self.channels, self.channels if refines else 0)
            # a refiner carries the difference of two maps
            limit = 2 * self.init_bound if self.init_bound and refines else self.init_bound
            start_as_linear_map('F2FPredictor', stack, matrix, bound=limit)

    def forward(self, maps: Tensor) -> tuple[Tensor, ...]:
        """(B, T * C, h, w), oldest first, to (B, C, h_s, w_s) of every scale, finest first."""
        given = [maps]
        for _ in self.scales[1:]:
            given.append(subsample(given[-1]))
        out = [self.scales[-1](given[-1])]
        for net, seen in zip(self.scales[-2::-1], given[-2::-1]):
            coarse = upsample(out[0], seen.shape[-2:])
            out.insert(0, coarse + net(torch.cat((seen, coarse), dim=1)))
        if self.base is not None:
            out = [change + seen[:, -self.channels :] for change, seen in zip(out, given)]
        return tuple(out)


@MODELS.register_module()
class F2FPredictor(BasePredictor):
    """Forecasts a feature pyramid, each level by a network of its own.

    With the defaults it is the paper's whole: 65,158,144 parameters, 10,816,000 per single-scale level. Inside
    a detector, as its neck, it is an ``F2FNeck``.

    Args:
        channels, num_levels, num_past: See ``BasePredictor``.
        size_factor: The paper's model size ``ms``; hidden widths are 64 and 32 times it.
        num_scales: Scales per level, finest level first; by default three on the finest and one on the others.
        share_weights: One network for all levels; they must then have the same number of scales.
        coarsest_from: Checkpoint of a forecaster with one single-scale level (F2F5), whose network
            starts the coarsest scale of every level here.
        with_cp: Gradient checkpointing: activations inside the networks are computed again in the
            backward pass. Same gradients, less memory; for long roll-outs.
        init, init_bound: As for ``MultiScalePredictor``; with 'copy' the untrained network of every level
            returns the newest map. The narrow half of a network must have C channels with a bound and 2C
            without: with the paper's C = 256 and ``size_factor=8``, all 256 are taken with a bound, so the
            network starts as a linear one.
        base: What the networks correct: None (paper: they predict the maps from nothing) or 'last', the newest
            map. The latter is a variant of ours; the last convolutions start at zero, so that the untrained
            network is the copy-last baseline. Only without ``init`` and ``coarsest_from``.
        kwargs: See ``BasePredictor``. The losses are those of every scale of every level.
    """

    def __init__(
        self,
        channels: int = 256,
        num_levels: int = 4,
        num_past: int = 4,
        size_factor: int = 8,
        num_scales: Sequence[int] | None = None,
        share_weights: bool = False,
        coarsest_from: str | None = None,
        with_cp: bool = False,
        init: str | None = None,
        init_bound: float | None = None,
        base: str | None = None,
        **kwargs,
    ):
        super().__init__(num_past, channels, num_levels, **kwargs)
        check_copy_start('F2FPredictor', init, init_bound)
        check_choice('F2FPredictor', (None, 'last'), base=base)
        if base is not None and (init is not None or coarsest_from is not None):
            raise ValueError(
                f'F2FPredictor: with base={base!r} the network starts as copy-last; drop init={init!r} and '
                f'coarsest_from={coarsest_from!r}'
            )
        scales = tuple(num_scales or (3, *[1] * (num_levels - 1)))
        if len(scales) != num_levels:
            raise ValueError(
                f'F2FPredictor: num_scales={scales} names {len(scales)} levels, but num_levels='
                f'{num_levels}; give one number of scales per level, finest first'
            )
        if share_weights and len(set(scales)) > 1:
            raise ValueError(
                f'F2FPredictor: share_weights=True needs the same number of scales on all levels, got '
                f'num_scales={scales}'
            )
        self.share_weights = share_weights
        self.with_cp = with_cp
        self.coarsest_from = coarsest_from
        self.nets = nn.ModuleList(
            F2FLevel(channels, num_past, size_factor, count, init, init_bound, base)
            for count in (scales[:1] if share_weights else scales)
        )

    def apply_own_start(self) -> None:
        for net in self.nets:
            net.start_as_copy()
        if self.coarsest_from is not None:
            self._start_coarsest(self.coarsest_from)

    def _start_coarsest(self, path: str) -> None:
        state = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        prefix = 'predictor.nets.0.scales.0.'
        state = state.get('state_dict', state)
        found = {k: v for k, v in state.items() if k.startswith('predictor.nets.') and '.scales.' in k}
        weights = {k.removeprefix(prefix): v for k, v in found.items()}
        shapes = {name: value.shape for name, value in weights.items()}
        for net in self.nets:
            coarsest = net.scales[-1]
            if shapes != {name: value.shape for name, value in coarsest.state_dict().items()}:
                raise ValueError(
                    f'coarsest_from={path} is not a checkpoint of one F2F level with one scale and '
                    "this predictor's channels, num_past and size_factor; give that of such a level "
                    '(F2F5)'
                )
            coarsest.load_state_dict(weights)

    def forward(self, past: Pyramid, context: ForecastContext | None = None) -> Pyramid:
        return [scales[0][:, None] for scales in self._forecast(past)]

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        self.require_losses()
        predicted = self._forecast(past)
        targets = []
        for scales, maps in zip(predicted, target):
            truths = [maps[:, 0]]
            for _ in scales[1:]:
                truths.append(subsample(truths[-1]))
            targets.append([truth[:, None] for truth in truths])
        predicted = [[maps[:, None] for maps in scales] for scales in predicted]
        return self.compute_losses(predicted, targets), [scales[0] for scales in predicted]

    def _nets_by_level(self) -> list[F2FLevel]:
        return list(self.nets) * (self.num_levels if self.share_weights else 1)

    def _forecast(self, past: Pyramid) -> list[tuple[Tensor, ...]]:
        """Per level, the predictions at every scale, finest first."""
        self.check_window(past)
        out = []
        for net, maps in zip(self._nets_by_level(), past):
            maps = maps.flatten(1, 2)
            if self.with_cp and torch.is_grad_enabled():
                out.append(checkpoint(net, maps, use_reentrant=False))
            else:
                out.append(net(maps))
        return out
