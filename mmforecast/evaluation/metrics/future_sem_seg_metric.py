"""Scores of forecast label maps, per roll-out step, against ground truth and the segmentor."""

import logging
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmforecast.evaluation.functional import (
    confusion_matrix,
    iou_per_class,
    mean_class_accuracy,
    mean_iou,
    per_class_accuracy,
    pixel_accuracy,
)
from mmforecast.evaluation.table import format_table
from mmforecast.registry import METRICS
from mmforecast.utils.checks import check_choice
from mmforecast.utils.text import plural

from .clips import (
    STEPS,
    as_choices,
    check_horizon,
    clip_dicts,
    clip_name,
    common_seconds,
    forecast_steps,
    label_maps,
    seconds_per_step,
    size_text,
    sum_counts,
)
from .speed import camera_speed, speed_groups

# What a forecast is compared with: ground truth, or the segmentor's output on the true frame.
_KINDS = ('GT', 'SEG')


@METRICS.register_module()
class FutureSemSegMetric(BaseMetric):
    """mIoU, IoU-MO and accuracies of forecast label maps (S2S, arXiv 1703.07684, section 4).

    Step ``k`` of ``pred_sem_seg`` is scored against frame ``num_past + k`` of ``gt_sem_seg`` (GT)
    and step ``k`` of ``ref_sem_seg`` (SEG). Counts are summed over the dataset, then scored, so
    absent classes are skipped over the whole set. All scores are in percent.

    Keys of the result:

    - ``mIoU``, ``IoU-MO`` (mean over the moving objects), ``aAcc`` (pixels), ``mAcc`` (mean over
      classes): GT, last step. The same with ``SEG/`` in front: SEG, last step.
    - ``t+1/mIoU``, ``t+1/IoU-MO``, ``t+2/...`` and ``SEG/t+1/mIoU``, ...: every step, counted in
      roll-out steps, not frames.
    - ``IoU/road``, ``Acc/road``, ``SEG/IoU/road``, ...: each class at the last step, with ``classwise``; NaN
      where the class is absent.

    - ``mIoU/speed-low``, ``speed-mid``, ``speed-high``, ..., with ``by_speed``, and with ``SEG/`` in front:
      the last step's scores of the thirds of the clips by the camera's speed.

    A step without labels in the whole set has no GT keys, and a step that was not forecast has none at all;
    without moving ids there is no IoU-MO.

    Args:
        ignore_index: Value of pixels without a label.
        moving_ids: Train ids of the moving objects. ``dataset_meta['moving_ids']`` if None.
        iou_kinds: What to compare with: 'GT', 'SEG' or both.
        steps: 'all', or 'last' to leave the ``t+k`` keys out.
        per_class_table: Log IoU and accuracy of each class at the last step.
        classwise: Report ``IoU/<class>`` and ``Acc/<class>`` too.
        by_speed: Report by the camera's speed, which ``ClipCameraSpeed`` estimates.
        collect_device: 'cpu' or 'gpu', where the processes' results are brought together.
        prefix: Put before every key, as in ``prefix/mIoU``.
    """

    default_prefix = ''  # mmengine warns of None

    def __init__(
        self,
        ignore_index: int = 255,
        moving_ids: Sequence[int] | None = None,
        iou_kinds: Sequence[str] = _KINDS,
        steps: str = 'all',
        per_class_table: bool = True,
        classwise: bool = False,
        by_speed: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        check_choice('FutureSemSegMetric', STEPS, steps=steps)
        self.ignore_index = ignore_index
        self.moving_ids = moving_ids
        self.iou_kinds = as_choices('FutureSemSegMetric', _KINDS, iou_kinds=iou_kinds)
        self.steps = steps
        self.per_class_table = per_class_table
        self.classwise = classwise
        self.by_speed = by_speed

    @property
    def confusion_classes(self) -> tuple[str, ...]:
        """The classes of the confusion counts that :meth:`process` keeps."""
        return tuple(self._meta('classes'))

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the confusion counts of each clip, never its maps.

        The counts stay apart by clip: a distributed sampler repeats clips to give each process
        the same number, and the repeated ones can only be dropped while they can be told apart.

        Args:
            data_batch: Not used.
            data_samples: ``ForecastDataSample``, or dicts with its fields and metainfo.
        """
        self.results.extend(map(self._score_clip, clip_dicts(data_samples)))

    def _score_clip(self, sample: dict) -> dict[str, Any]:
        """Counts (n, C, C + 1) of the kinds that the clip has, and the seconds between steps."""
        name = clip_name(sample)
        pred = label_maps(sample, 'pred_sem_seg')
        if pred is None:
            raise ValueError(
                f'{name} has no pred_sem_seg: FutureSemSegMetric needs a forecaster '
                'whose decoder writes label maps'
            )
        result: dict[str, Any] = {'seconds': seconds_per_step(sample)}
        done = forecast_steps(sample, len(pred))
        truth = label_maps(sample, 'gt_sem_seg') if 'GT' in self.iou_kinds else None
        if truth is not None:
            num_past = sample['num_past']
            labelled = sample.get('labelled', [True] * len(truth))[num_past:]
            scored = [made and known for made, known in zip(done, labelled)]
            result['GT'] = self._count(
                pred, truth[num_past:], scored, name, 'the clip carries', 'future frame'
            )
        reference = label_maps(sample, 'ref_sem_seg') if 'SEG' in self.iou_kinds else None
        if reference is not None:
            result['SEG'] = self._count(pred, reference, done, name, 'ref_sem_seg holds', 'step')
        if self.by_speed:
            result['speed'] = camera_speed(sample)
        return result

    def _count(
        self,
        pred: np.ndarray,
        target: np.ndarray,
        scored: Sequence[bool],
        name: str,
        holder: str,
        unit: str,
    ) -> np.ndarray:
        steps = len(pred)
        check_horizon(name, steps, len(target), holder, unit)
        if pred.shape[1:] != target.shape[1:]:
            raise ValueError(
                f'{name}: predicted label maps are {size_text(pred)} but those to compare with are '
                f'{size_text(target)} (height x width): let the decoder resize its scores, or load '
                'labels at the size of the prediction'
            )
        num_classes = len(self._meta('classes'))
        counts = np.zeros((steps, num_classes, num_classes + 1), dtype=np.int64)
        for step in range(steps):
            if scored[step]:
                counts[step] = confusion_matrix(pred[step], target[step], num_classes, self.ignore_index)
        return counts

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score the summed counts; log them step by step and class by class.

        Raises:
            ValueError: There is nothing to score, or clips differ in their number of steps.
        """
        conf = {kind: sum_counts(results, kind) for kind in self.iou_kinds}
        conf = {kind: counts for kind, counts in conf.items() if counts is not None and counts.any()}
        if not conf:
            raise ValueError(
                f'FutureSemSegMetric has nothing to score in {plural(len(results), "clip")}: no '
                f'future frame has what iou_kinds={self.iou_kinds} compares with (GT needs labels '
                'on a forecast frame, SEG needs ref_sem_seg, which the forecaster writes when it '
                'is given the true future)'
            )
        metrics: dict[str, float] = {}
        for kind, counts in conf.items():
            metrics.update(self._metrics_of(counts, prefix='' if kind == 'GT' else f'{kind}/'))
        if self.by_speed:
            metrics.update(self._metrics_by_speed(results, conf))
        self._log(conf, results)
        return metrics

    def _metrics_of(self, counts: np.ndarray, prefix: str) -> dict[str, float]:
        """Result keys of one kind: the last step's scores, then every step's."""
        metrics = {}
        if counts[-1].any():
            scores = dict(
                self._ious(counts[-1]),
                aAcc=pixel_accuracy(counts[-1]),
                mAcc=mean_class_accuracy(counts[-1]),
            )
            if self.classwise:
                for column, values in _class_scores(counts[-1]).items():
                    named = zip(self._meta('classes'), values.tolist(), strict=True)
                    scores.update({f'{column}/{name}': value for name, value in named})
            metrics.update({f'{prefix}{key}': value for key, value in scores.items()})
        if self.steps == 'all':
            for step, step_counts in enumerate(counts, start=1):
                if step_counts.any():
                    for key, value in self._ious(step_counts).items():
                        metrics[f'{prefix}t+{step}/{key}'] = value
        return metrics

    def _metrics_by_speed(self, results: list[dict], kinds: Collection[str]) -> dict[str, float]:
        """The last step's scores of each third of the clips by the camera's speed."""
        metrics = {}
        for group, clips in speed_groups(results).items():
            for kind in kinds:
                counts = sum_counts([results[clip] for clip in clips], kind)
                if counts is not None and counts[-1].any():
                    for key, value in self._ious(counts[-1]).items():
                        metrics[f'{"" if kind == "GT" else kind + "/"}{key}/{group}'] = value
        return metrics

    def _ious(self, counts: np.ndarray) -> dict[str, float]:
        scores = {'mIoU': mean_iou(counts)}
        moving_ids = self.moving_ids
        if moving_ids is None:
            moving_ids = (self.dataset_meta or {}).get('moving_ids')
        if moving_ids:
            scores['IoU-MO'] = mean_iou(counts, moving_ids)
        return scores

    def _meta(self, key: str) -> Any:
        if not self.dataset_meta or key not in self.dataset_meta:
            raise ValueError(
                f"FutureSemSegMetric needs dataset_meta['{key}']: give the dataset a "
                f"METAINFO with '{key}', or set metric.dataset_meta"
            )
        return self.dataset_meta[key]

    def _log(self, conf: dict[str, np.ndarray], results: list[dict]) -> None:
        seconds = common_seconds(results)
        rows = []
        for step in range(len(next(iter(conf.values())))):
            row = {
                'step': f't+{step + 1}',
                'seconds': None if seconds is None else (step + 1) * seconds,
            }
            for kind, counts in conf.items():
                if counts[step].any():
                    ious = self._ious(counts[step])
                    row.update({f'{key} {kind}': value for key, value in ious.items()})
            rows.append(row)
        tables = [format_table(rows, decimals=2)]
        if self.per_class_table:
            tables.append(format_table(self._class_rows(conf), decimals=2))
        for table in tables:
            print_log('\n' + table, logger='current', level=logging.INFO)

    def _class_rows(self, conf: dict[str, np.ndarray]) -> list[dict]:
        rows = [{'Class': name} for name in self._meta('classes')]
        for kind, counts in conf.items():
            for column, values in _class_scores(counts[-1]).items():
                for row, value in zip(rows, values, strict=True):
                    row[f'{column} {kind}'] = float(value)
        return rows


def _class_scores(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Scores (C,) of each class by name."""
    return {'IoU': iou_per_class(counts), 'Acc': per_class_accuracy(counts)}
