"""S2S: forecasting semantic segmentation in the space of a segmentor's scores.

Luc, Neverova, Couprie, Verbeek, LeCun, "Predicting deeper into the future of semantic segmentation",
ICCV 2017. The family is named by what goes in and what comes out: X is RGB, S are scores.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.ego_motion import SMALL_REGION
from mmforecast.models.utils import Pyramid, rgb_to_unit, unit_to_rgb
from mmforecast.registry import MODELS
from mmforecast.utils.checks import check_above, check_choice

from .adversarial import AdversarialForecaster
from .base import Samples

VARIANTS = ('S2S', 'X2X', 'XS2S', 'XS2X', 'XS2XS')
_RGB = 3


@MODELS.register_module()
class S2SForecaster(AdversarialForecaster):
    """Semantic forecaster: S2S, X2X, XS2S, XS2X or XS2XS.

    The representation of a frame is one level of C score channels; the variants with X put the RGB
    frame in [-1, 1], averaged down to the size of the scores, in front of them. Label maps come from
    the argmax of the predicted scores, or, for X2X and XS2X, from the segmentor run on the predicted frame.

    Args:
        variant: One of 'S2S', 'X2X', 'XS2S', 'XS2X', 'XS2XS'. XS2S and XS2X can't be rolled out, since their
            output lacks a part of their input.
        encoder: Gives the scores; for X2X and XS2X it must work on any RGB frame (a ``SegmentorEncoder``).
        score_scale: Scores beside RGB are divided by it, and those that are forecast multiplied by it again. A
            segmentor's scores are some ten times as large as RGB in [-1, 1]; fed with them, a network whose
            RGB output ends in tanh saturates and learns nothing. Only for XS2S, XS2X and XS2XS.
        kwargs: See :class:`AdversarialForecaster`.
    """

    baselines = {
        'copy-last': dict(predictor=dict(type='CopyLast')),
        'flow': dict(predictor=dict(type='FlowWarp')),
        'ego-motion': dict(predictor=dict(type='EgoMotion')),
        'ego-regions': dict(predictor=dict(type='EgoMotion', region_share=SMALL_REGION)),
        'oracle': dict(predictor=dict(type='Oracle')),
    }

    def __init__(
        self,
        encoder: dict,
        predictor: dict,
        decoder: dict | None = None,
        variant: str = 'S2S',
        score_scale: float = 1.0,
        **kwargs,
    ):
        check_choice('S2SForecaster', VARIANTS, variant=variant)
        check_above('S2SForecaster', 0, score_scale=score_scale)
        self._parts = tuple(variant.split('2'))
        if score_scale != 1 and self._parts[0] != 'XS':
            raise ValueError(
                f'S2SForecaster: score_scale is for scores beside RGB, and {variant} has none; drop it'
            )
        self.score_scale = score_scale
        super().__init__(encoder, predictor, decoder or dict(type='SemSegDecoder'), **kwargs)
        self.variant = variant
        if self._parts[1] == 'X' and not self.encoder.from_rgb:
            raise ValueError(
                f'S2SForecaster: {variant} segments the frame it predicts, so its encoder must work on any '
                f'RGB frame (SegmentorEncoder), not {type(self.encoder).__name__}'
            )

    def predictor_shapes(self) -> dict[str, int]:
        shapes, (given, out) = super().predictor_shapes(), self._parts
        scores = shapes['channels']
        sizes = dict(S=scores, X=_RGB, XS=_RGB + scores)
        return {
            **shapes,
            'channels': sizes[given],
            'out_channels': sizes[out],
            'class_scores': given == out == 'S' and not self.encoder.has_depth,
        }

    def feeds_back(self) -> bool:
        return self._parts[0] == self._parts[1] and super().feeds_back()

    def why_not_fed_back(self) -> str:
        given, out = self._parts
        if given == out:
            return super().why_not_fed_back()
        missing = 'scores' if out == 'X' else 'RGB'
        return (
            f'{given}2{out} predicts no {missing}, which its next input needs; use S2S or XS2XS, '
            'or a predictor with num_outputs equal to the horizon'
        )

    def encode(self, frames: Tensor, samples: Samples) -> Pyramid:
        if self._parts[0] == 'S':
            return self.encoder.encode(frames, samples)
        if frames.numel() == 0:
            raise ValueError(
                f'S2SForecaster: {self.variant} needs RGB frames; add LoadClipFrames to the data pipeline'
            )
        if self.variant == 'X2X':  # of the scores only the size is needed
            return [self._small_rgb(frames, self.encoder.map_size(frames, samples))]
        (scores,) = self.encoder.encode(frames, samples)
        rgb = self._small_rgb(frames, scores.shape[-2:])
        return [torch.cat((rgb, scores / self.score_scale), dim=2)]

    @staticmethod
    def _small_rgb(frames: Tensor, size: Sequence[int]) -> Tensor:
        """Frames (B, T, 3, H, W) in [0, 255] as (B, T, 3, h, w) in [-1, 1]."""
        rgb = F.interpolate(rgb_to_unit(frames).flatten(0, 1), size=tuple(size), mode='area')
        return rgb.unflatten(0, frames.shape[:2])

    def select_target(self, representation: Pyramid) -> Pyramid:
        given, out = self._parts
        (maps,) = representation
        if given == out:
            return [maps]
        return [maps[:, :, :_RGB] if out == 'X' else maps[:, :, _RGB:]]

    def decode(
        self,
        future: Pyramid,
        samples: Samples,
        context: ForecastContext,
        target: str = 'pred',
    ) -> None:
        (maps,) = future
        held = self._parts[1 if target == 'pred' else 0]  # the reference has all that the input has
        if target == 'pred' and 'X' in held:
            for sample, frames in zip(samples, unit_to_rgb(maps[:, :, :_RGB])):
                sample.pred_frames = frames
        if held == 'X':
            scores = self._segment(unit_to_rgb(maps), context.frames.shape[-2:], samples)
        else:
            scores = maps[:, :, _RGB:] if 'X' in held else maps
            scores = scores if self.score_scale == 1 else self.score_scale * scores
        self.decoder.decode([scores], samples, context, target)

    def _segment(self, rgb: Tensor, size: tuple, samples: Samples) -> Tensor:
        """Scores (B, n, C, h, w) of frames (B, n, 3, h, w) in [0, 255], brought to ``size`` first."""
        frames = F.interpolate(rgb.flatten(0, 1), size=size, mode='bilinear', align_corners=False)
        (scores,) = self.encoder.encode(frames.unflatten(0, rgb.shape[:2]), samples)
        return scores
