"""Agreement of forecast detections with the detector's own on the true future frames."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from pycocotools.mask import encode

from mmforecast.evaluation.functional import COCO_AREAS, Detections, coco_ap, labels_in, mean_coco_ap
from mmforecast.evaluation.table import format_table
from mmforecast.registry import METRICS
from mmforecast.structures.cityscapes import THING_CLASSES
from mmforecast.utils.checks import check_choice, check_range

from .clips import (
    STEPS,
    as_choices,
    check_horizon,
    clip_dicts,
    clip_name,
    common_seconds,
    require_clips,
    require_one_horizon,
    seconds_per_step,
)
from .speed import SPEEDS, camera_speed, speed_groups

# What is compared, and what its scores are called.
_NAMES = {'box': 'AP', 'mask': 'mask-AP'}
_SIZES = ('small', 'medium', 'large')


@METRICS.register_module()
class DetectionAgreementMetric(BaseMetric):
    """AP of forecast boxes and masks against what the detector finds in the true future frames.

    It needs no labels. Step ``k`` of ``pred_instances`` is scored against the confident instances of step
    ``k`` of ``ref_instances``, by COCO's protocol (pycocotools). Forecast instances need no least score: the
    oracle's, which hold those of the reference, the confident ones first, get 100. Boxes are cut to the frame.
    A score is of the detector's opinion: what it overlooks is not asked for, and what it takes for an
    object is. All scores are in percent, over the whole dataset.

    The forecaster must decode the true future too: ``model.test_cfg.reference=True``.

    Keys of the result:

    - ``REF/AP`` (mean over IoU thresholds .5 to .95 and the classes in the reference), ``REF/AP50``: last
      step. NaN where the reference has no object. With masks, ``REF/mask-AP`` and ``REF/mask-AP50``.
    - ``REF/t+1/AP``, ``REF/t+1/AP50``, ...: every step, counted in roll-out steps, not frames.
    - ``REF/AP50/small``, ``medium``, ``large``: by the size of the objects, last step.
    - ``REF/AP/car``, ``REF/AP50/car``, ...: each class of the reference at the last step, with ``classwise``.
    - ``REF/AP50/speed-low``, ``speed-mid``, ``speed-high`` with ``by_speed``: the thirds of the clips by the
      camera's speed, last step.

    Args:
        score_thr: Score from which on an instance of the reference counts.
        iou_types: What is compared: 'box', 'mask' or both.
        areas: Where small and medium objects end, in pixels of the frames as the pipeline resizes them.
        steps: 'all', or 'last' to leave the ``t+k`` keys out.
        classwise: Report classes too; the log has them in any case.
        by_speed: Report by the camera's speed, which ``ClipCameraSpeed`` estimates.
        classes: Names of the labels; by default those that the instances bring (``instance_classes``), or else
            the eight of Cityscapes. Labels without a name are reported by number.
        collect_device: 'cpu' or 'gpu', where the processes' results are brought together.
        prefix: Put before every key, as in ``prefix/REF/AP``.
    """

    default_prefix = ''  # mmengine warns of None

    def __init__(
        self,
        score_thr: float = 0.5,
        iou_types: str | Sequence[str] = 'box',
        areas: tuple[float, float] = COCO_AREAS,
        steps: str = 'all',
        classwise: bool = False,
        by_speed: bool = False,
        classes: Sequence[str] | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        owner = type(self).__name__
        check_range(owner, 0, 1, score_thr=score_thr)
        check_choice(owner, STEPS, steps=steps)
        self.iou_types = as_choices(owner, tuple(_NAMES), iou_types=iou_types)
        if len(areas) != 2 or not 0 < areas[0] < areas[1]:
            raise ValueError(f'{owner}: areas must be two ascending areas above 0, got {areas!r}')
        self.score_thr = score_thr
        self.areas = tuple(areas)
        self.steps = steps
        self.classwise = classwise
        self.by_speed = by_speed
        self.classes = classes

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the boxes of each clip, and its masks run-length encoded.

        Args:
            data_batch: Not used.
            data_samples: ``ForecastDataSample``, or dicts with its fields and metainfo.
        """
        self.results.extend(map(self._read_clip, clip_dicts(data_samples)))

    def _read_clip(self, clip: dict) -> dict[str, Any]:
        """What is kept of a clip with n steps.

        Keys: 'seconds' between steps; n 'pred' and n 'ref', the latter None where nothing was decoded;
        'classes', the names of the labels, or None; 'speed' of the camera, with ``by_speed``.
        """
        name = clip_name(clip)
        pred, reference = clip.get('pred_instances'), clip.get('ref_instances')
        if pred is None:
            raise ValueError(
                f'{name} has no pred_instances: DetectionAgreementMetric needs a forecaster whose decoder '
                'writes instances'
            )
        if reference is None:
            raise ValueError(
                f'{name} has no ref_instances, what the detector finds in the true future frames: set '
                'model.test_cfg.reference=True, and load all frames of the clip'
            )
        check_horizon(name, len(pred), len(reference), 'ref_instances holds', 'step')
        size = clip.get('img_shape')
        decoded = ['bboxes' in found for found in reference[: len(pred)]]
        result = dict(
            seconds=seconds_per_step(clip),
            pred=[self._detections(found, size, name) for found in pred],
            ref=[
                self._detections(found, size, name, self.score_thr) if done else None
                for found, done in zip(reference, decoded)
            ],
            classes=next((found.get('instance_classes') for found in reference), None),
        )
        if self.by_speed:
            result['speed'] = camera_speed(clip)
        return result

    def _detections(
        self, instances: InstanceData, size: Sequence[int] | None, name: str, least: float = 0.0
    ) -> Detections:
        """The instances with a score of ``least`` or more whose box isn't empty within the frame."""
        if 'bboxes' not in instances:
            return Detections(np.zeros((0, 4)), np.zeros(0, dtype=np.int64), np.zeros(0))
        boxes, labels, scores = (_array(instances[key]) for key in ('bboxes', 'labels', 'scores'))
        boxes = boxes.astype(np.float64).reshape(-1, 4)
        if size is not None:
            height, width = size
            boxes = boxes.clip(0, [width, height, width, height])
        kept = (scores >= least) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        masks = []
        if 'mask' in self.iou_types:
            if 'masks' not in instances:
                raise ValueError(
                    f"{name} has instances without masks: leave 'mask' out of iou_types, or use a detector "
                    'with masks'
                )
            masks = [encode(np.asfortranarray(mask, dtype=np.uint8)) for mask in _array(instances.masks)[kept]]
        return Detections(boxes[kept], labels[kept], scores[kept], masks)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score the steps; log them, and sizes, classes and speeds at the last one.

        Raises:
            ValueError: There are no clips, they differ in their number of steps, or the last step was not
                decoded.
        """
        require_clips(self, results)
        require_one_horizon([result['pred'] for result in results])
        *before, last = self._scored_steps(results)
        groups = speed_groups(results) if self.by_speed else {}
        by_step: dict[str, dict[str, float]] = {}
        by_part: dict[str, dict[str, float]] = {}
        for kind in self.iou_types:
            name = _NAMES[kind]
            for step in before:
                aps = self._aps(results, step, kind)['all']['all']
                by_step.setdefault(f't+{step + 1}', {}).update(_both(aps, name))
            final = self._aps(results, last, kind, groups)
            by_step.setdefault(f't+{last + 1}', {}).update(_both(final['all']['all'], name))
            for part, aps in self._parts(results, last, final).items():
                by_part.setdefault(part, {}).update(_both(aps, name))
        self._log(by_step, by_part, results)
        metrics = {f'REF/{key}': value for key, value in by_step[f't+{last + 1}'].items()}
        if self.steps == 'all':
            for step, scores in by_step.items():
                metrics.update({f'REF/{step}/{key}': value for key, value in scores.items()})
        for part, scores in by_part.items():
            if self.classwise or part in (*_SIZES, *SPEEDS):
                metrics.update({f'REF/{key}/{part}': value for key, value in scores.items()})
        return metrics

    def _scored_steps(self, results: list[dict]) -> list[int]:
        """The steps whose reference was decoded in all clips; the last one must be."""
        num_steps = len(results[0]['pred'])
        decoded = [all(result['ref'][step] is not None for result in results) for step in range(num_steps)]
        if not decoded[-1]:
            raise ValueError(
                'DetectionAgreementMetric: the reference has no instances of the last step; let the decoder '
                "read steps='all' or 'last'"
            )
        return [step for step in range(num_steps) if decoded[step]]

    def _aps(
        self, results: list[dict], step: int, kind: str, groups: dict[str, np.ndarray] | None = None
    ) -> dict[str, dict[str, np.ndarray]]:
        """See ``coco_ap``; a frame is a clip's at this step."""
        pred = [result['pred'][step] for result in results]
        reference = [result['ref'][step] for result in results]
        return coco_ap(pred, reference, groups, self.areas, masks=kind == 'mask')

    def _parts(
        self, results: list[dict], step: int, aps: dict[str, dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Shares (K, 10) of sizes, speeds and classes, by name."""
        parts = {size: aps['all'][size] for size in _SIZES}
        parts.update({group: by_size['all'] for group, by_size in aps.items() if group != 'all'})
        names = self.classes or next((r['classes'] for r in results if r['classes']), THING_CLASSES)
        for label, shares in zip(labels_in([result['ref'][step] for result in results]), aps['all']['all']):
            parts[names[label] if label < len(names) else f'class {label}'] = shares[None]
        return parts

    def _log(self, by_step: dict, by_part: dict, results: list[dict]) -> None:
        """Log the scores by step, and those of the last step by size, speed and class."""
        seconds = common_seconds(results)
        steps = [
            {'step': step, 'seconds': None if seconds is None else int(step[2:]) * seconds, **scores}
            for step, scores in by_step.items()
        ]
        parts = [{'part': part, **scores} for part, scores in by_part.items()]
        for table in (steps, parts):
            print_log('\n' + format_table(table, decimals=2), logger='current', level=logging.INFO)


def _array(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.detach().cpu().numpy()


def _both(aps: np.ndarray, name: str) -> dict[str, float]:
    """AP and AP50 in percent of shares (K, 10), by name."""
    return {name: mean_coco_ap(aps), f'{name}50': mean_coco_ap(aps[:, :1])}
