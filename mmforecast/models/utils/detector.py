"""Access to any mmdet detector: its features, its losses, its samples."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.model import ImgDataPreprocessor
from mmengine.structures import InstanceData, PixelData
from torch import Tensor

from mmforecast.structures import instances_from_id_map

from .frozen import loss_mode


@contextmanager
def given_features(detector: nn.Module, features: Sequence[Tensor]) -> Iterator[nn.Module]:
    """Inside, ``detector.predict`` and ``detector.loss`` use these features, whatever image they get.

    Both ask ``extract_feat`` for them in every mmdet detector, one- or two-stage. So the detector's own
    code reads a forecast pyramid exactly as it reads a frame.
    """
    # mmcv's RoIAlign reads memory as if it were contiguous, and a step of a batch of clips is not.
    features = tuple(level.contiguous() for level in features)
    detector.extract_feat = lambda images: features
    try:
        yield detector
    finally:
        del detector.extract_feat


def detector_losses(detector: nn.Module, features: Sequence[Tensor], samples: list[DetDataSample]) -> dict:
    """The losses that a detector is trained with, on given features.

    Args:
        detector: Its running statistics and dropout stay as in eval mode.
        features: (N, C, h, w) of all levels that its heads read.
        samples: N samples with ``gt_instances``, see :func:`training_sample`.

    Raises:
        ValueError: The detector can't compute them outside its own training.
    """
    with given_features(detector, features), loss_mode(detector):
        try:
            return detector.loss(features[0], samples)
        except (AttributeError, ImportError, IndexError, KeyError, RuntimeError, TypeError) as error:
            raise ValueError(
                f'train_cfg.detector_loss: {type(detector).__name__} can not compute its losses on forecast '
                f'features ({type(error).__name__}: {error}); drop detector_loss, or use another detector'
            ) from error


def has_masks(detector: nn.Module) -> bool:
    """Whether a detector has a head for masks."""
    head = getattr(detector, 'bbox_head', None)
    return bool(
        getattr(detector, 'with_mask', False)
        or getattr(detector, 'mask_head', None) is not None
        or hasattr(head, 'mask_head')  # RTMDet-Ins
    )


def training_sample(
    detector: nn.Module,
    frame_size: Sequence[int],
    size: tuple[int, int],
    padded: tuple[int, int],
    id_map: Tensor,
    own_labels: Tensor,
) -> DetDataSample:
    """What a detector's losses need to know of a frame; other arguments as of :func:`detector_sample`.

    A detector without a mask head gets boxes alone. One with a semantic branch (HTC, SCNet, Panoptic FPN)
    gets a label map that is ignored everywhere, since stuff is not labeled here: the loss of that branch is 0.

    Args:
        own_labels: (8,) int64, the detector's own label of each class of Cityscapes; objects of
            a class with -1, which it does not have, are left out.
    """
    sample = detector_sample(frame_size, size, padded, id_map)
    labels = own_labels.to(id_map.device)[sample.gt_instances.labels]
    sample.gt_instances = sample.gt_instances[labels >= 0]
    sample.gt_instances.labels = labels[labels >= 0]
    if not has_masks(detector):
        del sample.gt_instances.masks
    return _with_ignored_stuff(sample)


def reference_sample(
    detector: nn.Module,
    frame_size: Sequence[int],
    size: tuple[int, int],
    padded: tuple[int, int],
    found: InstanceData,
) -> DetDataSample:
    """As :func:`training_sample`, from instances that the detector itself has found in the frame.

    Args:
        found: ``bboxes``, own ``labels`` and, where there is a mask head, ``masks``, at the size of the frame.
    """
    sample = detector_sample(frame_size, size, padded)
    scale = found.bboxes.new_tensor(sample.scale_factor).repeat(2)
    targets = InstanceData(bboxes=found.bboxes * scale, labels=found.labels)
    if has_masks(detector):
        masks = F.interpolate(found.masks[:, None].float(), size=size, mode='nearest-exact')[:, 0]
        targets.masks = _bitmaps(masks, size, padded)
    sample.gt_instances = targets[_large_enough(targets.bboxes)]
    return _with_ignored_stuff(sample)


def _with_ignored_stuff(sample: DetDataSample) -> DetDataSample:
    """With a label map that is ignored everywhere, for detectors with a semantic branch."""
    ignored = torch.full((1, *sample.pad_shape), 255, dtype=torch.long)
    sample.gt_sem_seg = PixelData(sem_seg=ignored.to(sample.gt_instances.bboxes.device))
    return sample


def resize(frames: Tensor, size: tuple[int, int] | None) -> Tensor:
    """(N, 3, H, W) to (h, w), bilinear; None keeps them."""
    if size is None or tuple(frames.shape[-2:]) == tuple(size):
        return frames
    return F.interpolate(frames, size=tuple(size), mode='bilinear', align_corners=False)


def pad_frames(own: ImgDataPreprocessor, frames: Tensor) -> Tensor:
    """Normalized frames (N, 3, H, W), padded below and right as a detector's own data preprocessor does."""
    height, width = frames.shape[-2:]
    rows, columns = padded_size((height, width), own.pad_size_divisor)
    return F.pad(frames, (0, columns - width, 0, rows - height), value=own.pad_value)


def padded_size(size: tuple[int, int], divisor: int) -> tuple[int, int]:
    """(h, w) rounded up to multiples of ``divisor``."""
    return tuple(-(-side // divisor) * divisor for side in size)


def detector_sample(
    frame_size: Sequence[int],
    size: tuple[int, int],
    padded: tuple[int, int],
    id_map: Tensor | None = None,
) -> DetDataSample:
    """What mmdet's heads need to know of a frame.

    Args:
        frame_size: (H, W) of the frame.
        size, padded: (h, w) that the detector works at, without and with padding.
        id_map: (H, W) instance ids of the frame; with it, the sample has the ``gt_instances`` that
            detectors train on, at the size that the detector works at.
    """
    frame_size, size, padded = tuple(frame_size), tuple(size), tuple(padded)
    sample = DetDataSample(
        metainfo=dict(
            ori_shape=frame_size,
            img_shape=size,
            scale_factor=tuple(new / old for new, old in zip(size[::-1], frame_size[::-1])),
            pad_shape=padded,
            batch_input_shape=padded,
        )
    )
    if id_map is not None:
        sample.gt_instances = training_instances(id_map, size, padded)
    return sample


def training_instances(id_map: Tensor, size: tuple[int, int], padded: tuple[int, int]) -> InstanceData:
    """Instances of a frame as mmdet's losses take them.

    Args:
        id_map: (H, W) instance ids.
        size, padded: (h, w) that the detector works at, without and with padding.
    """
    resized = F.interpolate(id_map[None, None].float(), size=size, mode='nearest-exact')[0, 0]
    found = instances_from_id_map(resized.to(torch.int32))
    found = found[_large_enough(found.bboxes)]
    return InstanceData(bboxes=found.bboxes, labels=found.labels, masks=_bitmaps(found.masks, size, padded))


def _large_enough(boxes: Tensor) -> Tensor:
    """(N,) bool: boxes whose sides are at least four of the pixels that the detector works at."""
    return ((boxes[:, 2:] - boxes[:, :2]) >= 4).all(dim=1)


def _bitmaps(masks: Tensor, size: tuple[int, int], padded: tuple[int, int]) -> BitmapMasks:
    """Masks (N, *size), padded below and right."""
    masks = F.pad(masks, (0, padded[1] - size[1], 0, padded[0] - size[0]))
    return BitmapMasks(masks.cpu().numpy().astype('uint8'), *padded)
