"""Scores of classes with depth beside them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseEncoder


@MODELS.register_module()
class LabelDepthEncoder(BaseEncoder):
    """The scores of another encoder, and depth as one more channel, the last.

    Depth comes with the sample, ``gt_depth`` of :class:`LoadClipDepth`, for all frames of a clip. Its 255 bins
    lie in [0, 1]; 0 is unknown. Where the scores are smaller than the frames, it is that of the nearest pixel.

    Args:
        scores: Config of an encoder of scores of classes, such as ``LabelMapEncoder`` or ``SegmentorEncoder``.
    """

    from_rgb = False
    num_levels = 1
    has_depth = True

    def __init__(self, scores: dict):
        super().__init__()
        self.scores: BaseEncoder = MODELS.build(scores)
        self.channels = self.scores.channels + 1

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        (scores,) = self.scores.encode(frames, samples)
        for sample in samples:
            if 'gt_depth' not in sample:
                raise ValueError(
                    f'LabelDepthEncoder: the clip of sequence {sample.get("sequence_id", "?")} carries no '
                    'depth; add LoadClipDepth to the data pipeline and depth_path to data_prefix'
                )
        depth = torch.stack([sample.gt_depth.data for sample in samples]).to(scores) / 255
        if depth.shape[-2:] != scores.shape[-2:]:
            depth = F.interpolate(depth, size=scores.shape[-2:], mode='nearest-exact')
        return [torch.cat((scores, depth[:, :, None]), dim=2)]
