"""Instances from forecast feature pyramids, read by the detector's own heads (F2F, ECCV 2018)."""

import torch
from mmengine.structures import InstanceData

from mmforecast.models.encoders import BaseEncoder
from mmforecast.models.predictors import ForecastContext
from mmforecast.models.utils import Pyramid, num_steps, time_slice
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample, fill_boxes
from mmforecast.utils.checks import check_choice

from .base import BaseDecoder


def instance_encoder(context: ForecastContext | None, decoder: str) -> BaseEncoder:
    """The encoder that reads instances off its representation; a ValueError where the context has none."""
    encoder = None if context is None else context.encoder
    if not hasattr(encoder, 'instances_of'):
        raise ValueError(
            f'{decoder} reads instances with the heads of a detector, but the encoder has none; set encoder '
            'to DetectorEncoder'
        )
    return encoder


@MODELS.register_module()
class DetectionDecoder(BaseDecoder):
    """Reads each forecast pyramid with the heads of the detector that the representation comes from.

    Args:
        steps: 'all' forecast steps, or the 'last' alone (the others then have no instances), which is all
            that data with one annotated frame can score.
        fill_boxes: Detectors without a mask head get their boxes, filled, as ``masks``. Metrics and pictures
            fill them in any case; without it, results keep boxes alone.
    """

    takes_skipped_steps = True

    def __init__(self, steps: str = 'all', fill_boxes: bool = False):
        super().__init__()
        check_choice(type(self).__name__, ('all', 'last'), steps=steps)
        self.steps = steps
        self.fill_boxes = fill_boxes

    @torch.no_grad()
    def decode(
        self,
        future: Pyramid,
        samples: list[ForecastDataSample],
        context: ForecastContext | None = None,
        target: str = 'pred',
    ) -> list[ForecastDataSample]:
        """Write ``{target}_instances``, a list over steps, into each sample.

        Args:
            future: (B, n, C, h, w) per level.
            samples, target: See ``BaseDecoder``.
            context: Has the encoder, which has the detector.
        """
        encoder = instance_encoder(context, type(self).__name__)
        steps = num_steps(future)
        wanted = [self.steps == 'all' or step == steps - 1 for step in range(steps)]
        skipped = [bool(future[0][:, step].isnan().all()) for step in range(steps)]  # not forecast
        by_step = [
            self._decode_step(time_slice(future, step, step + 1), samples, encoder)
            if wanted[step] and not skipped[step]
            else [InstanceData() for _ in samples]
            for step in range(steps)
        ]
        for sample, *instances in zip(samples, *by_step):
            setattr(sample, f'{target}_instances', instances)
        return samples

    def _decode_step(
        self, future: Pyramid, samples: list[ForecastDataSample], encoder: BaseEncoder
    ) -> list[InstanceData]:
        """The instances of each sample at one step, from (B, 1, C, h, w) per level."""
        size = samples[0].img_shape
        found = encoder.instances_of([level[:, 0] for level in future], size)
        return [fill_boxes(instances, size) for instances in found] if self.fill_boxes else found
