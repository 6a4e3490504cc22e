"""D2D: forecasting semantics, instances and their tracks together, in the space of distance maps.

Couprie, Luc, Verbeek, "Joint future semantic and instance segmentation prediction", ECCV Workshops 2018.
"""

from torch import Tensor

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseForecaster


@MODELS.register_module()
class D2DForecaster(BaseForecaster):
    """Forecasts distance maps; label maps are their argmax, instances grow in them from tracked objects.

    The encoder's second level, the objects of every frame, isn't forecast. That of the past frames is handed
    to the decoder as ``context.objects``; that of the future goes no further than here.

    Args:
        encoder: A ``DistanceMapEncoder``.
        predictor: e.g. ``D2DPredictor``, or ``WarpCorrectPredictor``.
        decoder: ``DistanceMapDecoder`` by default.
        kwargs: See ``BaseForecaster``.
    """

    baselines = {
        'copy-last': dict(
            predictor=dict(type='CopyLast'), decoder=dict(type='FlowObjectDecoder', mode='copy')
        ),
        'flow': dict(predictor=dict(type='FlowWarp')),
        'ego-motion': dict(predictor=dict(type='EgoMotion')),
        'ego-objects': dict(
            predictor=dict(type='CopyLast'), decoder=dict(type='FlowObjectDecoder', mode='ego-motion')
        ),
        'flow-shift': dict(
            predictor=dict(type='CopyLast'), decoder=dict(type='FlowObjectDecoder', mode='shift')
        ),
        'flow-warp': dict(
            predictor=dict(type='CopyLast'), decoder=dict(type='FlowObjectDecoder', mode='warp')
        ),
        'oracle': dict(predictor=dict(type='Oracle')),
    }

    def __init__(self, encoder: dict, predictor: dict, decoder: dict | None = None, **kwargs):
        super().__init__(encoder, predictor, decoder or dict(type='DistanceMapDecoder'), **kwargs)

    def predictor_shapes(self) -> dict[str, int]:
        return {**super().predictor_shapes(), 'num_levels': 1}

    def split(
        self, representation: Pyramid, frames: Tensor, samples: list[ForecastDataSample]
    ) -> tuple[Pyramid, ForecastContext]:
        maps, *objects = representation
        past, context = super().split([maps], frames, samples)
        if objects:
            context.objects = objects[0][:, : self.num_past]
        return past, context
