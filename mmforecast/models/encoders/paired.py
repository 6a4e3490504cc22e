"""Two representations of a frame side by side: one to read instances from, one to read label maps from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseEncoder

if TYPE_CHECKING:
    from mmforecast.models.predictors import ForecastContext

PARTS = ('instances', 'semantics')


@MODELS.register_module()
class PairedEncoder(BaseEncoder):
    """The levels of two encoders, one after the other.

    Args:
        instances: Config of an encoder that instances are read from: ``DetectorEncoder`` or
            ``InstanceMapEncoder``.
        semantics: Config of an encoder whose representation is scores of classes: ``SegmentorEncoder``,
            ``LabelMapEncoder`` or ``PrecomputedEncoder``.

    Raises:
        ValueError: An encoder doesn't tell its number of levels.
    """

    def __init__(self, instances: dict, semantics: dict):
        super().__init__()
        self._idle: list[str] = []
        self.instances: BaseEncoder = MODELS.build(instances)
        self.semantics: BaseEncoder = MODELS.build(semantics)
        for part in PARTS:
            encoder = getattr(self, part)
            if encoder.num_levels is None:
                raise ValueError(
                    f'PairedEncoder: {part}={type(encoder).__name__} does not tell its number of levels; give '
                    'it num_levels or level_names'
                )

    @property
    def num_levels(self) -> int:
        return self.instances.num_levels + self.semantics.num_levels

    @property
    def from_rgb(self) -> bool:
        return self.instances.from_rgb and self.semantics.from_rgb

    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        levels = []
        for part in PARTS:
            encoder = getattr(self, part)
            if part in self._idle:
                levels += [frames.new_zeros((*frames.shape[:2], 1, 1, 1))] * encoder.num_levels
            else:
                levels += encoder.encode(frames, samples)
        return levels

    @contextmanager
    def only(self, parts: Collection[str]) -> Iterator[None]:
        """Inside, the levels of all other parts are zeros of one pixel and one channel, which cost nothing."""
        before, self._idle = self._idle, [part for part in PARTS if part not in parts]
        try:
            yield
        finally:
            self._idle = before

    def split(self, pyramid: Pyramid) -> dict[str, Pyramid]:
        """The levels of each part, by its name in ``PARTS``."""
        first = self.instances.num_levels
        return dict(instances=pyramid[:first], semantics=pyramid[first:])

    def context_of(self, part: str, context: ForecastContext) -> ForecastContext:
        """What a predictor or decoder of one part sees: its encoder, its future, and a state of its own."""
        return replace(
            context,
            encoder=getattr(self, part),
            future=None if context.future is None else self.split(context.future)[part],
            state=context.state.setdefault(part, {}),
        )


def paired_encoder(context: ForecastContext | None, user: str) -> PairedEncoder:
    """The encoder of two parts; a ValueError where the context has none."""
    encoder = None if context is None else context.encoder
    if not isinstance(encoder, PairedEncoder):
        raise ValueError(
            f'{user} works on the two representations of a PairedEncoder, but the encoder is '
            f'{type(encoder).__name__}; set encoder to PairedEncoder'
        )
    return encoder
