"""Label maps painted from a detector's instances, as scores (the S2S baseline of F2F, ECCV 2018)."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample, instances_to_sem_seg
from mmforecast.structures.cityscapes import IGNORE_INDEX, MOVING_TRAIN_IDS, THING_LABEL_IDS

from .base import BaseEncoder
from .detector import DetectorEncoder, detect
from .label_map import scores_of_labels

_BEFORE_MOVING = MOVING_TRAIN_IDS[0] - 1  # the moving train ids are the classes 1 to 8


@MODELS.register_module()
class DetectorMapEncoder(BaseEncoder):
    """Scores of 9 classes, background first and then the eight moving classes, from a frozen detector.

    Each frame's instances are painted into a label map, the surest on top; its scores are ``high`` for the
    class of a pixel and ``-high`` for the others. ``SemSegDecoder`` turns forecast scores into train ids
    with ``label_values=(255, 11, 12, 13, 14, 15, 16, 17, 18)``.

    Args:
        detector, checkpoint, size, chunk: As for ``DetectorEncoder``; the detector has a mask head, and
            the eight classes of Cityscapes.
        score_thr: Instances with a lower score are not painted.
        high: Absolute value of the scores.
        stride: The scores are means over cells of stride x stride pixels of the frames; sides of the
            frames must be multiples of it.
    """

    from_rgb = True
    level_names = ('scores',)
    channels = 1 + len(THING_LABEL_IDS)

    def __init__(
        self,
        detector: dict | nn.Module,
        checkpoint: str | None = None,
        size: tuple[int, int] | None = None,
        score_thr: float = 0.5,
        high: float = 1.0,
        stride: int = 1,
        chunk: int = 4,
    ):
        super().__init__()
        if high <= 0:
            raise ValueError(f'DetectorMapEncoder: high must be positive, got {high!r}')
        self.detector_encoder = DetectorEncoder(detector, checkpoint, size, chunk=chunk)
        self.score_thr, self.high, self.stride, self.chunk = score_thr, high, stride, chunk

    @property
    def network(self) -> nn.Module:
        return self.detector_encoder.network

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        self.require_frames(frames)
        if any(side % self.stride for side in frames.shape[-2:]):
            raise ValueError(
                f'DetectorMapEncoder: sides of the frames must be multiples of stride={self.stride}, '
                f'got {tuple(frames.shape[-2:])}'
            )
        parts = [self._scores(part) for part in frames.flatten(0, 1).split(self.chunk)]
        return [torch.cat(parts).unflatten(0, frames.shape[:2])]

    def _scores(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [0, 255] to (N, 9, H / stride, W / stride)."""
        levels = [level[0] for level in self.detector_encoder.encode(frames[None], [])]
        size = tuple(frames.shape[-2:])
        labels = [self._labels(found, size) for found in detect(self.detector_encoder, levels, size)]
        scores = scores_of_labels(torch.stack(labels), self.channels, self.high)
        return F.avg_pool2d(scores, self.stride) if self.stride > 1 else scores

    def _labels(self, instances: InstanceData, size: tuple[int, int]) -> Tensor:
        """(H, W) int64: 0 for the background, 1 to 8 for the moving classes."""
        if 'masks' not in instances:
            raise ValueError(
                'DetectorMapEncoder paints masks, but '
                f'{type(self.network).__name__} gives none; choose a detector with a mask head'
            )
        painted = instances_to_sem_seg(instances, size, self.score_thr).long()
        return (painted - _BEFORE_MOVING).where(painted != IGNORE_INDEX, 0).to(instances.scores.device)
