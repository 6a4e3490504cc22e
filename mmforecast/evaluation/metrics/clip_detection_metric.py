"""Scores of an unmodified mmdet detector whose neck forecasts."""

from collections.abc import Sequence
from typing import Any

from mmengine.structures import InstanceData

from mmforecast.registry import METRICS

from .cityscapes_instance_metric import CityscapesInstanceMetric


@METRICS.register_module()
class ClipDetectionMetric(CityscapesInstanceMetric):
    """``CityscapesInstanceMetric`` for detectors fed with clips by ``ClipDetDataPreprocessor``.

    Such a detector gives one mmdet sample per clip, with the ``pred_instances`` of one future frame, which
    its metainfo ``step`` names. The truth is taken from the clips of the batch. Arguments and keys are
    those of ``CityscapesInstanceMetric``; steps before the forecast one are empty and score 0.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Score a batch.

        Args:
            data_batch: What the data loader gave; its ``data_samples`` are the clips.
            data_samples: The detector's, as dicts, in the same order.
        """
        forecasts = []
        for clip, found in zip(data_batch['data_samples'], data_samples, strict=True):
            clip = clip.new()
            instances = InstanceData(**found['pred_instances'])
            clip.pred_instances = [InstanceData()] * found['step'] + [instances]
            forecasts.append(clip)
        super().process(data_batch, forecasts)
