"""Optical-flow baselines on the objects of distance maps: those seen last stay, or go on moving."""

import torch

from mmforecast.models.objects.object_map import as_instances
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid, num_steps
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_choice

from .base import BaseDecoder
from .distance_map import observed_objects
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
