"""Conversion of Cityscapes instance ids to instances, and of instances to label maps."""

from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData

from .cityscapes import IGNORE_INDEX, MOVING_TRAIN_IDS, THING_LABEL_IDS


def instances_from_id_map(id_map: torch.Tensor) -> InstanceData:
    """Take a Cityscapes ``instanceIds`` map apart.

    Args:
        id_map: Integer (H, W): ``label_id * 1000 + n`` on instances; ``label_id`` (groups included)
            or -1 elsewhere.

    Returns:
        The N instances of the eight classes in ``THING_LABEL_IDS``, in ascending order of id:
        ``labels`` (N,) int64 in 0..7, ``ids`` (N,) int64 as in the map, ``bboxes`` (N, 4) float32
        (x1, y1, x2, y2) with exclusive ends, and ``masks`` (N, H, W) bool.

    Raises:
        ValueError: ``id_map`` is not a two-dimensional map of integers.
    """
    if id_map.ndim != 2 or id_map.is_floating_point() or id_map.dtype == torch.bool:
        raise ValueError(
            f'id_map must hold integers (H, W), got {id_map.dtype} of shape {tuple(id_map.shape)}: '
            'give one frame of gt_instance_map'
        )
    ids = torch.unique(id_map).long()  # ascending
    things = torch.tensor(THING_LABEL_IDS, device=id_map.device)
    is_label = torch.div(ids, 1000, rounding_mode='floor')[:, None] == things
    is_thing = is_label.any(dim=1)
    ids, labels = ids[is_thing], is_label[is_thing].long().argmax(dim=1)
    masks = id_map[None] == ids[:, None, None].to(id_map.dtype)
    return InstanceData(labels=labels, ids=ids, bboxes=_boxes_of(masks), masks=masks)


def instances_to_sem_seg(
    instances: InstanceData, size: tuple[int, int], score_thr: float = 0.5
) -> torch.Tensor:
    """Paint instances into one label map (F2F, arXiv 1803.11496, section 4.1).

    Instances are painted in ascending order of score: the highest lies on top. Of equal
    scores, the one that comes later in ``instances`` does.

    Args:
        instances: ``labels`` (N,) in 0..7, ``scores`` (N,) and ``masks`` (N, H, W) bool. Without
            ``scores`` (ground truth) all are painted, in their order.
        size: (H, W) of the map.
        score_thr: Instances with a lower score are left out.

    Returns:
        uint8 (H, W): the train ids 11 to 18 of the moving classes, and 255 where there is no moving
        object (train ids 0 to 10 do not occur). In a prediction, unlike in ground truth, 255 does
        not say 'ignore'.

    Raises:
        ValueError: The masks are not bool, or not of ``size``; a label is not in 0..7.
    """
    labels = instances.get('labels', torch.tensor([])).tolist()
    if labels and not 0 <= min(labels) <= max(labels) < len(MOVING_TRAIN_IDS):
        raise ValueError(
            f'instances have labels from {min(labels)} to {max(labels)}, but the moving classes are 0 to '
            f"{len(MOVING_TRAIN_IDS) - 1}: let the encoder map its detector's classes (classes='cityscapes')"
        )
    values = [MOVING_TRAIN_IDS[label] for label in labels]
    return _paint(instances, values, size, score_thr, torch.uint8, IGNORE_INDEX)


def instances_to_index_map(
    instances: InstanceData, size: tuple[int, int], score_thr: float = 0.5
) -> torch.Tensor:
    """The index of the instance on top at each pixel, painted as by :func:`instances_to_sem_seg`.

    Arguments and errors as there; ``labels`` aren't needed.

    Returns:
        int32 (H, W): 1 + i where instance i is on top, 0 where there is none.
    """
    return _paint(instances, range(1, len(instances) + 1), size, score_thr, torch.int32, 0)


def _paint(
    instances: InstanceData, values, size, score_thr: float, dtype: torch.dtype, ground: int
) -> torch.Tensor:
    """A map of ``size`` that holds an instance's value where it is on top, and ``ground`` elsewhere."""
    size = tuple(size)
    if not len(instances):
        device = instances.masks.device if 'masks' in instances else None
        return torch.full(size, ground, dtype=dtype, device=device)
    masks = instances.masks
    if tuple(masks.shape[1:]) != size or masks.dtype != torch.bool:
        raise ValueError(
            f'masks are {masks.dtype} {tuple(masks.shape[1:])}, but the label map wants bool {size} '
            "(height, width): bring the masks to the clip's frame size first"
        )
    order = range(len(masks))
    if 'scores' in instances:
        ascending = torch.sort(instances.scores, stable=True).indices.tolist()
        order = [index for index in ascending if instances.scores[index] >= score_thr]
    canvas = torch.full(size, ground, dtype=dtype, device=masks.device)
    for index in order:
        rows = masks[index].view(torch.uint8).amax(dim=1).nonzero()  # most masks are small
        if len(rows):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            canvas[part].masked_fill_(masks[index, part], values[index])
    return canvas


def _boxes_of(masks: torch.Tensor) -> torch.Tensor:
    """The tight boxes (N, 4) of non-empty masks (N, H, W)."""
    if not len(masks):
        return torch.zeros((0, 4), device=masks.device)
    ends = []
    for dim in (1, 2):  # columns, then rows
        lines = masks.view(torch.uint8).amax(dim=dim)
        first, last = lines.argmax(dim=1), lines.shape[1] - lines.flip(1).argmax(dim=1)
        ends.append((first, last))
    (x1, x2), (y1, y2) = ends
    return torch.stack([x1, y1, x2, y2], dim=1).float()


def box_regions(boxes: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """(N, 4) boxes x1 y1 x2 y2 to (N, H, W) bool: the pixels whose centers they hold."""
    rows, columns = (torch.arange(side, device=boxes.device) + 0.5 for side in size)
    left, top, right, bottom = boxes[:, :, None].unbind(dim=1)
    inside_rows = (rows >= top) & (rows < bottom)
    inside_columns = (columns >= left) & (columns < right)
    return inside_rows[:, :, None] & inside_columns[:, None, :]


def fill_boxes(instances: InstanceData, size: Sequence[int]) -> InstanceData:
    """Instances with ``masks``: their own or, from a detector without a mask head, their boxes filled.

    Those with filled boxes have the metainfo ``filled_boxes``, and are drawn as boxes.

    Args:
        instances: with ``masks``, or with ``bboxes`` (N, 4) in pixels of a frame of ``size``; or empty, which
            is returned as it is.
        size: (H, W) of the frame.
    """
    if 'masks' in instances or 'bboxes' not in instances:
        return instances
    filled = instances.clone()
    filled.masks = box_regions(torch.as_tensor(instances.bboxes), size)
    filled.set_metainfo(dict(filled_boxes=True))
    return filled
