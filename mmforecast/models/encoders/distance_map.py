"""Distance maps of each frame's objects, and the objects themselves (D2D, ECCVW 2018)."""

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from mmforecast.models.objects.distance_maps import PROFILES, distance_maps
from mmforecast.models.objects.object_map import ObjectMap, keep_objects, pack_objects
from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample, instances_to_index_map
from mmforecast.structures.cityscapes import (
    CITYSCAPES_CLASSES,
    MAX_INSTANCE_ID,
    THING_LABEL_IDS,
    label_of,
)

from .base import BaseEncoder
from .detector import DetectorEncoder, detect

NUM_THINGS = len(THING_LABEL_IDS)
NUM_STUFF = len(CITYSCAPES_CLASSES) - NUM_THINGS
LAYOUTS = (1 + NUM_THINGS, NUM_STUFF + NUM_THINGS)
_GAP = -1


def _labels_of_ids() -> tuple[np.ndarray, np.ndarray]:
    """Label 0 to 7 (-1 for none) of each value of an id map, and whether it is a single object."""
    values = np.arange(MAX_INSTANCE_ID + 1)
    label_ids = label_of(values)
    labels = np.full(len(values), -1)
    for label, label_id in enumerate(THING_LABEL_IDS):
        labels[label_ids == label_id] = label
    return labels, (labels >= 0) & (values >= 1000)


_LABELS, _IS_OBJECT = _labels_of_ids()


