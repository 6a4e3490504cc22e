"""An encoder that remembers what it has made of a frame."""

from collections import OrderedDict
from hashlib import blake2b
from itertools import chain

import torch
from torch import Tensor, nn

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.checks import check_positive

from .base import BaseEncoder


@MODELS.register_module()
class CachedEncoder(BaseEncoder):
    """The representations of a frozen encoder, each frame's kept in memory as long as it fits.

    A small set of frames is in many clips, and detecting in them anew is most of a training's time. A frame
    is known by its pixels, so that augmented frames are never mistaken for others; cropped at random they are
    never met again, and nothing is gained. Frames are encoded one by one, and on a CPU the representation
    is the same to the last bit whatever is remembered, so that resuming stays exact.

    ``tools/extract_representations.py`` is for sets that don't fit.

    Args:
        encoder: Config of an encoder of RGB frames whose network is frozen, such as ``DetectorMapEncoder`` or
            ``SegmentorEncoder``.
        cache_mb: Limit in units of 2**20 bytes, above 0. The frames that were used longest ago make room.

    Raises:
        ValueError: The encoder reads no frames, has no network, or one that is trained.
    """

    def __init__(self, encoder: dict, cache_mb: int = 1024):
        super().__init__()
        check_positive('CachedEncoder', cache_mb=cache_mb)
        self.encoder: BaseEncoder = MODELS.build(encoder)
        name = type(self.encoder).__name__
        if not self.encoder.from_rgb or getattr(self.encoder, 'network', None) is None:
            raise ValueError(
                f'CachedEncoder: {name} has no network that sees frames, and nothing worth keeping; use it '
                'without CachedEncoder'
            )
        if any(weight.requires_grad for weight in self.encoder.network.parameters()):
            raise ValueError(
                f'CachedEncoder: the network of {name} is trained, and what it made of a frame is soon out of '
                'date; freeze it, or use it without CachedEncoder'
            )
        self.from_rgb = True
        self.level_names = self.encoder.level_names
        self.channels = self.encoder.channels
        self.limit = cache_mb * 2**20
        self._kept: OrderedDict[bytes, list[Tensor]] = OrderedDict()
        self._bytes = 0
        self._weights: list[tuple[int, int]] = []  # where they are, and how often they were changed

    @property
    def network(self) -> nn.Module:
        return self.encoder.network

    def map_size(self, frames: Tensor, samples: list[ForecastDataSample]) -> tuple[int, int]:
        return self.encoder.map_size(frames, samples)

    @torch.no_grad()
    def encode(self, frames: Tensor, samples: list[ForecastDataSample]) -> Pyramid:
        self.require_frames(frames)
        self._forget_other_weights()
        each = [self._encode_frame(frame) for frame in frames.flatten(0, 1)]
        return [torch.stack(level).unflatten(0, frames.shape[:2]) for level in zip(*each)]

    def _forget_other_weights(self) -> None:
        """Forget all frames where the network's weights were changed or replaced since they were encoded."""
        tensors = chain(self.network.parameters(), self.network.buffers())
        weights = [(tensor.data_ptr(), tensor._version) for tensor in tensors]
        if weights != self._weights:
            self._kept.clear()
            self._bytes = 0
            self._weights = weights

    def _encode_frame(self, frame: Tensor) -> list[Tensor]:
        """(3, H, W) to one (C, h, w) per level."""
        key = (
            blake2b(frame.contiguous().cpu().numpy(), digest_size=16).digest()
            + repr((tuple(frame.shape), frame.dtype, frame.device)).encode()
        )
        levels = self._kept.get(key)
        if levels is not None:
            self._kept.move_to_end(key)
            return levels
        levels = [level[0, 0].clone() for level in self.encoder.encode(frame[None, None], [])]
        self._kept[key] = levels
        self._bytes += _size(levels)
        while self._bytes > self.limit:
            self._bytes -= _size(self._kept.popitem(last=False)[1])
        return levels


def _size(levels: list[Tensor]) -> int:
    return sum(level.numel() * level.element_size() for level in levels)
