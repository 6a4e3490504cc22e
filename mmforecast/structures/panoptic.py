"""Panoptic maps: one segment at every pixel, in the ids of Cityscapes.

A map holds 0 on void; on stuff (the classes without instances) the label id, 7 for road; and on things
``label_id * 1000 + n``. In ground truth the bare label id of a thing is a group of things that nobody took
apart (a crowd); a prediction has none.
"""

import numpy as np
import torch
from mmengine.structures import InstanceData

from .cityscapes import (
    EVALUATED_CLASSES,
    IGNORE_INDEX,
    MAX_INSTANCE_ID,
    THING_CLASSES,
    THING_LABEL_IDS,
    VOID_LABEL_IDS,
    check_instance_ids,
    label_of,
)

__all__ = [
    'STUFF_LABEL_IDS',
    'VOID',
    'merge_panoptic',
    'panoptic_from_id_map',
    'panoptic_to_rgb',
    'segments_of',
    'stuff_of',
]

VOID = 0
STUFF_LABEL_IDS = tuple(row.label_id for row in EVALUATED_CLASSES if not row.moving)
_MAX_PER_CLASS = 1000

# Whether each id is of an evaluated class; the last is that of -1.
_IS_EVALUATED = ~np.isin(label_of(np.append(np.arange(MAX_INSTANCE_ID + 1), -1)), VOID_LABEL_IDS)


def panoptic_from_id_map(id_map: torch.Tensor | np.ndarray) -> torch.Tensor | np.ndarray:
    """The true panoptic map of Cityscapes' ``instanceIds``, of any shape and of its type.

    What Cityscapes doesn't evaluate is void, as is a frame without labels (-1).

    Raises:
        ValueError: ``id_map`` holds a value that Cityscapes doesn't know.
    """
    if isinstance(id_map, torch.Tensor):
        return torch.from_numpy(panoptic_from_id_map(id_map.cpu().numpy())).to(id_map.device)
    check_instance_ids(id_map)
    return np.where(_IS_EVALUATED[id_map], id_map, VOID).astype(id_map.dtype)


def merge_panoptic(
    label_ids: np.ndarray,
    instances: InstanceData,
    score_thr: float = 0.5,
    overlap_thr: float = 0.5,
    stuff_area: float = 0,
) -> np.ndarray:
    """Paste instances over a label map, by COCO's heuristic (Kirillov et al., CVPR 2019).

    Instances come by falling score, equal ones in their order. One that is hidden for more than
    ``overlap_thr`` of its area by those before it is dropped; the others get what is free of their masks. Then
    stuff gets what is free of its pixels. Pixels that the label map gives to things are not used.

    Args:
        label_ids: Integer (H, W), Cityscapes' label ids.
        instances: N instances with ``labels`` (N,) in 0..7, ``scores`` (N,) and ``masks`` (N, H, W) bool.
        score_thr: Instances with a lower score are left out.
        overlap_thr: In [0, 1].
        stuff_area: A class of stuff with fewer free pixels is void.

    Returns:
        int32 (H, W), see the module; the instances of a class are numbered from 0, the surest first.

    Raises:
        ValueError: The masks are not bool or have another size, a label is not in 0..7, or a class has more
            than 1000 instances.
    """
    panoptic = np.full(label_ids.shape, VOID, dtype=np.int32)
    if len(instances):
        _paste_instances(panoptic, instances, score_thr, overlap_thr)
    free = panoptic == VOID
    for label_id in STUFF_LABEL_IDS:
        pixels = free & (label_ids == label_id)
        if pixels.sum() >= stuff_area:
            panoptic[pixels] = label_id
    return panoptic


def _paste_instances(
    panoptic: np.ndarray, instances: InstanceData, score_thr: float, overlap_thr: float
) -> None:
    """Write the ids of instances into a panoptic map that is void, in place."""
    labels, scores, masks = (
        torch.as_tensor(instances.get(key)).cpu().numpy() for key in ('labels', 'scores', 'masks')
    )
    if masks.shape[1:] != panoptic.shape or masks.dtype != bool:
        raise ValueError(
            f'masks are {masks.dtype} {masks.shape[1:]}, but the label map wants bool {panoptic.shape} '
            '(height, width): let both decoders write at the size of the frames'
        )
    if not 0 <= labels.min() <= labels.max() < len(THING_LABEL_IDS):
        raise ValueError(
            f'instances have labels from {labels.min()} to {labels.max()}, but the classes with instances are '
            f"0 to {len(THING_LABEL_IDS) - 1}: let the encoder map its detector's classes "
            "(classes='cityscapes')"
        )
    counts = np.zeros(len(THING_LABEL_IDS), dtype=np.int64)
    for index in np.argsort(-scores, kind='stable'):
        free = masks[index] & (panoptic == VOID)
        area, left = masks[index].sum(), free.sum()
        if scores[index] < score_thr or not left or area - left > overlap_thr * area:
            continue
        label = labels[index]
        if counts[label] == _MAX_PER_CLASS:
            raise ValueError(
                f'a frame has more than {_MAX_PER_CLASS} instances of {THING_CLASSES[label]}, more than ids '
                'can number: raise score_thr'
            )
        panoptic[free] = THING_LABEL_IDS[label] * 1000 + counts[label]
        counts[label] += 1


def stuff_of(panoptic: np.ndarray) -> np.ndarray:
    """uint8 train ids of the stuff in a panoptic map, 255 elsewhere."""
    train_ids = np.full(MAX_INSTANCE_ID + 1, IGNORE_INDEX, dtype=np.uint8)
    for train_id, row in enumerate(EVALUATED_CLASSES):
        if not row.moving:
            train_ids[row.label_id] = train_id
    return train_ids[panoptic]


def segments_of(panoptic: np.ndarray) -> list[dict]:
    """The segments of a panoptic map as in COCO's format (``segments_info``), by id.

    Returns:
        Dicts of ``id``, as on the map; ``category_id``, Cityscapes' label id; ``category``, its name;
        ``isthing`` and ``iscrowd``, 0 or 1; ``area`` in pixels.
    """
    rows = {row.label_id: row for row in EVALUATED_CLASSES}
    segments = []
    for value, area in zip(*np.unique(panoptic, return_counts=True)):
        if value == VOID:
            continue
        row = rows[int(label_of(value))]
        segments.append(
            dict(
                id=int(value),
                category_id=row.label_id,
                category=row.name,
                isthing=int(row.moving),
                iscrowd=int(row.moving and value < 1000),
                area=int(area),
            )
        )
    return segments


def panoptic_to_rgb(panoptic: np.ndarray) -> np.ndarray:
    """The ids of panoptic maps as colors of COCO's format: uint8 (..., 3), id = R + 256 G + 65536 B."""
    return np.stack([panoptic >> shift & 0xFF for shift in (0, 8, 16)], axis=-1).astype(np.uint8)
