"""From forecast feature pyramids to instances, read by the detector's own heads (F2F, ECCV 2018)."""

from typing import List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from mmforecast.models.encoders import DetectorEncoder
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid, num_steps, time_slice
from mmforecast.models.utils.detector import given_features
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample, instances_from_id_map


def detector_sample(
    encoder: DetectorEncoder, frame_size: Sequence[int], id_map: Optional[Tensor] = None
) -> DetDataSample:
    """What mmdet's heads need to know of a frame of (H, W) pixels.

    Args:
        encoder: has the detector.
        frame_size: (H, W).
        id_map: (H, W) instance ids of the frame; with it, the sample has the ``gt_instances`` that
            detectors train on, at the size that the detector works at.
    """
    frame_size = tuple(frame_size)
    size, padded = encoder.working_size(frame_size)
    sample = DetDataSample(
        metainfo=dict(
            ori_shape=frame_size,
            img_shape=size,
            scale_factor=tuple(new / old for new, old in zip(size[::-1], frame_size[::-1])),
            pad_shape=padded,
            batch_input_shape=padded,
        )
    )
    if id_map is not None:
        sample.gt_instances = training_instances(id_map, size, padded)
    return sample


def training_instances(
    id_map: Tensor, size: Tuple[int, int], padded: Tuple[int, int], min_side: int = 4
) -> InstanceData:
    """Instances of a frame as mmdet's losses take them.

    Args:
        id_map: (H, W) instance ids.
        size, padded: (h, w) that the detector works at, without and with padding.
        min_side: smaller boxes, in pixels of ``size``, are left out.
    """
    resized = F.interpolate(id_map[None, None].float(), size=size, mode='nearest-exact')[0, 0]
    found = instances_from_id_map(resized.to(torch.int32))
    sides = found.bboxes[:, 2:] - found.bboxes[:, :2]
    found = found[(sides >= min_side).all(dim=1)]
    masks = F.pad(found.masks, (0, padded[1] - size[1], 0, padded[0] - size[0]))
    bitmaps = BitmapMasks(masks.cpu().numpy().astype('uint8'), *padded)
    return InstanceData(bboxes=found.bboxes, labels=found.labels, masks=bitmaps)


def detect(
    encoder: DetectorEncoder, levels: Sequence[Tensor], frame_size: Sequence[int]
) -> List[InstanceData]:
    """Instances that the detector's heads see in the features of B frames.

    Args:
        encoder: has the detector.
        levels: (B, C, h, w) per level of the representation.
        frame_size: (H, W) of the frames.

    Returns:
        Per frame ``labels`` (N,), ``scores`` (N,), ``bboxes`` (N, 4) and, where the detector has a mask
        head, ``masks`` (N, H, W) bool, at the size of the frame and ordered by descending score.
    """
    samples = [detector_sample(encoder, frame_size) for _ in range(levels[0].shape[0])]
    features = encoder.complete(levels, samples[0].batch_input_shape)
    with given_features(encoder.detector, features) as detector:
        samples = detector.predict(levels[0], samples, rescale=True)
    return [ordered(sample.pred_instances) for sample in samples]


def ordered(instances: InstanceData) -> InstanceData:
    """By descending score; ties keep their order."""
    return instances[instances.scores.argsort(descending=True, stable=True)]


@MODELS.register_module()
class DetectionDecoder(BaseModule):
    """Reads each forecast pyramid with the heads of the detector that the representation comes from.

    Args:
        steps: 'all' forecast steps, or the 'last' alone (the others then have no instances), which is all
            that data with one annotated frame can score.
    """

    def __init__(self, steps: str = 'all'):
        super().__init__()
        if steps not in ('all', 'last'):
            raise ValueError(f"DetectionDecoder: steps must be 'all' or 'last', got {steps!r}")
        self.steps = steps

    @torch.no_grad()
    def decode(
        self,
        future: Pyramid,
        samples: List[ForecastDataSample],
        encoder: DetectorEncoder,
        context: Optional[ForecastContext] = None,
        target: str = 'pred',
    ) -> List[ForecastDataSample]:
        """Write ``{target}_instances``, a list over steps, into each sample.

        Args:
            future: (B, n, C, h, w) per level.
            samples: B samples; ``img_shape`` in their metainfo is the size of the frames.
            encoder: has the detector.
            target: 'pred' for a forecast, 'ref' for the representation of the true future.
        """
        steps = num_steps(future)
        lists = [[] for _ in samples]
        for step in range(steps):
            wanted = self.steps == 'all' or step == steps - 1
            found = self._at(time_slice(future, step, step + 1), samples, encoder, wanted)
            for instances, one in zip(lists, found):
                instances.append(one)
        for sample, instances in zip(samples, lists):
            setattr(sample, f'{target}_instances', instances)
        return samples

    @staticmethod
    def _at(level, samples, encoder, wanted: bool) -> List[InstanceData]:
        if not wanted:
            return [InstanceData() for _ in samples]
        return detect(encoder, [maps[:, 0] for maps in level], samples[0].img_shape)
