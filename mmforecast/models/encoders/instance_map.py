"""True instances as a representation, for data that has them on every frame."""

from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmforecast.models.objects.object_map import as_instances, pack_objects, unpack_objects
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample

from .base import BaseEncoder
from .distance_map import read_objects, true_id_maps


@MODELS.register_module()
class InstanceMapEncoder(BaseEncoder):
    """The instances of a perfect detector.

    The one level (B, T, 3, H, W) is that of ``pack_objects``: by pixel the number of the object there, its
    label and a score of 1. Numbers can be copied, but not averaged: forecast them with ``CopyLast`` and a
    ``FlowInstanceDecoder``, which moves the instances, or with the ``Oracle``.

    Args:
        min_area: Objects with fewer pixels are left out.
    """

    from_rgb = False
    num_levels = 1
    channels = 3

    def __init__(self, min_area: int = 1):
        super().__init__()
        self.min_area = min_area

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        clips = []
        for sample in samples:
            maps = true_id_maps(sample, type(self).__name__)
            objects = [read_objects(ids.cpu().numpy(), self.min_area)[0] for ids in maps]
            clips.append(torch.stack([pack_objects(item) for item in objects]).to(maps.device))
        return [torch.stack(clips)]

    def instances_of(self, levels: Sequence[Tensor], frame_size: Sequence[int]) -> list[InstanceData]:
        """Per frame, the instances at ``frame_size`` (H, W) on one level (B, 3, h, w)."""
        (maps,) = levels
        return [as_instances(unpack_objects(packed), frame_size).to(maps.device) for packed in maps]
