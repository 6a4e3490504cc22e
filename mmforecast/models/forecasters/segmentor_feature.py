"""Forecasting semantic segmentation in the space of a segmentor's features (DeformF2F, F2MF)."""

from mmforecast.models.encoders import SegmentorFeatureEncoder
from mmforecast.registry import MODELS

from .base import BaseForecaster


@MODELS.register_module()
class SegmentorFeatureForecaster(BaseForecaster):
    """Forecasts the coarsest map of a segmentor, whose other half reads label maps off the future.

    Args:
        encoder: A ``SegmentorFeatureEncoder``; it holds the segmentor.
        predictor: e.g. ``F2MFPredictor``.
        decoder: ``SegmentorFeatureDecoder`` by default.
        kwargs: See ``BaseForecaster``.
    """

    def __init__(self, encoder: dict, predictor: dict, decoder: dict | None = None, **kwargs):
        decoder = decoder or dict(type='SegmentorFeatureDecoder')
        super().__init__(encoder, predictor, decoder, **kwargs)
        if not isinstance(self.encoder, SegmentorFeatureEncoder):
            raise ValueError(
                'SegmentorFeatureForecaster reads label maps with the segmentor of its encoder, so this must '
                f'be a SegmentorFeatureEncoder, not {type(self.encoder).__name__}'
            )
