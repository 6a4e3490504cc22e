"""Label maps from forecast scores."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from torch import Tensor

from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseDecoder

_NOTHING = 255


@MODELS.register_module()
class SemSegDecoder(BaseDecoder):
    """Argmax over classes of the scores, resampled (bilinear) to the size of the clip's frames.

    The argmax is taken after resampling the scores, never on resampled labels. A step that was not forecast,
    whose scores are NaN, is 255 everywhere. Where the last channel is depth (``has_depth`` of the encoder),
    it is written in bins, too: 0, unknown, for a step that was not forecast.

    Args:
        keep_scores: Also store the scores, as ``pred_scores`` (fp16), for tools that need more than
            labels.
        label_values: The value written for each class, e.g. its train id; by default its index.
    """

    takes_skipped_steps = True

    def __init__(self, keep_scores: bool = False, label_values: Sequence[int] | None = None):
        super().__init__()
        self.keep_scores = keep_scores
        if label_values is not None and not all(0 <= value <= 255 for value in label_values):
            raise ValueError(f'SemSegDecoder: label_values must lie in 0 to 255, got {tuple(label_values)}')
        self.label_values = None if label_values is None else tuple(label_values)

    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``{target}_sem_seg``, and ``{target}_depth`` where there is depth, into each sample.

        Args:
            future: One level (B, n, C, h, w).
            samples, context, target: See ``BaseDecoder``.
        """
        (scores,) = future
        with_depth = context is not None and getattr(context.encoder, 'has_depth', False)
        for sample, clip in zip(samples, scores):
            self._decode_clip(sample, clip[:, :-1] if with_depth else clip, target)
            if with_depth:
                bins = depth_bins(clip[:, -1:], sample.get('img_shape'))
                setattr(sample, f'{target}_depth', PixelData(data=bins))
        return samples

    def _decode_clip(self, sample: ForecastDataSample, clip: Tensor, target: str) -> Tensor:
        """Write what is read off a clip (n, C, h, w); returns the index of every pixel's class (n, H, W)."""
        labels = self.labels(clip, sample.get('img_shape'))
        values = self._values(labels, clip.shape[1])
        setattr(sample, f'{target}_sem_seg', PixelData(data=values))
        if self.keep_scores and target == 'pred':
            sample.pred_scores = clip.half()
        return labels

    def _values(self, labels: Tensor, num_classes: int) -> Tensor:
        """What is written for ``labels``, indices of classes."""
        if self.label_values is None:
            return labels
        if len(self.label_values) != num_classes:
            raise ValueError(
                f'SemSegDecoder: label_values={self.label_values} names '
                f'{len(self.label_values)} classes, but the forecast has {num_classes}'
            )
        values = torch.tensor(self.label_values, dtype=torch.uint8, device=labels.device)
        named = values[labels.long().clamp(max=num_classes - 1)]
        return torch.where(labels == _NOTHING, _NOTHING, named)

    @staticmethod
    def labels(scores: Tensor, size: tuple | None) -> Tensor:
        """(n, C, h, w) scores to (n, H, W) uint8 labels, a frame at a time to bound memory."""
        maps = []
        for frame in scores:
            if size is not None and tuple(frame.shape[-2:]) != tuple(size):
                frame = F.interpolate(
                    frame[None].float(), size=tuple(size), mode='bilinear', align_corners=False
                )[0]
            labels = frame.argmax(dim=0).to(torch.uint8)
            maps.append(labels.masked_fill(frame.isnan().all(), _NOTHING))
        return torch.stack(maps)


def depth_bins(depth: Tensor, size: tuple | None) -> Tensor:
    """(n, 1, h, w) depth in [0, 1] to bins (n, H, W) uint8: the nearest cell's; 0 where it is NaN."""
    if size is not None and tuple(depth.shape[-2:]) != tuple(size):
        depth = F.interpolate(depth.float(), size=tuple(size), mode='nearest-exact')
    return (255 * depth[:, 0]).round().nan_to_num(0).clamp(0, 255).to(torch.uint8)
