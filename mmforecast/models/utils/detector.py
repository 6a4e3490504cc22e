"""What F2F asks of an mmdet detector, whatever its kind: normalise, give features, take features."""

from contextlib import contextmanager
from typing import Iterator, List, Sequence, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import ImgDataPreprocessor
from torch import Tensor


@contextmanager
def given_features(detector: nn.Module, features: Sequence[Tensor]) -> Iterator[nn.Module]:
    """Inside, ``detector.predict`` and ``detector.loss`` use these features, whatever image they get.

    Both ask ``extract_feat`` for them in every mmdet detector, one- or two-stage. So the detector's own
    code reads a forecast pyramid exactly as it reads a frame.
    """
    detector.extract_feat = lambda images: tuple(features)
    try:
        yield detector
    finally:
        del detector.extract_feat


def normalise(detector: nn.Module, frames: Tensor) -> Tensor:
    """(N, 3, H, W) RGB in [0, 255] to what the detector's backbone was trained on, padded below and right.

    With the mean, deviation, channel order and ``pad_size_divisor`` of its own data preprocessor.
    """
    own = detector.data_preprocessor
    if not isinstance(own, ImgDataPreprocessor):
        raise ValueError(
            f'{type(detector).__name__} has no data_preprocessor that says how its frames are '
            'normalised; keep that of its config'
        )
    if not own._channel_conversion:  # trained on BGR, the order OpenCV loads
        frames = frames.flip(1)
    if own._enable_normalize:
        frames = (frames - own.mean) / own.std
    height, width = frames.shape[-2:]
    rows, columns = padded_size((height, width), own.pad_size_divisor)
    return F.pad(frames, (0, columns - width, 0, rows - height), value=own.pad_value)


def padded_size(size: Tuple[int, int], divisor: int) -> Tuple[int, int]:
    """(h, w) rounded up to multiples of ``divisor``."""
    return tuple(-(-side // divisor) * divisor for side in size)


@torch.no_grad()
def probe_pyramid(detector: nn.Module) -> Tuple[List[int], int, int]:
    """What pyramid a detector makes, found by running it on noise.

    Returns:
        Strides of its levels, finest first, their channels, and how many of the last levels are a mere
        subsampling of the one before (as P6 of Mask R-CNN is of P5).

    Raises:
        ValueError: Its features are not a pyramid with equal channels and doubling strides.
    """
    training, name = detector.training, type(detector).__name__
    side = 256
    device = next(detector.parameters()).device
    image = torch.randn((1, 3, side, side), generator=torch.Generator().manual_seed(0)).to(device)
    levels = detector.eval().extract_feat(image)
    detector.train(training)
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
    derived = 0
    for fine, coarse in zip(levels[-2::-1], levels[:0:-1]):
        if not torch.equal(fine[..., ::2, ::2], coarse):
            break
        derived += 1
    return strides, channels.pop(), derived
