"""A detector's feature pyramid as representation (F2F, ECCV 2018)."""

import logging
from collections.abc import Sequence

import torch.nn as nn
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.models.utils.detector import (
    detector_sample,
    given_features,
    pad_frames,
    padded_size,
    resize,
)
from mmforecast.models.utils.detector_classes import (
    cityscapes_labels,
    class_names,
    inverse_labels,
    num_classes_of,
)
from mmforecast.models.utils.detector_pyramid import probe_pyramid
from mmforecast.models.utils.normalization import normalize_frames
from mmforecast.registry import MODELS
from mmforecast.structures.cityscapes import THING_CLASSES
from mmforecast.utils.checks import check_choice

from .frozen import FrozenEncoder

CLASSES = ('cityscapes', 'own')


@MODELS.register_module()
class DetectorEncoder(FrozenEncoder):
    """Feature pyramid of any mmdet detector with an FPN-like neck, and the heads that read it.

    Frames are normalized with the detector's own ``data_preprocessor``. Levels that the neck derives by
    subsampling (P6 of Mask R-CNN) are not part of the representation: ``complete`` adds them.

    Args:
        detector: Config of the detector, usually a whole mmdet ``model`` dict, or the detector itself; it
            is built in mmdet's scope unless it says otherwise.
        size: (h, w) that frames are resized to first, bilinear; None keeps them.
        levels: Names of the levels that make the representation, e.g. ``('P5',)``; all by default.
            Before the heads, the others are filled with zeros.
        frozen: The detector keeps its weights, stays in eval mode and runs under ``no_grad``. False trains
            it along (Mask H2F).
        classes: 'cityscapes' gives instances the labels 0 to 7 of ``THING_CLASSES``: the detector's classes
            are mapped by name (see ``class_names``), and instances of the others are dropped. 'own' keeps all
            of the detector's classes; instances then carry their names, ``instance_classes``, as metainfo,
            and metrics of Cityscapes' classes refuse them.
        standardize, checkpoint, chunk: See ``FrozenEncoder``.

    Attributes:
        level_names: Of the representation, finest first, as in 'P2' for stride 4.
        strides: Of all levels but the derived ones, in pixels of the resized frames.
        network: The module whose weights decide the representation.
        instance_classes: Names of the instances' labels.

    Raises:
        ValueError: The detector has no feature pyramid, or none of Cityscapes' classes where these are wanted.
    """

    network_name = 'detector'
    scope = 'mmdet'

    def __init__(
        self,
        detector: dict | nn.Module,
        checkpoint: str | None = None,
        size: tuple[int, int] | None = None,
        levels: Sequence[str] | None = None,
        frozen: bool = True,
        chunk: int = 4,
        classes: str = 'cityscapes',
        standardize: bool = False,
    ):
        check_choice('DetectorEncoder', CLASSES, classes=classes)
        super().__init__(detector, checkpoint, frozen, chunk)
        detector = self.detector
        strides, self.channels, self.num_derived = probe_pyramid(detector)
        self.strides = strides[: len(strides) - self.num_derived]
        self.all_names = tuple(f'P{stride.bit_length() - 1}' for stride in self.strides)
        self.level_names = self.all_names if levels is None else tuple(levels)
        if [n for n in self.all_names if n in self.level_names] != list(self.level_names):
            raise ValueError(
                f'DetectorEncoder: levels={self.level_names}, but the detector has '
                f'{self.all_names}; choose from these, finest first'
            )
        self.size = None if size is None else tuple(size)
        self.classes = classes
        names = class_names(detector)
        self._labels = None if names is None else cityscapes_labels(names)
        self.instance_classes = self._name_classes(names)
        self.set_up_standardizers(standardize)

    def encode_frames(self, frames: Tensor) -> Pyramid:
        own = self.detector.data_preprocessor
        levels = self.detector.extract_feat(pad_frames(own, normalize_frames(own, resize(frames, self.size))))
        return [m for m, name in zip(levels, self.all_names) if name in self.level_names]

    def _name_classes(self, names: tuple[str, ...] | None) -> tuple[str, ...]:
        """Names of the instances' labels; says which of the detector's classes are dropped."""
        count = num_classes_of(self.detector)
        if self.classes == 'own':
            return names or tuple(f'class {label}' for label in range(count or 0))
        kind = f'DetectorEncoder: {type(self.detector).__name__}'
        labels = [] if names is None else self._labels.tolist()
        found = [name for label, name in enumerate(THING_CLASSES) if label in labels]
        if not found:
            known = 'whose names are not known' if names is None else f'({", ".join(names[:5])}, ...)'
            raise ValueError(
                f"{kind} has {count} classes {known}, so they can't be mapped to Cityscapes' eight "
                f'({", ".join(THING_CLASSES)}); load a checkpoint that names its classes (dataset_meta), or '
                "set classes='own' to keep them"
            )
        if len(names) > len(found):
            missing = [name for name in THING_CLASSES if name not in found]
            print_log(
                f"{kind}: of its {len(names)} classes, {', '.join(found)} are taken for Cityscapes' and the "
                f'others are dropped' + (f'; it has no {", ".join(missing)}' if missing else ''),
                logger='current',
                level=logging.WARNING if missing else logging.INFO,
            )
        return THING_CLASSES

    def relabel(self, instances: InstanceData) -> InstanceData:
        """Instances with the detector's own labels, as ``classes`` says; its own names go along."""
        if self.classes == 'own':
            instances.set_metainfo(dict(instance_classes=self.instance_classes))
            return instances
        if self._labels.tolist() == list(range(len(THING_CLASSES))):
            return instances
        labels = self._labels.to(instances.labels.device)[instances.labels]
        kept = instances[labels >= 0]
        kept.labels = labels[labels >= 0]
        return kept

    def own_labels(self) -> Tensor:
        """(8,) int64: the detector's own label of each class of Cityscapes, -1 where it has none.

        Raises:
            ValueError: The names of its classes are not known.
        """
        if self._labels is None:
            raise ValueError(
                f"DetectorEncoder: the names of {type(self.detector).__name__}'s classes are not known, so "
                "Cityscapes' objects can't train it; load a checkpoint that names them (dataset_meta)"
            )
        return inverse_labels(self._labels)

    def working_size(self, frame_size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        """(h, w) of a frame as the detector sees it, without and with padding."""
        size = tuple(self.size or frame_size)
        return size, padded_size(size, self.detector.data_preprocessor.pad_size_divisor)

    def complete(self, levels: Sequence[Tensor], padded: tuple[int, int]) -> tuple[Tensor, ...]:
        """All levels that the heads need: absent ones are zero, derived ones are subsampled.

        Args:
            levels: (B, C, h, w) of ``level_names``.
            padded: (h, w) of the padded frame that they belong to.
        """
        given = dict(zip(self.level_names, self.raw(levels)))
        out = []
        for name, stride in zip(self.all_names, self.strides):
            if name in given:
                out.append(given[name])
            else:
                size = tuple(-(-side // stride) for side in padded)
                out.append(levels[0].new_zeros((*levels[0].shape[:2], *size)))
        for _ in range(self.num_derived):
            out.append(F.max_pool2d(out[-1], kernel_size=1, stride=2))
        return tuple(out)

    def instances_of(self, levels: Sequence[Tensor], frame_size: Sequence[int]) -> list[InstanceData]:
        """See :func:`detect`."""
        return detect(self, levels, frame_size)


def detect(
    encoder: DetectorEncoder, levels: Sequence[Tensor], frame_size: Sequence[int]
) -> list[InstanceData]:
    """Instances that the detector's heads see in the features of B frames.

    Args:
        encoder: Has the detector.
        levels: (B, C, h, w) per level of the representation.
        frame_size: (H, W) of the frames.

    Returns:
        Per frame ``labels`` (N,), ``scores`` (N,), ``bboxes`` (N, 4) and, where the detector has a mask
        head, ``masks`` (N, H, W) bool, at the size of the frame and ordered by descending score.
    """
    found = read_heads(encoder, levels, frame_size)
    return [ordered(encoder.relabel(instances)) for instances in found]


def read_heads(
    encoder: DetectorEncoder, levels: Sequence[Tensor], frame_size: Sequence[int]
) -> list[InstanceData]:
    """As :func:`detect`, with the detector's own labels, in the order in which it finds them."""
    from mmdet.models.detectors import TwoStagePanopticSegmentor  # loaded with the detector

    size, padded = encoder.working_size(frame_size)
    samples = [detector_sample(frame_size, size, padded) for _ in range(levels[0].shape[0])]
    with given_features(encoder.detector, encoder.complete(levels, padded)) as detector:
        if isinstance(detector, TwoStagePanopticSegmentor):  # its own predict gives a panoptic map
            features = detector.extract_feat(levels[0])
            proposals = detector.rpn_head.predict(features, samples, rescale=False)
            return detector.roi_head.predict(features, proposals, samples, rescale=True)
        return [sample.pred_instances for sample in detector.predict(levels[0], samples, rescale=True)]


def ordered(instances: InstanceData) -> InstanceData:
    """By descending score; ties keep their order."""
    return instances[instances.scores.argsort(descending=True, stable=True)]
