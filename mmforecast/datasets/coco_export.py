"""Instance id maps to COCO annotations, to train mmdet detectors on the frames of a dataset."""

from collections.abc import Iterable

import numpy as np
from pycocotools import mask as rle

from mmforecast.structures.cityscapes import THING_CLASSES, THING_LABEL_IDS

__all__ = ['COCO_CATEGORIES', 'coco_annotations', 'coco_dataset']

# A category's id is the place of its class among those with instances + 1.
COCO_CATEGORIES = tuple(dict(id=place, name=name) for place, name in enumerate(THING_CLASSES, start=1))


def coco_annotations(id_map: np.ndarray, image_id: int, first_id: int) -> list[dict]:
    """COCO annotations of the instances in one frame.

    Args:
        id_map: (H, W) integers, Cityscapes' instanceIds: ``label_id * 1000 + n`` for an instance,
            the bare label id for a region that isn't split into instances (``iscrowd``).
        image_id: Of the frame.
        first_id: Of the first annotation; they count up from it.

    Returns:
        One dict per instance and crowd region of the eight classes, ordered by id, with its mask
        as compressed RLE.
    """
    annotations = []
    for raw in np.unique(id_map):
        crowd = raw < 1000
        label = int(raw) if crowd else int(raw) // 1000
        if label not in THING_LABEL_IDS:
            continue
        mask = np.asfortranarray(id_map == raw, dtype=np.uint8)
        encoded = rle.encode(mask)
        box, area = rle.toBbox(encoded).tolist(), int(rle.area(encoded))
        encoded['counts'] = encoded['counts'].decode()
        annotations.append(
            dict(
                id=first_id + len(annotations),
                image_id=image_id,
                category_id=THING_LABEL_IDS.index(label) + 1,
                iscrowd=int(crowd),
                segmentation=encoded,
                bbox=box,
                area=area,
            )
        )
    return annotations


def coco_dataset(images: Iterable[dict], annotations: Iterable[dict]) -> dict:
    """The whole of a COCO file: ``images`` have ``id, file_name, height, width``."""
    return dict(images=list(images), annotations=list(annotations), categories=list(COCO_CATEGORIES))
