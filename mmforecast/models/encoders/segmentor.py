"""A frozen mmsegmentation network as encoder: its pre-softmax scores are the representation."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.runner import load_checkpoint
from torch import Tensor

import mmforecast.fileio  # noqa: F401  (makes mmengine read checkpoints safely)
from mmforecast.models.utils import KeepFrozen, Pyramid, freeze
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseEncoder


@MODELS.register_module()
class SegmentorEncoder(KeepFrozen, BaseEncoder):
    """Pre-softmax scores of any mmseg ``EncoderDecoder``, under ``no_grad`` and always in eval mode.

    Frames are normalised with the segmentor's own ``data_preprocessor`` (mean, std, channel order).

    Args:
        segmentor: config of the segmentor, usually a whole mmseg ``model`` dict; it is built in
            mmseg's scope unless it says otherwise.
        checkpoint: path of its weights; None keeps what ``init_cfg`` or ``load_from`` gives.
        size, stride: at most one of them: (h, w) of the scores, or the factor by which they are
            smaller than the frames. By default they keep the decode head's own output size.
        chunk: frames per forward pass, to bound memory on large frames.
    """

    frozen_children = ('segmentor',)
    from_rgb = True
    level_names = ('scores',)

    def __init__(
        self,
        segmentor: dict,
        checkpoint: str | None = None,
        size: tuple[int, int] | None = None,
        stride: int | None = None,
        chunk: int = 8,
    ):
        super().__init__()
        if size is not None and stride is not None:
            raise ValueError(f'SegmentorEncoder: give size or stride, not both (size={size}, stride={stride})')
        segmentor = dict(segmentor)
        segmentor.setdefault('_scope_', 'mmseg')
        self.segmentor = MODELS.build(segmentor)
        if checkpoint is not None:
            load_checkpoint(self.segmentor, checkpoint, map_location='cpu')
        self._has_weights = checkpoint is not None
        freeze(self.segmentor)
        self.channels = self.segmentor.out_channels
        self.size = tuple(size) if size is not None else None
        self.stride = stride
        self.chunk = chunk

    @property
    def network(self) -> nn.Module:
        return self.segmentor

    def init_weights(self):
        """Initialise the segmentor only where it has no checkpoint (pretrained ``init_cfg``)."""
        if not self._has_weights:
            self.segmentor.init_weights()

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        self.require_frames(frames)
        shape = frames.shape[:2]
        parts = [self._scores(part) for part in frames.flatten(0, 1).split(self.chunk)]
        return [torch.cat(parts).unflatten(0, shape)]

    def _scores(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [0, 255] to (N, C, h, w)."""
        scores = self.segmentor(self._normalise(frames), mode='tensor')
        if not isinstance(scores, Tensor):
            # Heads that predict sets of masks give no dense scores in tensor mode; their inference
            # does.
            meta = dict(img_shape=frames.shape[-2:], ori_shape=frames.shape[-2:])
            scores = self.segmentor.encode_decode(self._normalise(frames), [meta] * frames.shape[0])
        size = self.size or tuple(scores.shape[-2:])
        if self.stride is not None:
            size = tuple(side // self.stride for side in frames.shape[-2:])
        if tuple(scores.shape[-2:]) != size:
            scores = F.interpolate(scores, size=size, mode='bilinear', align_corners=False)
        return scores

    def _normalise(self, frames: Tensor) -> Tensor:
        own = self.segmentor.data_preprocessor
        if not own.channel_conversion:  # trained on BGR, the order OpenCV loads
            frames = frames.flip(1)
        if own._enable_normalize:
            frames = (frames - own.mean) / own.std
        return frames
