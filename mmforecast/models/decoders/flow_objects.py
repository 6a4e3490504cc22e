"""Optical-flow baselines on the objects of distance maps: those seen last stay, or go on moving."""

import numpy as np
import torch
from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData

from mmforecast.models.objects.object_map import ObjectMap
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid, num_steps
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_choice

from .base import BaseDecoder
from .distance_map import enlarge, observed_objects
from .flow_instances import MODES, instance_mover


@MODELS.register_module()
class FlowObjectDecoder(BaseDecoder):
    """Takes the objects of the newest past frame and moves them on, whatever the predictor says.

    What ``FlowInstanceDecoder`` does with a detector's instances. ``track_ids`` are those of the objects in
    the newest frame, the same at every step.

    Args:
        mode: 'copy' repeats them; 'shift', 'warp' and 'ego-motion' move them as ``FlowInstanceDecoder`` does.
    """

    def __init__(self, mode: str = 'shift'):
        super().__init__()
        check_choice('FlowObjectDecoder', ('copy', *MODES), mode=mode)
        self.mode = mode

    @torch.no_grad()
    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``pred_instances``, a list over the steps of ``future``, into each sample.

        A reference isn't written: it would be read off the true future, not moved.
        """
        if target != 'pred':
            return samples
        clips = observed_objects(context, type(self).__name__)
        move = None if self.mode == 'copy' else instance_mover(self.mode, context)
        steps = num_steps(future)
        for clip, (sample, frames) in enumerate(zip(samples, clips)):
            newest = as_instances(frames[-1], sample.img_shape)
            sample.pred_instances = [newest] * steps if move is None else move(clip, newest, steps)
        return samples


def as_instances(objects: ObjectMap, size) -> InstanceData:
    """The objects of a frame as instances at ``size`` (H, W), with ``track_ids`` 0, 1, 2, ..."""
    numbers = torch.arange(1, len(objects) + 1)
    masks = enlarge(objects.index_map, size)[None] == numbers[:, None, None]
    return InstanceData(
        labels=torch.from_numpy(objects.labels),
        scores=torch.from_numpy(objects.scores.astype(np.float32)),
        masks=masks,
        bboxes=mask2bbox(masks).float() if len(objects) else torch.zeros((0, 4)),
        track_ids=numbers - 1,
    )
