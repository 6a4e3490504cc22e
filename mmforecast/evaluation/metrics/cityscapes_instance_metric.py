"""Scores of forecast instances, per roll-out step: Cityscapes' AP, and IoU of moving objects."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import InstanceData

from mmforecast.evaluation.functional import (
    MOVING_CLASSES,
    SCORE_RULES,
    FrameMatches,
    average_precision,
    confusion_matrix,
    iou_per_class,
    make_disjoint,
    match_instances,
    mean_average_precision,
    mean_iou,
    moving_from_id_map,
    moving_from_train_ids,
)
from mmforecast.evaluation.table import format_table
from mmforecast.registry import METRICS
from mmforecast.structures import instances_to_sem_seg
from mmforecast.structures.cityscapes import THING_CLASSES
from mmforecast.utils.checks import check_at_least, check_choice
from mmforecast.utils.text import plural

from .clips import (
    STEPS,
    as_choices,
    clip_dicts,
    clip_name,
    common_seconds,
    forecast_length,
    forecast_steps,
    id_maps_of_steps,
    label_maps,
    require_clips,
    scorable,
    seconds_per_step,
    size_text,
    sum_counts,
)

# What the AP of disjoint instances is called, by the rule of their scores.
_NO_AP = {'own': 'NO-AP', 'constant': 'NO-AP-const'}
_NUM_CLASSES = 1 + len(MOVING_CLASSES)  # the background of the semantic reading comes first


@METRICS.register_module()
class CityscapesInstanceMetric(BaseMetric):
    """AP and IoU-MO of forecast instances (F2F, arXiv 1803.11496, section 4.1).

    Step ``k`` of ``pred_instances`` is scored against frame ``num_past + k`` of
    ``gt_instance_map``, where that frame is labeled. AP follows the rules of Cityscapes' official
    script. IoU-MO is the mean IoU over the eight moving classes of the label map that the instances
    paint, everything else being background; with ``ref_instances``, the detector's own output on the
    true frames, it is also taken against theirs (REF). A sample without ``pred_instances`` but with
    ``pred_sem_seg``, a forecaster of label maps, has IoU-MO alone. All scores are in percent, over
    the whole dataset.

    Keys of the result:

    - ``AP`` (mean over IoU thresholds .5 to .95 and classes), ``AP50``, ``IoU-MO``: last step. NaN
      where it has no labels, or no object to find. No AP without instances.
    - ``REF/IoU-MO``: last step, against the reference.
    - ``t+1/AP``, ``t+1/AP50``, ``t+1/IoU-MO``, ``REF/t+1/IoU-MO``, ...: every step that has labels
      (or a reference), counted in roll-out steps, not frames.
    - ``AP/person``, ``AP50/person``, ...: each class at the last step, with ``classwise``; NaN where the class
      has no object to find.
    - ``NO-AP``, ``NO-AP50`` and ``NO-AP-const``, ``NO-AP50-const``, by step too, with ``no_ap``: AP of the
      instances made disjoint (see ``make_disjoint``; D2D, ECCVW 2018).

    Args:
        min_region_size: Pixels from which on an object must be found. The official 100 are meant for
            1024x2048; at half the height and width, 25 are the same.
        score_thr: Score from which on an instance is painted for IoU-MO, and for NO-AP. AP knows no
            threshold.
        no_ap: Rules of scores to report the non-overlapping AP by: 'own' (``NO-AP``), 'constant'
            (``NO-AP-const``), both or none.
        semantics: What IoU-MO reads of a forecast with both: its 'instances', or its 'labels', the label map.
        steps: 'all', or 'last' to leave the ``t+k`` keys out.
        classwise: Report ``AP/<class>`` and ``AP50/<class>`` too; the log has them in any case.
        collect_device: 'cpu' or 'gpu', where the processes' results are brought together.
        prefix: Put before every key, as in ``prefix/AP``.
    """

    default_prefix = ''  # mmengine warns of None

    CLASSES = THING_CLASSES

    def __init__(
        self,
        min_region_size: int = 100,
        score_thr: float = 0.5,
        steps: str = 'all',
        classwise: bool = False,
        no_ap: Sequence[str] = (),
        semantics: str = 'instances',
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        owner = type(self).__name__
        check_at_least(owner, 0, min_region_size=min_region_size)
        check_choice(owner, STEPS, steps=steps)
        check_choice(owner, ('instances', 'labels'), semantics=semantics)
        self.no_ap = as_choices(owner, SCORE_RULES, least=0, no_ap=no_ap)
        self.semantics = semantics
        self.min_region_size = min_region_size
        self.score_thr = score_thr
        self.steps = steps
        self.classwise = classwise

    @property
    def confusion_classes(self) -> tuple[str, ...]:
        """The classes of the confusion counts that :meth:`process` keeps."""
        return ('background', *self.CLASSES)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep matches and counts of each clip, never its masks.

        Args:
            data_batch: Not used.
            data_samples: ``ForecastDataSample``, or dicts with its fields and metainfo.
        """
        self.results.extend(map(self._score_clip, clip_dicts(data_samples)))

    def _score_clip(self, sample: dict) -> dict[str, Any]:
        """The matches and counts of a clip with n steps.

        Keys: 'seconds' between steps; 'GT' and, with a reference, 'REF': confusion counts (n, 9, 10);
        and, with instances, 'AP' and those of ``_NO_AP`` that are wanted: n FrameMatches, None where the
        frame is unlabeled.
        """
        name = clip_name(sample)
        steps, ref_steps = forecast_length(sample, 'pred'), forecast_length(sample, 'ref')
        if steps is None:
            raise ValueError(
                f'{name} has neither pred_instances nor pred_sem_seg: CityscapesInstanceMetric '
                'needs a forecaster whose decoder writes instances or label maps'
            )
        if ref_steps is not None and ref_steps < steps:
            raise ValueError(
                f'{name}: the forecaster predicts {plural(steps, "step")} but the reference '
                f'holds {plural(ref_steps, "step")}: decode both over the same steps'
            )
        sample = scorable(sample)
        truth = id_maps_of_steps(sample, steps)
        kinds = ('GT',) if ref_steps is None else ('GT', 'REF')
        shape = steps, _NUM_CLASSES, _NUM_CLASSES + 1
        result: dict[str, Any] = {kind: np.zeros(shape, dtype=np.int64) for kind in kinds}
        for step, id_map in enumerate(truth):
            if id_map is not None:
                target = moving_from_id_map(id_map)
                result['GT'][step] = self._confusion(sample, step, target, name)
            if 'REF' in result and forecast_steps(sample, steps)[step]:
                target = self._moving_map(sample, 'ref', step)
                result['REF'][step] = self._confusion(sample, step, target, name)
        if sample.get('pred_instances') is not None:
            for kind, instances in self._kinds_of(sample['pred_instances']).items():
                result[kind] = [
                    None if id_map is None else _match(found, id_map, self.min_region_size)
                    for found, id_map in zip(instances, truth)
                ]
        return {**result, 'seconds': seconds_per_step(sample)}

    def _kinds_of(self, instances: list[InstanceData]) -> dict[str, list[InstanceData]]:
        """The instances that each kind of AP is computed from, by the name of the kind."""
        kinds = {'AP': instances}
        for rule in self.no_ap:
            kinds[_NO_AP[rule]] = [make_disjoint(step, self.score_thr, rule) for step in instances]
        return kinds

    def _confusion(self, sample: dict, step: int, target: np.ndarray, name: str) -> np.ndarray:
        forecast = self._moving_map(sample, 'pred', step)
        if forecast.shape != target.shape:
            raise ValueError(
                f'{name}: the forecast is {size_text(forecast)} but what to compare it with is '
                f'{size_text(target)} (height x width): let the decoder write masks or label maps '
                "at the clip's frame size, or load labels at the size of the prediction"
            )
        scored = np.flatnonzero(forecast | target)  # most pixels are background in both
        counts = confusion_matrix(forecast.ravel()[scored], target.ravel()[scored], _NUM_CLASSES)
        counts[0, 0] = target.size - scored.size
        return counts

    def _moving_map(self, sample: dict, kind: str, step: int) -> np.ndarray:
        """Moving classes (H, W) of a step, from its instances or its label map."""
        by_label = self.semantics == 'labels' and sample.get(f'{kind}_sem_seg') is not None
        if by_label or sample.get(f'{kind}_instances') is None:
            return moving_from_train_ids(label_maps(sample, f'{kind}_sem_seg')[step])
        instances = sample[f'{kind}_instances'][step]
        size = tuple(instances.masks.shape[1:]) if len(instances) else sample['img_shape']
        return moving_from_train_ids(instances_to_sem_seg(instances, size, self.score_thr))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score matches and summed counts; log them step by step and class by class.

        Raises:
            ValueError: There are no clips, or they differ in their number of steps.
        """
        require_clips(self, results)
        counts = {kind: sum_counts(results, kind) for kind in ('GT', 'REF')}
        labeled = counts['GT'].any(axis=(1, 2))
        if not labeled.any():
            print_log(
                f'CityscapesInstanceMetric: no forecast frame of {plural(len(results), "clip")} has '
                'labels, so the scores are NaN; load gt_instance_map, and forecast up to a labeled '
                'frame',
                logger='current',
                level=logging.WARNING,
            )
        kinds = ('AP', *(_NO_AP[rule] for rule in self.no_ap))
        aps = {kind: _ap_of_steps(results, kind, steps=len(labeled)) for kind in kinds}
        aps = {kind: values for kind, values in aps.items() if values is not None}
        rows = [self._scores_of_step(aps, counts, step) for step in range(len(labeled))]
        metrics = dict(rows[-1])
        if self.classwise and aps:
            for name, values in zip(self.CLASSES, aps['AP'][-1]):
                metrics.update({f'AP/{name}': float(values.mean()), f'AP50/{name}': float(values[0])})
        if self.steps == 'all':
            for step, row in enumerate(rows):
                for key, value in row.items():
                    kind, _, score = key.rpartition('/')
                    if kind or labeled[step]:
                        metrics['/'.join(filter(None, (kind, f't+{step + 1}', score)))] = value
        self._log(rows, aps, counts['GT'][-1], results)
        return metrics

    @staticmethod
    def _scores_of_step(
        aps: dict[str, np.ndarray], counts: dict[str, np.ndarray | None], step: int
    ) -> dict[str, float]:
        scores = {}
        for kind, values in aps.items():
            scores[kind] = mean_average_precision(values[step])
            scores[kind.replace('AP', 'AP50')] = mean_average_precision(values[step, :, :1])
        scores['IoU-MO'] = mean_iou(counts['GT'][step], MOVING_CLASSES)
        if counts['REF'] is not None:
            scores['REF/IoU-MO'] = mean_iou(counts['REF'][step], MOVING_CLASSES)
        return scores

    def _log(
        self, rows: list[dict], aps: dict[str, np.ndarray], counts: np.ndarray, results: list[dict]
    ) -> None:
        """Log ``rows`` by step, and AP and IoU of the last step by class."""
        seconds = common_seconds(results)
        by_step = [
            {'step': f't+{step}', 'seconds': None if seconds is None else step * seconds, **row}
            for step, row in enumerate(rows, start=1)
        ]
        by_class = [
            {'Class': name, 'IoU': float(iou)}
            for name, iou in zip(self.CLASSES, iou_per_class(counts)[list(MOVING_CLASSES)])
        ]
        if aps:
            for row, values in zip(by_class, aps['AP'][-1]):
                row.update(AP=float(values.mean()), AP50=float(values[0]))
        for table in (by_step, by_class):
            text = format_table(table, decimals=2)
            print_log('\n' + text, logger='current', level=logging.INFO)


def _match(instances: InstanceData, id_map: np.ndarray, min_region_size: int) -> FrameMatches:
    if not len(instances):
        none = np.zeros(0, dtype=np.int64)
        masks = np.zeros((0, *id_map.shape), dtype=bool)
        return match_instances(none, none, masks, id_map, min_region_size)
    return match_instances(instances.labels, instances.scores, instances.masks, id_map, min_region_size)


def _ap_of_steps(results: list[dict], kind: str, steps: int) -> np.ndarray | None:
    """AP (n, 8, T) by step, class and threshold; None if no clip has instances."""
    matches = [result[kind] for result in results if kind in result]
    if not matches:
        return None
    return np.stack(
        [
            average_precision([clip[step] for clip in matches if clip[step] is not None])
            for step in range(steps)
        ]
    )
