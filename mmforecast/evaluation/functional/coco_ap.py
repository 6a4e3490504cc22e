"""Average precision of detections by COCO's protocol, computed by pycocotools."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from pycocotools.mask import area as mask_area

__all__ = ['COCO_AREAS', 'Detections', 'coco_ap', 'labels_in', 'mean_coco_ap']

# Areas in pixels that part small from medium, and medium from large objects.
COCO_AREAS = (32.0**2, 96.0**2)
_SIZES = ('all', 'small', 'medium', 'large')


@dataclass
class Detections:
    """What is found in a frame.

    Attributes:
        boxes: (N, 4) x1 y1 x2 y2 in pixels.
        labels: (N,) int.
        scores: (N,).
        masks: N run-length encoded masks, as ``pycocotools.mask.encode`` gives them; empty without masks.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    masks: list[dict] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.labels)


def coco_ap(
    forecasts: Sequence[Detections],
    references: Sequence[Detections],
    groups: Mapping[str, Sequence[int]] | None = None,
    areas: tuple[float, float] = COCO_AREAS,
    masks: bool = False,
) -> dict[str, dict[str, np.ndarray]]:
    """AP of every class, size and threshold, of frames in groups.

    A forecast that matches no reference of its class counts as false. Of a class, the 100 of a frame with the
    highest scores count.

    Args:
        forecasts: One per frame.
        references: One per frame; the scores are not used.
        groups: Indices of frames by a name that isn't 'all'; 'all' frames are always a group.
        areas: Limits of small and of medium objects, in pixels of the box, or of the mask with ``masks``.
        masks: Whether masks are compared, instead of boxes.

    Returns:
        By group, by size ('all', 'small', 'medium', 'large'), (K, 10) shares in [0, 1]: the K classes of the
        references in ascending order of label, at the IoU thresholds .5 to .95. NaN where the group has no
        such object.
    """
    groups = {'all': range(len(references)), **(groups or {})}
    labels = labels_in(references)
    if not labels:
        empty = np.zeros((0, 10))
        return {group: dict.fromkeys(_SIZES, empty) for group in groups}
    kind = 'segm' if masks else 'bbox'
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        evaluation = COCOeval(_dataset(references, labels, masks), _dataset(forecasts, labels, masks), kind)
        params = evaluation.params
        params.areaRng = [[0, 1e10], [0, areas[0]], [areas[0], areas[1]], [areas[1], 1e10]]
        params.areaRngLbl = list(_SIZES)
        params.maxDets = [100]
        out = {}
        for name, frames in groups.items():
            params.imgIds = [int(frame) for frame in frames]
            out[name] = _ap_by_size(evaluation, len(labels))
    return out


def labels_in(frames: Sequence[Detections]) -> list[int]:
    """The labels in these frames, ascending."""
    return sorted({int(label) for frame in frames for label in frame.labels})


def mean_coco_ap(aps: np.ndarray) -> float:
    """The mean in percent of (K, ...) shares over those that aren't NaN; NaN without any."""
    known = aps[~np.isnan(aps)]
    return 100 * float(known.mean()) if known.size else float('nan')


def _ap_by_size(evaluation: COCOeval, num_labels: int) -> dict[str, np.ndarray]:
    """(K, 10) by size, of the frames that the parameters name."""
    if not evaluation.params.imgIds:
        return {size: np.full((num_labels, 10), np.nan) for size in _SIZES}
    evaluation.evaluate()  # anew: accumulate() takes the parts of another set of frames for those of this
    evaluation.accumulate()
    precision = evaluation.eval['precision'][..., 0]  # thresholds, recalls, classes, sizes
    mean = np.where((precision > -1).all(axis=1), precision.mean(axis=1), np.nan)
    return {size: mean[..., index].T for index, size in enumerate(_SIZES)}


def _dataset(frames: Sequence[Detections], labels: list[int], masks: bool) -> COCO:
    """Detections as COCO's annotations. Identifiers start at 1: pycocotools takes 0 for 'no match'."""
    annotations = []
    for index, frame in enumerate(frames):
        for place in range(len(frame)):
            if int(frame.labels[place]) in labels:
                annotation = _annotation(frame, place, masks)
                annotations.append(dict(annotation, id=len(annotations) + 1, image_id=index))
    coco = COCO()
    coco.dataset = dict(
        # the size is asked for, but only that of polygons would matter
        images=[dict(id=index, height=0, width=0) for index in range(len(frames))],
        annotations=annotations,
        categories=[dict(id=label) for label in labels],
    )
    coco.createIndex()
    return coco


def _annotation(frame: Detections, place: int, masks: bool) -> dict:
    left, top, right, bottom = (float(side) for side in frame.boxes[place])
    width, height = right - left, bottom - top
    annotation = dict(
        category_id=int(frame.labels[place]),
        score=float(frame.scores[place]),
        bbox=[left, top, width, height],
        area=width * height,
        iscrowd=0,
    )
    if masks:
        mask = frame.masks[place]
        annotation.update(segmentation=mask, area=float(mask_area(mask)))
    return annotation
