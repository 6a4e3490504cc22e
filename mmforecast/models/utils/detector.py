"""Access to any mmdet detector: its pyramid, its losses, its samples."""

import copy
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
from torch.nn.modules.batchnorm import _NormBase

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
    ignored = torch.full((1, *padded), 255, dtype=torch.long)
    sample.gt_sem_seg = PixelData(sem_seg=ignored.to(id_map.device))
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


def training_instances(
    id_map: Tensor, size: tuple[int, int], padded: tuple[int, int], min_side: int = 4
) -> InstanceData:
    """Instances of a frame as mmdet's losses take them.

    Args:
        id_map: (H, W) instance ids.
        size, padded: (h, w) that the detector works at, without and with padding.
        min_side: Smaller boxes, in pixels of ``size``, are left out.
    """
    resized = F.interpolate(id_map[None, None].float(), size=size, mode='nearest-exact')[0, 0]
    found = instances_from_id_map(resized.to(torch.int32))
    sides = found.bboxes[:, 2:] - found.bboxes[:, :2]
    found = found[(sides >= min_side).all(dim=1)]
    masks = F.pad(found.masks, (0, padded[1] - size[1], 0, padded[0] - size[0]))
    bitmaps = BitmapMasks(masks.cpu().numpy().astype('uint8'), *padded)
    return InstanceData(bboxes=found.bboxes, labels=found.labels, masks=bitmaps)


@torch.no_grad()
def probe_pyramid(detector: nn.Module) -> tuple[list[int], int, int]:
    """What pyramid a detector makes, found by running it on noise.

    Returns:
        Strides of its levels, finest first, their channels, and how many of the last levels are a mere
        subsampling of the one before (as P6 of Mask R-CNN is of P5).

    Raises:
        ValueError: Its features are not a pyramid with equal channels and doubling strides.
    """
    name = type(detector).__name__
    side, levels = _probe(detector)
    shapes = [tuple(level.shape[1:]) for level in levels]
    strides = [side // height for _, height, _ in shapes]
    channels = {shape[0] for shape in shapes}
    doubling = all(b == 2 * a for a, b in zip(strides, strides[1:]))
    if len(levels) < 2 or len(channels) > 1 or not doubling:
        raise ValueError(
            f'{name} has no feature pyramid that F2F could forecast: its features of a {side}x{side} '
            f'image are (C, h, w) = {shapes}; choose a detector with a neck like FPN (two levels or '
            'more, of the same channels, each of half the size of the one before)'
        )
    return strides, channels.pop(), _count_derived(detector, side)


def _count_derived(detector: nn.Module, side: int) -> int:
    """How many of the last levels subsample the one before, whatever the weights are.

    A copy with weights of its own tells: those of the detector may happen to make levels equal, as zeros do.
    """
    levels = _features(_with_generic_weights(detector), side)
    derived = 0
    for fine, coarse in zip(levels[-2::-1], levels[:0:-1]):
        # computed in another order, they may differ in the last bits (DetectoRS)
        if not torch.allclose(fine[..., ::2, ::2], coarse, rtol=1e-3, atol=1e-5 * float(fine.abs().max())):
            break
        derived += 1
    return derived


def _with_generic_weights(detector: nn.Module) -> nn.Module:
    """A copy in eval mode, with random weights that are the same for every detector of this config.

    The output of each layer is divided by the scale that it had first, so that no depth makes it overflow.
    """
    generic = copy.deepcopy(detector).eval()
    generator = torch.Generator().manual_seed(0)
    scales: dict[nn.Module, Tensor] = {}

    def keep_scale(layer: nn.Module, _: tuple, output: Tensor) -> Tensor:
        if not torch.is_tensor(output):
            return output
        return output / scales.setdefault(layer, output.abs().mean().clamp(min=1e-6))

    for layer in generic.modules():
        if isinstance(layer, _NormBase):
            layer.reset_running_stats()
        for name, parameter in layer.named_parameters(recurse=False):
            noise = torch.randn(parameter.shape, generator=generator).to(parameter)
            # vectors are biases, or the factors of a normalization
            vector = 0.1 * noise + (0 if name.endswith('bias') else 1)
            parameter.copy_(noise if parameter.ndim > 1 else vector)
        if any(parameter.ndim > 1 for parameter in layer.parameters(recurse=False)):
            layer.register_forward_hook(keep_scale)
    return generic


def _features(detector: nn.Module, side: int) -> Sequence[Tensor]:
    """The detector's features of a square image of noise."""
    image = torch.randn((1, 3, side, side), generator=torch.Generator().manual_seed(0))
    return detector.extract_feat(image.to(next(detector.parameters()).device))


def _probe(detector: nn.Module) -> tuple[int, Sequence[Tensor]]:
    """The side of a square image of noise, and the detector's features of it."""
    training = detector.training
    detector.eval()
    try:
        for side in (256, 512):  # some necks need more cells at their coarsest level (SSD)
            try:
                return side, _features(detector, side)
            except (RuntimeError, IndexError) as error:
                failure = error
    finally:
        detector.train(training)
    raise ValueError(
        f'{type(detector).__name__} gives no features of a 512x512 image ({failure}); F2F needs a detector '
        'whose backbone and neck work at any size'
    ) from failure
