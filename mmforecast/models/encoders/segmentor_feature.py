"""The coarsest map of a frozen segmentor as representation (F2MF, CVPR 2020)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.utils import Pyramid
from mmforecast.registry import MODELS

from .frozen import FrozenEncoder
from .segmentor import network_inputs, padded_size, two_channels, upsamples_its_head

_HEAD = 'decode_head'
_PROBE = 1, 3, 64, 128


@MODELS.register_module()
class SegmentorFeatureEncoder(FrozenEncoder):
    """One map inside any mmseg segmentor, from which the rest of the segmentor computes its scores.

    The rest must need nothing but that map. When the encoder is built, this is tried on a random frame: a
    segmentor with lateral connections past the cut is refused.

    Args:
        segmentor: Config of the segmentor, usually a whole mmseg ``model`` dict; it is built in mmseg's
            scope unless it says otherwise.
        cut: 'decode_head' cuts in front of the head, at the map that it reads. The name of a module of the
            head cuts behind that, at its output: 'decode_head.bottleneck' of PSPNet and DeepLab has a fraction
            of the channels of the backbone. A frame must pass it once.
        standardize, checkpoint, chunk: See ``FrozenEncoder``.

    Attributes:
        stride: Of the map, in pixels.

    Raises:
        ValueError: The segmentor has no such map, or its label map isn't the argmax of its head's output,
            simply upsampled.
    """

    network_name = 'segmentor'
    scope = 'mmseg'
    level_names = ('features',)

    def __init__(
        self,
        segmentor: dict | nn.Module,
        checkpoint: str | None = None,
        cut: str = _HEAD,
        standardize: bool = False,
        chunk: int = 8,
    ):
        super().__init__(segmentor, checkpoint, chunk=chunk)
        self.cut = cut
        self._shapes: dict[tuple[int, int], list[torch.Size]] = {}  # of what the head reads, by frame size
        self._check_segmentor()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.channels, self.stride = self._probe(torch.randn(_PROBE))
        self.set_up_standardizers(standardize)

    def encode_frames(self, frames: Tensor) -> Pyramid:
        return [self._read(network_inputs(self.segmentor, frames))[0]]

    def scores(self, maps: Tensor, frame_size: Sequence[int]) -> Tensor:
        """Scores of maps, as the segmentor would compute them from the frames.

        Args:
            maps: (N, C, h, w) of the representation.
            frame_size: (H, W) of the frames.

        Returns:
            (N, classes, h', w'), as large as the head's output, or as the frames where these are padded.
        """
        frame_size = tuple(frame_size)
        (raw,) = self.raw([maps])
        size = padded_size(self.segmentor, frame_size)
        scores = two_channels(self._continue(raw, size), self.segmentor)
        if size == frame_size:
            return scores
        scores = F.interpolate(scores, size=size, mode='bilinear', align_corners=False)
        return scores[..., : frame_size[0], : frame_size[1]]

    def _read(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """The map at the cut, from normalized frames; and the scores, where they were computed on the way."""
        features = self.segmentor.extract_feat(inputs)
        self._shapes[tuple(inputs.shape[-2:])] = [level.shape[1:] for level in features]
        head = self.segmentor.decode_head
        if self.cut == _HEAD:
            return head._transform_inputs(features), None
        found = []
        handle = self._module().register_forward_hook(lambda *call: found.append(call[-1]))
        try:
            scores = head(features)
        finally:
            handle.remove()
        if len(found) != 1 or not isinstance(found[0], Tensor) or found[0].ndim != 4:
            raise ValueError(
                f'{self._name}: cut={self.cut!r} must name a module that gives one map (N, C, h, w) of a '
                f'frame, but it was called {len(found)} times; choose another, such as decode_head.bottleneck'
            )
        return found[0], scores

    def _continue(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """Scores from maps at the cut, for padded frames of ``size``; all else that the head reads is zero."""
        if size not in self._shapes:
            with torch.no_grad():
                self._read(maps.new_zeros((1, 3, *size)))
        absent = [maps.new_zeros((len(maps), *shape)) for shape in self._shapes[size]]
        head = self.segmentor.decode_head
        if self.cut == _HEAD:
            with _given_inputs(head, maps):
                return head(absent)
        handle = self._module().register_forward_hook(lambda *call: maps)
        try:
            return head(absent)
        finally:
            handle.remove()

    def _module(self) -> nn.Module:
        names = [f'{_HEAD}.{name}' for name, _ in self.segmentor.decode_head.named_modules() if name]
        if self.cut not in names:
            raise ValueError(
                f"{self._name}: cut must be '{_HEAD}', or a module of the head: {', '.join(names)}; got "
                f'{self.cut!r}'
            )
        return self.segmentor.get_submodule(self.cut)

    def _check_segmentor(self) -> None:
        kind = type(self.segmentor).__name__
        if isinstance(getattr(self.segmentor, _HEAD, None), nn.ModuleList):
            raise ValueError(
                f'{self._name}: {kind} has several heads, each of which reads the one before; take a '
                'segmentor with one head'
            )
        if not upsamples_its_head(self.segmentor):
            raise ValueError(
                f"{self._name}: {kind}'s label map is not the argmax of its head's output, simply upsampled; "
                "set test_cfg=dict(mode='whole') and align_corners=False of the head, or take another "
                'segmentor'
            )

    @torch.no_grad()
    def _probe(self, frames: Tensor) -> tuple[int, int]:
        """Channels and stride of the map; tries whether it is all that the rest reads."""
        own = self.segmentor(frames, mode='tensor')
        maps, _ = self._read(frames)
        if not isinstance(maps, Tensor):
            raise ValueError(
                f'{self._name}: the head of {type(self.segmentor).__name__} reads {len(maps)} maps; cut '
                "behind a module that joins them, by its name, such as cut='decode_head.fusion_conv'"
            )
        scores = self._continue(maps, tuple(frames.shape[-2:]))
        if not torch.allclose(own, scores, rtol=1e-3, atol=1e-4 * float(own.abs().max())):
            raise ValueError(
                f'{self._name}: the scores of {type(self.segmentor).__name__} depend on more than the map at '
                f'cut={self.cut!r}, because lateral connections go past it; cut behind them'
            )
        return maps.shape[1], frames.shape[-1] // maps.shape[-1]

    @property
    def _name(self) -> str:
        return type(self).__name__


@contextmanager
def _given_inputs(head: nn.Module, maps: Tensor) -> Iterator[None]:
    """Inside, a head reads these maps, whatever it is called with."""
    head._transform_inputs = lambda features: maps
    try:
        yield
    finally:
        del head._transform_inputs
