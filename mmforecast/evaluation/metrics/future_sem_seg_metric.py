"""Scores of forecast label maps, per roll-out step, against ground truth and the segmentor."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement

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

# What a forecast is compared with: ground truth, or the segmentor's output on the true frame.
_KINDS = ('GT', 'SEG')


@METRICS.register_module()
class FutureSemSegMetric(BaseMetric):
    """mIoU, IoU-MO and accuracies of forecast label maps (S2S, arXiv 1703.07684, section 4).

    Step ``k`` of ``pred_sem_seg`` is scored against frame ``num_past + k`` of ``gt_sem_seg`` (GT)
    and step ``k`` of ``ref_sem_seg`` (SEG). Counts are summed over the data set, then scored, so
    absent classes are skipped over the whole set. All scores are in percent.

    Keys of the result:

    - ``mIoU``, ``IoU-MO`` (mean over the moving objects), ``aAcc`` (pixels), ``mAcc`` (mean over
      classes): GT, last step. The same with ``SEG/`` in front: SEG, last step.
    - ``t+1/mIoU``, ``t+1/IoU-MO``, ``t+2/...`` and ``SEG/t+1/mIoU``, ...: every step, counted in
      roll-out steps, not frames.

    A step without labels in the whole set has no GT keys; without moving ids there is no IoU-MO.

    Args:
        ignore_index: Value of pixels without a label.
        moving_ids: Train ids of the moving objects. ``dataset_meta['moving_ids']`` if None.
        iou_kinds: What to compare with: 'GT', 'SEG' or both.
        steps: 'all', or 'last' to leave the ``t+k`` keys out.
        per_class_table: Log IoU and accuracy of each class at the last step.
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
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        iou_kinds = (iou_kinds,) if isinstance(iou_kinds, str) else tuple(iou_kinds)
        if not iou_kinds or not set(iou_kinds) <= set(_KINDS):
            raise ValueError(f'iou_kinds must be one or more of {_KINDS}, got {iou_kinds}')
        if steps not in ('all', 'last'):
            raise ValueError(f"steps must be 'all' or 'last', got '{steps}'")
        self.ignore_index = ignore_index
        self.moving_ids = moving_ids
        self.iou_kinds = iou_kinds
        self.steps = steps
        self.per_class_table = per_class_table

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the confusion counts of each clip, never its maps.

        The counts stay apart by clip: a distributed sampler repeats clips to give each process
        the same number, and the repeated ones can only be dropped while they can be told apart.

        Args:
            data_batch: Not used.
            data_samples: ``ForecastDataSample``, or dicts with its fields and metainfo.
        """
        for sample in data_samples:
            if isinstance(sample, BaseDataElement):
                sample = sample.to_dict()
            self.results.append(self._score_clip(sample))

    def _score_clip(self, sample: dict) -> dict[str, Any]:
        """Counts (n, C, C + 1) of the kinds that the clip has, and the seconds between steps."""
        name = _clip_name(sample)
        pred = _label_maps(sample, 'pred_sem_seg')
        if pred is None:
            raise ValueError(
                f'{name} has no pred_sem_seg: FutureSemSegMetric needs a forecaster '
                'whose decoder writes label maps'
            )
        result: dict[str, Any] = {'seconds': _seconds_per_step(sample)}
        truth = _label_maps(sample, 'gt_sem_seg') if 'GT' in self.iou_kinds else None
        if truth is not None:
            num_past = sample['num_past']
            labelled = sample.get('labelled', [True] * len(truth))[num_past:]
            result['GT'] = self._count(
                pred, truth[num_past:], labelled, name, 'the clip carries', 'future frame'
            )
        reference = _label_maps(sample, 'ref_sem_seg') if 'SEG' in self.iou_kinds else None
        if reference is not None:
            result['SEG'] = self._count(
                pred, reference, [True] * len(reference), name, 'ref_sem_seg holds', 'step'
            )
        return result

    def _count(
        self,
        pred: np.ndarray,
        target: np.ndarray,
        labelled: Sequence[bool],
        name: str,
        holder: str,
        unit: str,
    ) -> np.ndarray:
        steps = len(pred)
        if steps > len(target):
            raise ValueError(
                f'{name}: the forecaster predicts {_plural(steps, "step")} but {holder} '
                f'{_plural(len(target), unit)}: set num_future={steps} in the dataset or '
                f'test_cfg.rollout_steps={len(target)} in the model'
            )
        if pred.shape[1:] != target.shape[1:]:
            raise ValueError(
                f'{name}: predicted label maps are {_size(pred)} but those to compare with are '
                f'{_size(target)} (height x width): let the decoder resize its scores, or load '
                'labels at the size of the prediction'
            )
        num_classes = len(self._meta('classes'))
        counts = np.zeros((steps, num_classes, num_classes + 1), dtype=np.int64)
        for step in range(steps):
            if labelled[step]:
                counts[step] = confusion_matrix(pred[step], target[step], num_classes, self.ignore_index)
        return counts

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score the summed counts; log them step by step and class by class.

        Raises:
            ValueError: There is nothing to score, or clips differ in their number of steps.
        """
        conf = {kind: _sum_counts(results, kind) for kind in self.iou_kinds}
        conf = {kind: counts for kind, counts in conf.items() if counts is not None and counts.any()}
        if not conf:
            raise ValueError(
                f'FutureSemSegMetric has nothing to score in {_plural(len(results), "clip")}: no '
                f'future frame has what iou_kinds={self.iou_kinds} compares with (GT needs labels '
                'on a forecast frame, SEG needs ref_sem_seg, which the forecaster writes when it '
                'is given the true future)'
            )
        metrics: dict[str, float] = {}
        for kind, counts in conf.items():
            metrics.update(self._metrics_of(counts, prefix='' if kind == 'GT' else f'{kind}/'))
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
            metrics.update({f'{prefix}{key}': value for key, value in scores.items()})
        if self.steps == 'all':
            for step, step_counts in enumerate(counts, start=1):
                if step_counts.any():
                    for key, value in self._ious(step_counts).items():
                        metrics[f'{prefix}t+{step}/{key}'] = value
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
        seconds = {result['seconds'] for result in results}
        seconds = seconds.pop() if len(seconds) == 1 else None
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
            columns = {'IoU': iou_per_class(counts[-1]), 'Acc': per_class_accuracy(counts[-1])}
            for column, values in columns.items():
                for row, value in zip(rows, values, strict=True):
                    row[f'{column} {kind}'] = float(value)
        return rows


def _label_maps(sample: dict, field: str) -> np.ndarray | None:
    """The (n, H, W) maps of a PixelData field, or None where the sample does not have it."""
    value = sample.get(field)
    if value is None:
        return None
    maps = value['data'] if isinstance(value, dict) else value.data
    return maps if isinstance(maps, np.ndarray) else maps.detach().cpu().numpy()


def _sum_counts(results: list[dict], kind: str) -> np.ndarray | None:
    counts = [result[kind] for result in results if kind in result]
    if not counts:
        return None
    steps = sorted({len(item) for item in counts})
    if len(steps) > 1:
        raise ValueError(
            f'clips differ in their number of forecast steps: {steps}; score each horizon on its own'
        )
    return np.sum(counts, axis=0)


def _seconds_per_step(sample: dict) -> float | None:
    stride, fps = sample.get('stride'), sample.get('fps')
    return stride / fps if stride and fps else None


def _clip_name(sample: dict) -> str:
    return f"clip '{sample.get('sequence_id', 'unknown')}' {sample.get('frame_names', '')}".strip()


def _plural(number: int, noun: str) -> str:
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'


def _size(maps: np.ndarray) -> str:
    return 'x'.join(str(side) for side in maps.shape[1:])
