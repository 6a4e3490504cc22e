"""The copy-last baseline: the newest representation, repeated."""

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS

from .base import BasePredictor
from .context import ForecastContext


@MODELS.register_module()
class CopyLast(BasePredictor):
    """Repeats the newest representation."""

    def forward(self, past: Pyramid, context: ForecastContext) -> Pyramid:
        return [level[:, -1:] for level in past]
