"""The context of a roll-out: everything but the window that predictors and decoders may look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.structures import ForecastDataSample

if TYPE_CHECKING:
    from mmforecast.models.encoders import BaseEncoder


@dataclass
class ForecastContext:
    """The context of one roll-out on a batch of clips.

    Attributes:
        frames: (B, num_past, 3, H, W) observed RGB frames in [0, 255].
        samples: The samples of the clips (metainfo).
        encoder: The encoder of the representation, for decoders that need a part of it, such as the heads of
            a detector.
        future: Representations of the true future; only the oracle may read them.
        future_frames: (B, n, 3, H, W) true future frames where the clip has them; only losses may read
            them.
        objects: (B, num_past, 3, h, w), what the encoder saw of single objects in the past frames, where it
            tells (see ``pack_objects``); never of the future. For decoders.
        step: Index of the first future step that the next call predicts, 0-based.
        guesses: (B, num_outputs, C, h_k, w_k) by scale, coarsest first and the prediction last: what the
            newest call predicted, where the predictor works at several scales. A discriminator judges them.
        state: Lives for one roll-out; a predictor keeps here what it carries from step to step.
    """

    frames: Tensor
    samples: list[ForecastDataSample]
    encoder: BaseEncoder | None = None
    future: Pyramid | None = None
    future_frames: Tensor | None = None
    objects: Tensor | None = None
    step: int = 0
    guesses: list[Tensor] | None = None
    state: dict[str, Any] = field(default_factory=dict)
