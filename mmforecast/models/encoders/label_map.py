"""Ground-truth label maps as scores, for data that has labels on every frame."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_positive

from .base import BaseEncoder


@MODELS.register_module()
class LabelMapEncoder(BaseEncoder):
    """Scores of a perfect segmentor: ``high`` for the true class, ``-high`` for the others.

    Ignored pixels (255) have score 0 for every class. With ``high=1`` the scores lie in [-1, 1], the
    range the S2S authors' code keeps its inputs and targets in.

    Args:
        num_classes: C.
        high: Absolute value of the scores.
        stride: The scores are means over cells of stride x stride pixels; sides of the label maps must be
            multiples of it.
    """

    from_rgb = False
    num_levels = 1

    def __init__(self, num_classes: int, high: float = 1.0, stride: int = 1):
        super().__init__()
        check_positive('LabelMapEncoder', stride=stride)
        if high <= 0:
            raise ValueError(f'LabelMapEncoder: high must be positive, got {high!r}')
        self.channels = num_classes
        self.high = high
        self.stride = stride

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        return [torch.stack([self._encode_one(sample) for sample in samples])]

    def _encode_one(self, sample: ForecastDataSample) -> Tensor:
        """(T, C, H, W) scores of one clip."""
        where = f'clip of sequence {sample.get("sequence_id", "?")}'
        if 'gt_sem_seg' not in sample:
            raise ValueError(
                f'LabelMapEncoder: {where} carries no label maps; add LoadClipSemSeg to the data pipeline'
            )
        if not all(sample.get('labelled', ())):
            raise ValueError(
                f'LabelMapEncoder: {where} has frames without labels (frame_indices '
                f'{sample.get("frame_indices")}, labelled {sample.get("labelled")}); it needs labels '
                'on every frame of the clip: use SegmentorEncoder or precomputed scores instead'
            )
        labels = sample.gt_sem_seg.data.long()
        bad = labels[labels != 255]
        if bad.numel() and int(bad.max()) >= self.channels:
            raise ValueError(
                f'LabelMapEncoder: {where} has label {int(bad.max())}, but num_classes={self.channels}'
            )
        if any(side % self.stride for side in labels.shape[-2:]):
            raise ValueError(
                f'LabelMapEncoder: sides of the label maps must be multiples of stride={self.stride}, but '
                f'{where} has {tuple(labels.shape[-2:])}'
            )
        scores = scores_of_labels(labels, self.channels, self.high)
        return F.avg_pool2d(scores, self.stride) if self.stride > 1 else scores


def scores_of_labels(labels: Tensor, num_classes: int, high: float) -> Tensor:
    """(T, H, W) int64 labels to (T, C, H, W) scores: ``high`` or ``-high``, and 0 where they are 255."""
    known = labels != 255
    # Scattered in place: one_hot would build the whole clip in int64 first.
    index = labels.where(known, 0)[:, None]
    scores = torch.full((len(labels), num_classes, *labels.shape[1:]), -high, device=labels.device)
    scores.scatter_(1, index, high)
    return scores if known.all() else scores * known[:, None]
