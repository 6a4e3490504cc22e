"""A forecast of motion with a learned correction of what is moved."""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import constant_init
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_positive

from .context import ForecastContext
from .conv_stack import conv_stack
from .on_motion import OnMotion


@MODELS.register_module()
class CorrectedMotion(OnMotion):
    """Moves the maps by another predictor, and adds what a small network sees missing in each level.

    A design of ours, not a paper's. Motion explains where things go, but not that they look different from
    nearer by, nor what comes into view. Per level, ``prediction = moved + up(R(moved, newest))`` with ``R`` at
    1/stride of the level's size, where ``newest`` is the last map of the window: in a roll-out, the prediction
    before. ``R`` starts at zero, so the untrained network is the predictor of motion. ``zero_at_rest`` takes
    ``R(moved, newest) - R(moved, moved)``, which is no correction where nothing moved.

    Args:
        channels, num_levels, num_past: See ``BasePredictor``.
        motion: Config of the predictor that moves the maps, e.g. ``dict(type='EgoMotion')``.
        widths: Hidden channels of each level's network, whose convolutions are 3x3.
        dilations: One per convolution, one more than widths.
        stride: ``R`` sees maps averaged over cells of stride x stride pixels; its output is interpolated.
        zero_at_rest: Leave what didn't move as it is, see above. ``R`` runs twice.
        class_scores: Whether the maps hold scores of classes, for a ``motion`` that asks; see ``EgoMotion``.
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
        stride: int = 1,
        zero_at_rest: bool = False,
        class_scores: bool | None = None,
        frozen: bool = True,
        **kwargs,
    ):
        super().__init__(num_past, channels, num_levels, **kwargs)
        check_positive('CorrectedMotion', stride=stride)
        self.stride = stride
        self.zero_at_rest = zero_at_rest
        self.class_scores = class_scores
        self.build_motion(motion, class_scores, frozen)
        kernels = [3] * (len(widths) + 1)
        self.corrections = nn.ModuleList(
            conv_stack(2 * channels, widths, kernels, channels, dilations) for _ in range(num_levels)
        )
        self.apply_own_start()

    def apply_own_start(self) -> None:
        for net in self.corrections:
            constant_init(net[-1].conv, 0)

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        self.check_window(past)
        moved = self.motion(past, context)
        return [
            self._correct(net, maps[:, 0], level[:, -1])[:, None]
            for net, maps, level in zip(self.corrections, moved, past)
        ]

    def _correct(self, net: nn.Module, moved: Tensor, newest: Tensor) -> Tensor:
        moved_small, newest_small = self._reduce(moved), self._reduce(newest)
        change = net(torch.cat((moved_small, newest_small), dim=1))
        if self.zero_at_rest:
            change = change - net(torch.cat((moved_small, moved_small), dim=1))
        if self.stride > 1:
            change = F.interpolate(change, moved.shape[-2:], mode='bilinear', align_corners=False)
        return moved + change

    def _reduce(self, maps: Tensor) -> Tensor:
        if self.stride == 1:
            return maps
        return F.avg_pool2d(maps, self.stride, ceil_mode=True, count_include_pad=False)
