"""The upper bound of every forecaster: the representation of the true future."""

from mmforecast.models.utils import Pyramid, num_steps, time_slice
from mmforecast.registry import MODELS

from .base import BasePredictor
from .context import ForecastContext


@MODELS.register_module()
class Oracle(BasePredictor):
    """Returns what the encoder makes of the true future frames."""

    reads_future = True

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        step = context.step
        if context.future is None or num_steps(context.future) <= step:
            have = 0 if context.future is None else num_steps(context.future)
            raise ValueError(
                f'Oracle: step {step + 1} of the forecast was asked for, but the clip '
                f'carries {have} future frames; raise num_future of the dataset'
            )
        return time_slice(context.future, step, step + 1)
