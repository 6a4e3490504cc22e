"""A frozen mmsegmentation network as encoder: its pre-softmax scores are the representation."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.models.utils.normalization import normalize_frames
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_positive

from .frozen import FrozenEncoder


@MODELS.register_module()
class SegmentorEncoder(FrozenEncoder):
    """Scores of any mmseg segmentor whose argmax is the segmentor's own label map.

    Where the segmentor upsamples the output of its head (bilinear, without aligned corners) and takes the
    argmax, the scores are that output, as small as it is: ``SemSegDecoder`` upsamples them in the same way.
    All other segmentors (aligned corners, sliding windows, sets of masks as in Mask2Former, PointRend) give
    the scores of their own inference, at the size of the frames. A segmentor of one channel (sigmoid and
    threshold) gives two.

    Args:
        segmentor: Config of the segmentor, usually a whole mmseg ``model`` dict; it is built in mmseg's
            scope unless it says otherwise.
        size, stride: At most one of them: (h, w) of the scores, or the factor by which they are smaller than
            the frames. Label maps are then no longer exactly the segmentor's.
        checkpoint, chunk: See ``FrozenEncoder``.

    Raises:
        ValueError: Both ``size`` and ``stride`` are given, or the segmentor has no dense output.
    """

    network_name = 'segmentor'
    scope = 'mmseg'
    level_names = ('scores',)

    def __init__(
        self,
        segmentor: dict | nn.Module,
        checkpoint: str | None = None,
        size: tuple[int, int] | None = None,
        stride: int | None = None,
        chunk: int = 8,
    ):
        if size is not None and stride is not None:
            raise ValueError(f'SegmentorEncoder: give size or stride, not both (size={size}, stride={stride})')
        if stride is not None:
            check_positive('SegmentorEncoder', stride=stride)
        super().__init__(segmentor, checkpoint, chunk=chunk)
        self.size = tuple(size) if size is not None else None
        self.stride = stride
        self.channels = max(2, self.segmentor.out_channels)
        self._upsamples_head = upsamples_its_head(self.segmentor)

    def map_size(self, frames: Tensor, samples: list[ForecastDataSample]) -> tuple[int, int]:
        self.require_frames(frames)
        height, width = frames.shape[-2:]
        if self.stride is not None:
            return height // self.stride, width // self.stride
        if self.size is not None:
            return self.size
        padded = padded_size(self.segmentor, (height, width))
        if not self._upsamples_head or padded != (height, width):
            return height, width  # of its own inference
        return super().map_size(frames, samples)

    def encode_frames(self, frames: Tensor) -> Pyramid:
        height, width = frames.shape[-2:]
        inputs = network_inputs(self.segmentor, frames)
        if self._upsamples_head and inputs.shape == frames.shape:
            scores = self.segmentor(inputs, mode='tensor')
        else:
            scores = self._own_inference(inputs)[..., :height, :width]
        return [self._resize(two_channels(scores, self.segmentor), (height, width))]

    def _own_inference(self, inputs: Tensor) -> Tensor:
        """Scores at the size of normalized frames, as the segmentor's ``predict`` takes the argmax of."""
        size = tuple(inputs.shape[-2:])
        meta = dict(img_shape=size, ori_shape=size, pad_shape=size, padding_size=[0, 0, 0, 0])
        scores = self.segmentor.inference(inputs, [meta] * len(inputs))
        if tuple(scores.shape[-2:]) != size:
            scores = F.interpolate(
                scores, size=size, mode='bilinear', align_corners=self.segmentor.align_corners
            )
        return scores

    def _resize(self, scores: Tensor, frame_size: tuple[int, int]) -> Tensor:
        if self.stride is not None:
            size = tuple(side // self.stride for side in frame_size)
        else:
            size = self.size or tuple(scores.shape[-2:])
        if tuple(scores.shape[-2:]) == size:
            return scores
        return F.interpolate(scores, size=size, mode='bilinear', align_corners=False)


def upsamples_its_head(segmentor: nn.Module) -> bool:
    """Whether a segmentor's label map is the argmax of its head's output, simply upsampled."""
    from mmseg.models.decode_heads import PointHead
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead

    head = _last_head(segmentor)
    return (
        isinstance(head, BaseDecodeHead)
        and not isinstance(head, PointHead)
        and type(head).predict is BaseDecodeHead.predict  # DANet gives several maps, and predicts from one
        and type(head).predict_by_feat is BaseDecodeHead.predict_by_feat
        and not segmentor.align_corners
        and segmentor.test_cfg.get('mode', 'whole') == 'whole'
    )


def two_channels(scores: Tensor, segmentor: nn.Module) -> Tensor:
    """(N, 1, h, w) logits of one class as scores of two, whose argmax is the thresholded sigmoid."""
    if scores.shape[1] != 1:
        return scores
    threshold = _last_head(segmentor).threshold
    margin = scores - math.log(threshold / (1 - threshold))
    return torch.cat([-margin / 2, margin / 2], dim=1)


def _last_head(segmentor: nn.Module) -> nn.Module:
    head = getattr(segmentor, 'decode_head', None)
    if head is None:
        raise ValueError(
            f'SegmentorEncoder: {type(segmentor).__name__} has no decode_head whose scores could be forecast'
        )
    return head[-1] if isinstance(head, nn.ModuleList) else head


def padded_size(segmentor: nn.Module, size: tuple[int, int]) -> tuple[int, int]:
    """(h, w) that frames of ``size`` are padded to: as the preprocessor pads test images, and for a U-Net.

    mmseg's U-Net refuses sides that its stages cannot halve evenly.
    """
    settings = getattr(segmentor.data_preprocessor, 'test_cfg', None) or {}
    if settings.get('size'):
        size = tuple(max(least, side) for least, side in zip(settings['size'], size))
    divisor = math.lcm(settings.get('size_divisor') or 1, _size_multiple(segmentor))
    return tuple(-(-side // divisor) * divisor for side in size)


def network_inputs(segmentor: nn.Module, frames: Tensor) -> Tensor:
    """Frames (N, 3, H, W) of RGB in [0, 255] as the network reads them: normalized and padded."""
    height, width = padded_size(segmentor, frames.shape[-2:])
    padding = (0, width - frames.shape[-1], 0, height - frames.shape[-2])
    inputs = normalize_frames(segmentor.data_preprocessor, frames)
    return F.pad(inputs, padding, value=getattr(segmentor.data_preprocessor, 'pad_val', 0))


def _size_multiple(segmentor: nn.Module) -> int:
    """What the network itself wants the sides of its input to be multiples of; 1 but for a U-Net."""
    from mmseg.models.backbones import UNet

    backbone = getattr(segmentor, 'backbone', None)
    if not isinstance(backbone, UNet):
        return 1
    later = zip(backbone.strides[1:], backbone.downsamples)
    return backbone.strides[0] * 2 ** sum(stride == 2 or pools for stride, pools in later)
