"""A forecast of motion with a learned correction of what is moved."""

from collections.abc import Sequence

import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.models.utils import KeepFrozen, Pyramid, freeze
from mmforecast.registry import MODELS

from .base import BasePredictor
from .context import ForecastContext
from .conv_stack import conv_stack


@MODELS.register_module()
class CorrectedMotion(KeepFrozen, BasePredictor):
    """Moves the maps by another predictor, and adds what a small network sees missing in each level.

    A design of ours, not a paper's. Motion explains where things go, but not that they look different from
    nearer by, nor what comes into view. Per level, ``prediction = moved + R(moved, newest)``, where ``newest``
    is the last map of the window: in a roll-out, the prediction before. ``R`` starts at zero, so the untrained
    network is the predictor of motion.

    Args:
        channels, num_levels, num_past: See ``BasePredictor``.
        motion: Config of the predictor that moves the maps, e.g. ``dict(type='EgoMotion')``.
        widths: Hidden channels of each level's network, whose convolutions are 3x3.
        dilations: One per convolution, one more than widths.
        frozen: ``motion`` keeps its weights, if it has any.
        kwargs: See ``BasePredictor``.

    Raises:
        ValueError: ``motion`` forecasts several steps per call.
    """

    def __init__(
        self,
        channels: int,
        motion: dict,
        num_levels: int = 1,
        num_past: int = 4,
        widths: Sequence[int] = (64, 64),
        dilations: Sequence[int] = (1, 2, 1),
        frozen: bool = True,
        **kwargs,
    ):
        super().__init__(num_past, channels, num_levels, **kwargs)
        self.motion: BasePredictor = MODELS.build(motion)
        if self.motion.num_outputs != 1:
            raise ValueError(
                f'CorrectedMotion corrects step by step, but {type(self.motion).__name__} forecasts '
                f'{self.motion.num_outputs} steps per call'
            )
        self.reads_frames = self.motion.reads_frames
        self.reads_future = self.motion.reads_future
        if frozen:
            self.frozen_children = ('motion',)
            freeze(self.motion)
        kernels = [3] * (len(widths) + 1)
        self.corrections = nn.ModuleList(
            conv_stack(2 * channels, widths, kernels, channels, dilations) for _ in range(num_levels)
        )
        self.apply_own_start()

    def apply_own_start(self) -> None:
        for net in self.corrections:
            nn.init.zeros_(net[-1].conv.weight)
            nn.init.zeros_(net[-1].conv.bias)

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        self.check_window(past)
        moved = self.motion(past, context)
        return [
            self._correct(net, maps[:, 0], level[:, -1])[:, None]
            for net, maps, level in zip(self.corrections, moved, past)
        ]

    @staticmethod
    def _correct(net: nn.Module, moved: Tensor, newest: Tensor) -> Tensor:
        return moved + net(torch.cat((moved, newest), dim=1))
