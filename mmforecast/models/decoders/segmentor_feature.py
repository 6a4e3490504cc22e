"""Label maps from a segmentor's forecast features."""

import torch
from torch import Tensor

from mmforecast.models.encoders import SegmentorFeatureEncoder
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .sem_seg import SemSegDecoder


@MODELS.register_module()
class SegmentorFeatureDecoder(SemSegDecoder):
    """Reads forecast features with the rest of the segmentor that they come from, a frame at a time.

    Args:
        keep_scores, label_values: See ``SemSegDecoder``.
    """

    @torch.no_grad()
    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``{target}_sem_seg`` into each sample.

        Args:
            future: One level (B, n, C, h, w).
            samples, target: See ``BaseDecoder``.
            context: Has the encoder, which has the segmentor.
        """
        encoder = None if context is None else context.encoder
        if not isinstance(encoder, SegmentorFeatureEncoder):
            raise ValueError(
                'SegmentorFeatureDecoder reads features with the rest of a segmentor, but the encoder has '
                'none; set encoder to SegmentorFeatureEncoder'
            )
        (maps,) = future
        scores = [
            torch.cat([self._scores(encoder, frame[None], sample) for frame in clip])
            for clip, sample in zip(maps, samples)
        ]
        return super().decode([torch.stack(scores)], samples, context, target)

    @staticmethod
    def _scores(encoder: SegmentorFeatureEncoder, maps: Tensor, sample: ForecastDataSample) -> Tensor:
        return encoder.scores(maps, sample.img_shape)
