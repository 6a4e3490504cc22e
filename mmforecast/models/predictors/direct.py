"""Forecasts that go to a later step directly, without the steps on the way."""

import torch
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.utils.checks import check_positive

from .base import BasePredictor
from .context import ForecastContext


class DirectPredictor(BasePredictor):
    """Forecasts one step: the next, or the one that is ``lead`` steps ahead.

    With ``lead=1`` it is rolled out as any predictor. With more, one call gives ``lead`` steps, of which only
    the last is forecast: it is trained and scored on that one, and can't be rolled out further. Its clips are
    those of a roll-out of as many steps, so both stand in one table.

    A subclass implements :meth:`forecast`.

    Args:
        lead: Steps from the newest map to the one that is forecast.
        kwargs: See ``BasePredictor``.
    """

    def __init__(self, lead: int = 1, **kwargs):
        super().__init__(**kwargs)
        check_positive(type(self).__name__, lead=lead)
        self.num_outputs = lead
        self.num_skipped = lead - 1

    def forecast(self, past: Pyramid) -> list[Tensor]:
        """(B, num_past, C, h, w) per level, oldest first, to the map (B, C, h, w) of the step ``lead``."""
        raise NotImplementedError(f'{type(self).__name__} must implement forecast()')

    def forward(self, past: Pyramid, context: ForecastContext | None = None) -> Pyramid:
        self.check_window(past)
        return self.as_steps(self.forecast(past))

    def loss_and_predict(
        self, past: Pyramid, target: Pyramid, context: ForecastContext
    ) -> tuple[dict[str, Tensor], Pyramid]:
        self.require_losses()
        self.check_window(past)
        newest = self.forecast(past)
        return self.losses_of(newest, target), self.as_steps(newest)

    def losses_of(self, newest: list[Tensor], target: Pyramid) -> dict[str, Tensor]:
        """``losses`` of maps (B, C, h, w) by level, against the last step of ``target``."""
        truths = [[maps[:, -1:]] for maps in target]
        return self.compute_losses([[maps[:, None]] for maps in newest], truths)

    def as_steps(self, newest: list[Tensor]) -> Pyramid:
        """(B, C, h, w) by level as steps (B, lead, C, h, w): those that are not forecast are NaN."""
        out = []
        for maps in newest:
            batch, *shape = maps.shape
            skipped = maps.new_full((batch, self.num_skipped, *shape), float('nan'))
            out.append(torch.cat((skipped, maps[:, None]), dim=1))
        return out
