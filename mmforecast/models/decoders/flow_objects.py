"""Optical-flow baselines on objects: those of the newest past frame stay, or keep moving (D2D, ECCVW 2018)."""

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData
from torch import Tensor

from mmforecast.models.objects.object_map import ObjectMap
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.predictors.flow_warp import observed_velocity
from mmforecast.models.utils import Pyramid, num_steps
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_choice

from .base import BaseDecoder
from .distance_map import enlarge, observed_objects
from .flow_instances import MOVES

MODES = ('copy', *MOVES)


@MODELS.register_module()
class FlowObjectDecoder(BaseDecoder):
    """Moves the objects of the newest past frame on, whatever the predictor says.

    It does what ``FlowInstanceDecoder`` does with a detector's instances. ``track_ids`` are those of the
    objects in the newest frame, the same at every step.

    Args:
        mode: 'copy' leaves them in place; 'shift' moves each rigidly by the mean flow inside it; 'warp' moves
            each pixel of a mask by its own.
    """

    def __init__(self, mode: str = 'shift'):
        super().__init__()
        check_choice('FlowObjectDecoder', MODES, mode=mode)
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
        velocities = [None] * len(clips) if self.mode == 'copy' else observed_velocity(context).cpu()
        for sample, frames, velocity in zip(samples, clips, velocities):
            newest = as_instances(frames[-1], sample.img_shape)
            sample.pred_instances = self._move(newest, velocity, num_steps(future))
        return samples

    def _move(self, newest: InstanceData, velocity: Tensor | None, steps: int) -> list[InstanceData]:
        if self.mode == 'copy':
            return [newest] * steps
        return MOVES[self.mode](newest, velocity, steps)


def as_instances(objects: ObjectMap, size: Sequence[int]) -> InstanceData:
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
