"""Objects of one frame: their numbers on a map, and a tensor of them that a pyramid can hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy
import torch
import torch.nn.functional as F
from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData
from torch import Tensor

# number of the object, its label and its score
OBJECT_CHANNELS = 3


@dataclass(frozen=True)
class ObjectMap:
    """Objects of one frame that don't overlap.

    Attributes:
        index_map: int32 (h, w): 0 where there is no object, 1 + i on object i.
        labels: int64 (N,), 0 to 7. Every object has at least one pixel.
        scores: float64 (N,).
    """

    index_map: np.ndarray
    labels: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def areas(self) -> np.ndarray:
        """Pixels of each object, int64 (N,)."""
        return np.bincount(self.index_map.ravel(), minlength=len(self) + 1)[1:]

    @cached_property
    def centroids(self) -> np.ndarray:
        """Mean row and column of each object's pixels, float64 (N, 2)."""
        height, width = self.index_map.shape
        flat = self.index_map.ravel()
        rows, columns = np.repeat(np.arange(height), width), np.tile(np.arange(width), height)
        sums = [np.bincount(flat, weights=w, minlength=len(self) + 1)[1:] for w in (rows, columns)]
        return np.stack(sums, axis=1) / self.areas[:, None]

    @cached_property
    def boxes(self) -> list[tuple[slice, slice]]:
        """Rows and columns of the tight box around each object."""
        return scipy.ndimage.find_objects(self.index_map, len(self))

    def pixels(self, index: int) -> np.ndarray:
        """Row and column of each pixel of an object, int64 (A, 2)."""
        box = self.boxes[index]
        corner = box[0].start, box[1].start
        return np.argwhere(self.index_map[box] == index + 1) + corner


def keep_objects(
    index_map: np.ndarray, labels: np.ndarray, scores: np.ndarray, min_area: int = 1
) -> ObjectMap:
    """Objects with at least ``min_area`` pixels (and one, in any case), numbered anew in their order."""
    areas = np.bincount(index_map.ravel(), minlength=len(labels) + 1)[1:]
    kept = areas >= max(min_area, 1)
    number = np.zeros(len(labels) + 1, dtype=np.int32)
    number[1:][kept] = np.arange(1, kept.sum() + 1)
    return ObjectMap(number[index_map], np.asarray(labels)[kept], np.asarray(scores)[kept])


def pack_objects(objects: ObjectMap) -> Tensor:
    """float32 (3, h, w): by pixel the object's number (0 for none), its label and its score."""
    lookup = np.zeros((OBJECT_CHANNELS, len(objects) + 1), dtype=np.float32)
    lookup[0] = np.arange(len(objects) + 1)
    lookup[1, 1:], lookup[2, 1:] = objects.labels, objects.scores
    return torch.from_numpy(lookup[:, objects.index_map])


def unpack_objects(packed: Tensor) -> ObjectMap:
    """What :func:`pack_objects` packed; numbers without a pixel are closed up."""
    index, label, score = packed.detach().cpu().float().numpy()
    index_map = np.rint(index).astype(np.int32)
    count = int(index_map.max(initial=0))
    labels, scores = np.zeros(count + 1, dtype=np.int64), np.zeros(count + 1)
    labels[index_map], scores[index_map] = np.rint(label), score
    return keep_objects(index_map, labels[1:], scores[1:])


def enlarge(index_map: np.ndarray, size: Sequence[int]) -> Tensor:
    """Integer (h, w) to int64 (H, W), the nearest pixel."""
    numbers = torch.from_numpy(index_map.astype(np.float64))[None, None]
    if tuple(numbers.shape[-2:]) != tuple(size):
        numbers = F.interpolate(numbers, size=tuple(size), mode='nearest-exact')
    return numbers[0, 0].long()


def as_instances(objects: ObjectMap, size: Sequence[int]) -> InstanceData:
    """The objects of a frame as instances at ``size`` (H, W), with ``track_ids`` 0, 1, 2, ..."""
    numbers = torch.arange(1, len(objects) + 1)
    masks = enlarge(objects.index_map, size)[None] == numbers[:, None, None]
    return InstanceData(
        labels=torch.from_numpy(objects.labels),
        scores=torch.from_numpy(objects.scores.astype(np.float32)),
        masks=masks,
        bboxes=mask2bbox(masks).float() if len(objects) else torch.zeros((0, 4)),
        track_ids=numbers - 1,
    )
