"""Panoptic forecasts from two forecasters: one of instances, one of semantics."""

from torch import Tensor

from mmforecast.models.encoders.paired import PARTS, PairedEncoder
from mmforecast.models.predictors import BasePredictor, ForecastContext, PairedPredictor
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS

from .base import BaseForecaster, Samples
from .shapes import check_shapes, complete_config, rename


def _moved(instances: str, semantics: str) -> dict:
    """The changes of a baseline that moves the newest instances, and the newest label map, on."""
    moved = dict(type='FlowInstanceDecoder', mode=instances, fill_boxes=True)
    return dict(
        predictor=dict(
            type='PairedPredictor', instances=dict(type='CopyLast'), semantics=dict(type=semantics)
        ),
        decoder=dict(type='PairedDecoder', instances=moved),
    )


@MODELS.register_module()
class PanopticForecaster(BaseForecaster):
    """Forecasts instances and semantics side by side, and merges them.

    A new part may take the place of either: a predictor of F2F's beside one of S2S's, for one.

    Args:
        encoder: A ``PairedEncoder``.
        predictor: A ``PairedPredictor``, or one that works on any representation, such as ``CopyLast``.
        decoder: ``PairedDecoder`` by default.
        panoptic: ``PanopticDecoder`` by default.
        kwargs: See ``BaseForecaster``.
    """

    baselines = {
        # The decoder of a config may move what it reads; these read alone.
        'copy-last': dict(predictor=dict(type='CopyLast'), decoder=dict(type='PairedDecoder')),
        'flow': _moved('warp', 'FlowWarp'),
        'ego-motion': _moved('ego-motion', 'EgoMotion'),
        'oracle': dict(predictor=dict(type='Oracle'), decoder=dict(type='PairedDecoder')),
    }

    def __init__(
        self,
        encoder: dict,
        predictor: dict,
        decoder: dict | None = None,
        panoptic: dict | None = None,
        **kwargs,
    ):
        decoder = decoder or dict(type='PairedDecoder')
        panoptic = panoptic or dict(type='PanopticDecoder')
        super().__init__(encoder, predictor, decoder, panoptic=panoptic, **kwargs)

    def predictor_shapes(self) -> dict[str, int]:
        if not isinstance(self.encoder, PairedEncoder):
            raise ValueError(
                'PanopticForecaster forecasts the two representations of a PairedEncoder, so this must be its '
                f'encoder, not {type(self.encoder).__name__}'
            )
        return dict(num_past=self.num_past, num_levels=self.encoder.num_levels)

    def observe_training(self, inputs: Tensor, samples: Samples) -> tuple[Pyramid, Pyramid, ForecastContext]:
        """As of any forecaster; a part of the encoder whose predictor learns nothing is not run."""
        if not isinstance(self.predictor, PairedPredictor):
            return super().observe_training(inputs, samples)
        with self.encoder.only(self.predictor.learning):
            return super().observe_training(inputs, samples)

    def build_predictor(self, config: dict, shapes: dict[str, int]) -> BasePredictor:
        parts = [part for part in PARTS if isinstance(config.get(part), dict)]
        completed = {part: complete_config(rename(config[part]), self._shapes_of(part)) for part in parts}
        predictor = super().build_predictor({**config, **completed}, shapes)
        if isinstance(predictor, PairedPredictor):
            for part in PARTS:
                check_shapes(getattr(predictor, part), self._shapes_of(part), f'PanopticForecaster: {part}')
        return predictor

    def _shapes_of(self, part: str) -> dict[str, int]:
        """What the predictor of a part is built with; that of semantics gets what S2S gives its own."""
        encoder = getattr(self.encoder, part)
        shapes = dict(num_past=self.num_past, channels=encoder.channels, num_levels=encoder.num_levels)
        if part == 'semantics':
            shapes.update(out_channels=encoder.channels, class_scores=True)
        return shapes
