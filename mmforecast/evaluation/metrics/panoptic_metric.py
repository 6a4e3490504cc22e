"""Scores of forecast panoptic maps, per roll-out step, against ground truth and the networks' own."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmforecast.evaluation.functional import (
    PANOPTIC_GROUPS,
    mean_panoptic_quality,
    panoptic_counts,
    panoptic_quality,
)
from mmforecast.evaluation.table import format_table
from mmforecast.registry import METRICS
from mmforecast.structures import panoptic_from_id_map
from mmforecast.structures.cityscapes import CITYSCAPES_CLASSES
from mmforecast.utils.checks import check_choice
from mmforecast.utils.text import plural

from .clips import (
    STEPS,
    check_horizon,
    clip_dicts,
    clip_name,
    common_seconds,
    forecast_steps,
    id_maps_of_steps,
    label_maps,
    require_clips,
    seconds_per_step,
    size_text,
    sum_counts,
)

_SCORES = ('PQ', 'SQ', 'RQ')
# What the log shows of every step, by kind.
_LOGGED = dict(GT=('PQ', 'SQ', 'RQ', 'PQ-things', 'PQ-stuff'), REF=('PQ',))


@METRICS.register_module()
class PanopticMetric(BaseMetric):
    """PQ, SQ and RQ of forecast panoptic maps (Kirillov et al., CVPR 2019), by Cityscapes' rules.

    Step ``k`` of ``pred_panoptic`` is scored against frame ``num_past + k`` of ``gt_panoptic``, where that
    frame is labeled, and, with ``ref_panoptic``, against step ``k`` of what the networks make of the true
    frames (REF). Counts are summed over the dataset, then scored. All scores are in percent.

    Keys of the result:

    - ``PQ``, ``SQ``, ``RQ`` (means over all classes), ``PQ-things``, ``PQ-stuff``, ...: last step. NaN where
      it has no labels.
    - ``REF/PQ``, ...: last step, against the reference.
    - ``t+1/PQ``, ``REF/t+1/PQ``, ...: every step that has labels (or a reference), counted in roll-out steps,
      not frames.
    - ``PQ/road``, ``SQ/road``, ``RQ/road``, ...: each class at the last step, with ``classwise``; NaN where
      the class is absent.

    Args:
        steps: 'all', or 'last' to leave the ``t+k`` keys out.
        classwise: Report the scores of each class too; the log has them in any case.
        collect_device: 'cpu' or 'gpu', where the processes' results are brought together.
        prefix: Put before every key, as in ``prefix/PQ``.
    """

    default_prefix = ''  # mmengine warns of None

    CLASSES = CITYSCAPES_CLASSES

    def __init__(
        self,
        steps: str = 'all',
        classwise: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        check_choice('PanopticMetric', STEPS, steps=steps)
        self.steps = steps
        self.classwise = classwise

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the counts of each clip, never its maps.

        Args:
            data_batch: Not used.
            data_samples: ``ForecastDataSample``, or dicts with its fields and metainfo.
        """
        self.results.extend(map(self._score_clip, clip_dicts(data_samples)))

    def _score_clip(self, sample: dict) -> dict[str, Any]:
        """Counts (n, 19, 4) against ground truth ('GT') and the reference ('REF'), and the 'seconds'."""
        name = clip_name(sample)
        pred = label_maps(sample, 'pred_panoptic')
        if pred is None:
            raise ValueError(
                f'{name} has no pred_panoptic: PanopticMetric needs a forecaster with a PanopticDecoder; set '
                "panoptic=dict(type='PanopticDecoder') in its model"
            )
        truth = [
            None if id_map is None else panoptic_from_id_map(id_map)
            for id_map in id_maps_of_steps(sample, len(pred))
        ]
        result = dict(seconds=seconds_per_step(sample), GT=_count(pred, truth, name))
        reference = label_maps(sample, 'ref_panoptic')
        if reference is not None:
            check_horizon(name, len(pred), len(reference), 'ref_panoptic holds', 'step')
            made = forecast_steps(sample, len(pred))
            result['REF'] = _count(pred, [m if is_made else None for is_made, m in zip(made, reference)], name)
        return result

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score the summed counts; log them step by step and class by class.

        Raises:
            ValueError: There are no clips, or they differ in their number of steps.
        """
        require_clips(self, results)
        counts = {kind: sum_counts(results, kind) for kind in ('GT', 'REF')}
        counts = {kind: count for kind, count in counts.items() if count is not None}
        labeled = counts['GT'].any(axis=(1, 2))
        if not labeled.any():
            print_log(
                f'PanopticMetric: no forecast frame of {plural(len(results), "clip")} has labels, so the '
                'scores are NaN; load gt_instance_map, and forecast up to a labeled frame',
                logger='current',
                level=logging.WARNING,
            )
        metrics = {}
        for kind, count in counts.items():
            prefix = '' if kind == 'GT' else f'{kind}/'
            metrics.update({prefix + key: value for key, value in _means(count[-1]).items()})
            for step, step_counts in enumerate(count, start=1):
                if self.steps == 'all' and step_counts.any():
                    means = _means(step_counts)
                    metrics.update({f'{prefix}t+{step}/{key}': value for key, value in means.items()})
        if self.classwise:
            for name, scores in zip(self.CLASSES, panoptic_quality(counts['GT'][-1]).tolist()):
                metrics.update({f'{key}/{name}': score for key, score in zip(_SCORES, scores)})
        self._log(counts, results)
        return metrics

    def _log(self, counts: dict[str, np.ndarray], results: list[dict]) -> None:
        """Log the means by step, and the scores of the last step by class."""
        seconds = common_seconds(results)
        by_step = []
        for step in range(len(counts['GT'])):
            row = {'step': f't+{step + 1}', 'seconds': None if seconds is None else (step + 1) * seconds}
            for kind, count in counts.items():
                means, prefix = _means(count[step]), '' if kind == 'GT' else f'{kind}/'
                row.update({prefix + key: means[key] for key in _LOGGED[kind]})
            by_step.append(row)
        by_class = [
            {'Class': name, **dict(zip(_SCORES, scores))}
            for name, scores in zip(self.CLASSES, panoptic_quality(counts['GT'][-1]).tolist())
        ]
        for table in (by_step, by_class):
            print_log('\n' + format_table(table, decimals=2), logger='current', level=logging.INFO)


def _means(counts: np.ndarray) -> dict[str, float]:
    """Scores of counts (19, 4) by name: over all classes, things and stuff."""
    return {
        f'{score}{group}': value
        for group, classes in PANOPTIC_GROUPS.items()
        for score, value in zip(_SCORES, mean_panoptic_quality(counts, classes))
    }


def _count(pred: np.ndarray, target: Sequence[np.ndarray | None], name: str) -> np.ndarray:
    """Counts (n, 19, 4) of n panoptic maps; zero where the target is None."""
    counts = np.zeros((len(pred), len(CITYSCAPES_CLASSES), 4))
    for step, (forecast, truth) in enumerate(zip(pred, target)):
        if truth is None:
            continue
        if forecast.shape != truth.shape:
            raise ValueError(
                f'{name}: the forecast is {size_text(forecast)} but what to compare it with is '
                f'{size_text(truth)} (height x width): let the decoders write at the size of the frames'
            )
        counts[step] = panoptic_counts(forecast, truth)
    return counts
