"""Tracking scores of forecast instances over the steps of a roll-out."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric

from mmforecast.evaluation.functional import match_distances, tracking_scores
from mmforecast.registry import METRICS
from mmforecast.utils.checks import check_at_least

from .clips import clip_dicts, clip_name, id_maps_of_steps, require_clips, scorable


@METRICS.register_module()
class TrackingMetric(BaseMetric):
    """IDF1, MOTA and identity switches of ``pred_instances`` with ``track_ids``.

    Truth are the ids of ``gt_instance_map``, which must be of one object in all frames of a clip, as on the
    synthetic street. Steps without labels are left out. See
    :func:`~mmforecast.evaluation.functional.tracking.tracking_scores` for the keys; they are over all steps of
    the roll-out. Needs ``motmetrics``.

    Args:
        iou_thr: IoU from which on a forecast object is a true one.
        min_region_size: Pixels from which on an object must be found.
        collect_device: 'cpu' or 'gpu', where the processes' results are brought together.
        prefix: Put before every key.
    """

    default_prefix = ''  # mmengine warns of None

    def __init__(
        self,
        iou_thr: float = 0.5,
        min_region_size: int = 100,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if not 0.5 <= iou_thr < 1:
            raise ValueError(f'TrackingMetric: iou_thr must be in [0.5, 1), got {iou_thr!r}')
        check_at_least('TrackingMetric', 0, min_region_size=min_region_size)
        self.iou_thr = iou_thr
        self.min_region_size = min_region_size

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep distances between objects of each clip, never its masks."""
        for sample in clip_dicts(data_samples):
            steps = sample.get('pred_instances')
            if steps is None or any(len(step) and 'track_ids' not in step for step in steps):
                raise ValueError(
                    f'{clip_name(sample)} has no pred_instances with track_ids: TrackingMetric needs a '
                    'forecaster that tracks objects (D2DForecaster)'
                )
            steps = scorable(sample)['pred_instances']
            truth = id_maps_of_steps(sample, len(steps))
            self.results.append(
                [
                    match_distances(step, torch.from_numpy(id_map), self.iou_thr, self.min_region_size)
                    for step, id_map in zip(steps, truth)
                    if id_map is not None
                ]
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Scores over all clips.

        Raises:
            ValueError: There are no clips.
        """
        require_clips(self, results)
        return tracking_scores(results)