@MODELS.register_module()
class DistanceMapEncoder(BaseEncoder):
    """Distance maps minus 1: -1 outside a class, 0 inside its objects, up to ``height`` on their contours.

    The objects come from ``gt_instance_map`` or, with ``detector``, from any mmdet detector with a mask head:
    its instances from ``score_thr`` on, painted with the surest on top. See
    :func:`~mmforecast.models.objects.distance_maps.distance_maps` for the values.

    The pyramid has two levels, ``scores``, the maps that are forecast, and ``objects`` (3 channels, see
    ``pack_objects``): by pixel the number, label and score of the object there. ``D2DForecaster`` gives the
    first to the predictor, and the second, of the past frames alone, to the decoder.

    Args:
        num_classes: C: 9, background and the eight moving classes; or 19, with the classes without instances
            (flat, from ``gt_sem_seg``) in place of the background.
        detector, checkpoint, size, chunk: As for ``DetectorEncoder``; None takes the ground truth. Only with
            C = 9.
        score_thr: Detections with a lower score are left out.
        stride: One pixel in the middle of every stride x stride is taken; sides of the frames must be
            multiples of it.
        min_area: Objects with fewer pixels, after that, are left out of the maps, too.
        height, profile, tau: Of the contours.
    """

    level_names = ('scores', 'objects')

    def __init__(
        self,
        num_classes: int = 9,
        detector: dict | nn.Module | None = None,
        checkpoint: str | None = None,
        size: tuple[int, int] | None = None,
        score_thr: float = 0.5,
        stride: int = 1,
        min_area: int = 1,
        height: float = 1.0,
        profile: str = 'linear',
        tau: float = 2.0,
        chunk: int = 4,
    ):
        super().__init__()
        self._check(num_classes, detector, stride, height, profile, tau)
        self.channels = num_classes
        self.detector_encoder = None if detector is None else DetectorEncoder(detector, checkpoint, size)
        self.from_rgb = detector is not None
        self.score_thr, self.stride, self.min_area, self.chunk = score_thr, stride, min_area, chunk
        self.contour = dict(height=height, profile=profile, tau=tau)

    @staticmethod
    def _check(num_classes, detector, stride, height, profile, tau) -> None:
        for name, value, ok, accepted in (
            ('num_classes', num_classes, num_classes in LAYOUTS, f'one of {LAYOUTS}'),
            ('stride', stride, isinstance(stride, int) and stride >= 1, 'an integer >= 1'),
            ('height', height, height >= 0, '0 or more'),
            ('profile', profile, profile in PROFILES, f'one of {PROFILES}'),
            ('tau', tau, tau > 0, 'positive'),
        ):
            if not ok:
                raise ValueError(f'DistanceMapEncoder: {name} must be {accepted}, got {value!r}')
        if detector is not None and num_classes != LAYOUTS[0]:
            raise ValueError(
                f'DistanceMapEncoder: a detector sees the moving classes alone, so num_classes must be '
                f'{LAYOUTS[0]} with it, got {num_classes}'
            )

    @property
    def network(self) -> nn.Module:
        if self.detector_encoder is None:
            raise AttributeError('DistanceMapEncoder of the ground truth has no network')
        return self.detector_encoder.network

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        """(B, T, C, h, w) maps and (B, T, 3, h, w) objects, see the class.

        Clips that carry stored maps (``LoadClipScores``) aren't encoded again, and have no objects.
        """
        if samples and 'scores' in samples[0]:
            return self._stored(samples)
        if self.detector_encoder is None:
            clips = [self._encode_truth(sample) for sample in samples]
            device = samples[0].gt_instance_map.data.device
            shape = len(samples), len(clips[0])
            parts = [frame for clip in clips for frame in clip]
        else:
            self.require_frames(frames)
            device, shape = frames.device, frames.shape[:2]
            parts = [
                frame
                for chunk in frames.flatten(0, 1).split(self.chunk)
                for frame in self._encode_detected(chunk)
            ]
        return [torch.stack(level).unflatten(0, shape).to(device) for level in zip(*parts)]

    def _stored(self, samples: list[ForecastDataSample]) -> Pyramid:
        maps = torch.stack([sample.scores for sample in samples])
        if maps.shape[2] != self.channels:
            raise ValueError(
                f'DistanceMapEncoder: the store holds maps of {maps.shape[2]} channels, but num_classes='
                f'{self.channels}'
            )
        return [maps.float()]

    def _encode_truth(self, sample: ForecastDataSample) -> list[tuple[Tensor, Tensor]]:
        """Maps and packed objects of each of the T frames of a clip."""
        id_maps = true_id_maps(sample, type(self).__name__, 'or set detector')
        stuff = None
        if self.channels == LAYOUTS[1]:
            if 'gt_sem_seg' not in sample:
                where = f'clip of sequence {sample.get("sequence_id", "?")}'
                raise ValueError(
                    f'DistanceMapEncoder: {where} carries no label maps, which num_classes='
                    f'{LAYOUTS[1]} needs; add LoadClipSemSeg to the data pipeline'
                )
            stuff = [self._subsample(labels) for labels in sample.gt_sem_seg.data]
        ids = [self._subsample(id_map) for id_map in id_maps]
        return [
            self._represent(*read_objects(id_map, self.min_area), None if stuff is None else stuff[time])
            for time, id_map in enumerate(ids)
        ]

    def _encode_detected(self, frames: Tensor) -> list[tuple[Tensor, Tensor]]:
        """As ``_encode_truth``, of (N, 3, H, W) RGB in [0, 255]."""
        levels = [level[0] for level in self.detector_encoder.encode(frames[None], [])]
        size = tuple(frames.shape[-2:])
        out = []
        for found in detect(self.detector_encoder, levels, size):
            if 'masks' not in found:
                raise ValueError(
                    f'DistanceMapEncoder paints masks, but {type(self.network).__name__} gives none; '
                    'choose a detector with a mask head'
                )
            index_map = self._subsample(instances_to_index_map(found, size, self.score_thr))
            labels, scores = (v.cpu().numpy() for v in (found.labels, found.scores))
            objects = keep_objects(index_map, labels, scores.astype(float), self.min_area)
            out.append(self._represent(objects, np.full(index_map.shape, -1)))
        return out

    def _represent(
        self, objects: ObjectMap, groups: np.ndarray, stuff: np.ndarray | None = None
    ) -> tuple[Tensor, Tensor]:
        """Maps (C, h, w) and packed objects (3, h, w) of one frame."""
        first = self.channels - NUM_THINGS
        if stuff is None:
            classes = np.zeros(groups.shape, dtype=np.int64)
        else:
            classes = np.where(stuff < NUM_STUFF, stuff, _GAP).astype(np.int64)
        labels = np.append(-1, objects.labels)[objects.index_map]
        labels = np.maximum(labels, groups)  # a group has a class, but no contours
        classes = np.where(labels >= 0, first + labels, classes)
        maps = distance_maps(classes, objects.index_map, self.channels, **self.contour)
        return torch.from_numpy(maps - 1), pack_objects(objects)

    def _subsample(self, labels: Tensor) -> np.ndarray:
        """The middle pixel of every cell of a map (H, W)."""
        if any(side % self.stride for side in labels.shape):
            raise ValueError(
                f'DistanceMapEncoder: sides of the frames must be multiples of stride={self.stride}, got '
                f'{tuple(labels.shape)}'
            )
        middle = slice(self.stride // 2, None, self.stride)
        return labels[middle, middle].cpu().numpy()


def true_id_maps(
    sample: ForecastDataSample, encoder: str, otherwise: str = 'or take another encoder'
) -> Tensor:
    """``gt_instance_map`` (T, H, W) of a clip, every frame of which has labels.

    Args:
        sample: The clip.
        encoder: Who needs it, for errors.
        otherwise: What to do where there are no instances.

    Raises:
        ValueError: The clip has no instances, or frames without labels.
    """
    where = f'clip of sequence {sample.get("sequence_id", "?")}'
    if 'gt_instance_map' not in sample:
        raise ValueError(
            f'{encoder}: {where} carries no instances; add LoadClipInstances to the data pipeline, {otherwise}'
        )
    if not all(sample.get('labelled', (True,))):
        raise ValueError(
            f'{encoder}: {where} has frames without labels (frame_indices {sample.get("frame_indices")}, '
            f'labelled {sample.get("labelled")}); it needs instances on every frame of the clip, {otherwise}'
        )
    return sample.gt_instance_map.data


def read_objects(id_map: np.ndarray, min_area: int = 1) -> tuple[ObjectMap, np.ndarray]:
    """The objects of an ``instanceIds`` map (H, W), and where there are groups: label 0 to 7, -1 elsewhere."""
    id_map = np.maximum(id_map, 0)  # the licence plate's -1 is void, as 0 is
    present = np.flatnonzero(np.bincount(id_map.ravel(), minlength=1))
    ids = present[_IS_OBJECT[present]]
    number = np.zeros(MAX_INSTANCE_ID + 1, dtype=np.int32)
    number[ids] = np.arange(1, len(ids) + 1)
    groups = np.where(_IS_OBJECT, -1, _LABELS)[id_map]
    return keep_objects(number[id_map], _LABELS[ids], np.ones(len(ids)), min_area), groups
