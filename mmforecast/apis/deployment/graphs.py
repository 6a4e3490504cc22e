"""The parts of a forecaster as modules of tensors alone, and which parts have such a graph.

Where an axis may have any size, the example has several: tracing takes a size of 1 for a constant.
"""

from dataclasses import dataclass, field

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmforecast.models.decoders import RGBDecoder, SemSegDecoder
from mmforecast.models.encoders import CachedEncoder, RGBEncoder
from mmforecast.models.encoders.frozen import FrozenEncoder
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.models.predictors import (
    BasePredictor,
    D2DPredictor,
    F2FPredictor,
    ForecastContext,
    MotionForecaster,
    MultiScalePredictor,
)
from mmforecast.models.predictors.motion_forecaster import MotionEvidence
from mmforecast.models.utils import unit_to_rgb
from mmforecast.models.utils.camera_motion import CameraMotion

# Predictors that see nothing but the window of maps.
_OF_MAPS_ALONE = (MultiScalePredictor, D2DPredictor, F2FPredictor)


class NoGraphError(ValueError):
    """A part that only runs in Python; the message is the reason, and ends a sentence."""


@dataclass
class Graph:
    """A part to export.

    Attributes:
        module: Takes and returns tensors, or one tuple of them.
        inputs: Names and example tensors.
        outputs: Names.
        free: Axes of each input that may have any size, by name of the input.
        kind: How the runner calls it: 'maps' or 'motion' for a predictor, else ''.
    """

    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: list[str]
    free: dict[str, tuple[int, ...]] = field(default_factory=dict)
    kind: str = ''


class EncoderGraph(nn.Module):
    """(N, 3, H, W) RGB in [0, 255] to (N, C, h, w) per level, as ``encode`` gives them."""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder = encoder

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        if isinstance(self.encoder, FrozenEncoder):
            return tuple(self.encoder.standardized(self.encoder.encode_frames(frames)))
        return tuple(level[:, 0] for level in self.encoder.encode(frames[:, None], []))


class PredictorGraph(nn.Module):
    """(B, num_past, C, h, w) per level to (B, num_outputs, C', h, w), one call of the predictor."""

    def __init__(self, predictor: BasePredictor):
        super().__init__()
        self.predictor = predictor

    def forward(self, *past: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.predictor(list(past), ForecastContext(frames=None, samples=[])))


class MotionGraph(nn.Module):
    """The newest maps, moved ``steps`` steps by a motion forecaster that has observed the motion already.

    OpenCV's flow and the camera's motion stay outside: :func:`motion_inputs` computes them.
    """

    def __init__(self, predictor: MotionForecaster, steps: int):
        super().__init__()
        self.predictor = predictor
        self.steps = steps

    def forward(self, moved, share, rotation, translation, yaw_change, speed_change, flow, evidence, *newest):
        """``MotionEvidence`` in parts and (B, C, h, w) per level, to (B, steps, C, h, w) per level."""
        camera = CameraMotion(rotation.double(), translation.double())
        changes = yaw_change.double(), speed_change.double()
        observed = MotionEvidence(moved, share, camera, *changes, flow=flow, evidence=evidence)
        out = [[] for _ in newest]
        for step in range(self.steps):
            field, _ = self.predictor.backward_field(observed, steps=step + 1)
            for level, maps in zip(out, newest):
                level.append(self.predictor.move(maps, field))
        return tuple(torch.stack(level, dim=1) for level in out)


def motion_inputs(predictor: MotionForecaster, frames: Tensor, newest: list[Tensor]) -> dict[str, Tensor]:
    """The inputs of a :class:`MotionGraph`, computed by PyTorch and OpenCV.

    Args:
        frames: (B, T, 3, H, W) RGB in [0, 255], T at least 2.
        newest: (B, C, h, w) per level, of the last frame.
    """
    observed = predictor.with_regions(predictor.observe(frames), newest[0])
    return dict(
        moved=observed.moved,
        share=observed.share,
        rotation=observed.camera.rotation.float(),
        translation=observed.camera.translation.float(),
        yaw_change=observed.yaw_change.float(),
        speed_change=observed.speed_change.float(),
        flow=observed.flow,
        evidence=observed.evidence,
        **_named('newest', newest),
    )


class LabelGraph(nn.Module):
    """(B, n, C, h, w) scores to (B, n, H, W) labels as ``SemSegDecoder`` writes them, at the frames' size."""

    def __init__(self, size: tuple[int, int], values: tuple[int, ...] | None):
        super().__init__()
        self.size = size
        self.register_buffer('values', None if values is None else torch.tensor(values, dtype=torch.uint8))

    def forward(self, scores: Tensor) -> Tensor:
        flat = F.interpolate(scores.flatten(0, 1), size=self.size, mode='bilinear', align_corners=False)
        labels = flat.argmax(dim=1).unflatten(0, scores.shape[:2])
        return labels.to(torch.uint8) if self.values is None else self.values[labels]


class FrameGraph(nn.Module):
    """(B, n, 3, h, w) in [-1, 1] to (B, n, 3, H, W) RGB in [0, 255], as ``RGBDecoder`` writes them."""

    def __init__(self, size: tuple[int, int]):
        super().__init__()
        self.size = size

    def forward(self, maps: Tensor) -> Tensor:
        frames = unit_to_rgb(maps)
        if tuple(maps.shape[-2:]) == self.size:
            return frames
        flat = F.interpolate(frames.flatten(0, 1), size=self.size, mode='bilinear', align_corners=False)
        return flat.unflatten(0, maps.shape[:2])


def encoder_graph(model: BaseForecaster, frames: Tensor) -> Graph:
    """The encoder's graph, on frames (N, 3, H, W).

    Raises:
        NoGraphError: It reads labels or files, not frames.
    """
    encoder = model.encoder
    if isinstance(encoder, CachedEncoder):
        encoder = encoder.encoder
    if not isinstance(encoder, (FrozenEncoder, RGBEncoder)):
        raise NoGraphError(f'{type(encoder).__name__} runs no network on frames')
    module = EncoderGraph(encoder)
    return Graph(module, dict(frames=frames), _names('level', encoder.num_levels), dict(frames=(0,)))


def predictor_graph(model: BaseForecaster, past: list[Tensor], frames: Tensor, steps: int) -> Graph:
    """The predictor's graph.

    Args:
        past: (B, num_past, C, h, w) per level: example maps.
        frames: (B, num_past, 3, H, W): example frames.
        steps: The horizon, which is part of the graph of a motion forecaster.

    Raises:
        NoGraphError: The predictor reads frames in Python, is a baseline, or has no graph.
    """
    predictor = model.predictor
    if isinstance(predictor, _OF_MAPS_ALONE):
        inputs = _named('past', [level[:1].expand(2, *level.shape[1:]).clone() for level in past])
        free = {name: (0, 3, 4) for name in inputs}
        return Graph(PredictorGraph(predictor), inputs, _names('future', len(past)), free, 'maps')
    if isinstance(predictor, MotionForecaster):
        inputs = motion_inputs(predictor, frames, [level[:, -1] for level in past])
        return Graph(MotionGraph(predictor, steps), inputs, _names('future', len(past)), {}, 'motion')
    name = type(predictor).__name__
    if predictor.reads_frames:
        raise NoGraphError(f"{name} computes OpenCV's optical flow in every step")
    if predictor.reads_future:
        raise NoGraphError(f'{name} looks at the true future')
    raise NoGraphError(f'{name} has no graph; {", ".join(kind.__name__ for kind in _OF_MAPS_ALONE)} have one')


def decoder_graph(model: BaseForecaster, future: Tensor, size: tuple[int, int]) -> Graph:
    """The decoder's graph, on maps (B, n, C, h, w) of the only level.

    Raises:
        NoGraphError: It writes no dense maps.
    """
    decoder = model.decoder
    inputs, free = dict(future=future[:1, :1].expand(2, 3, -1, -1, -1).clone()), dict(future=(0, 1))
    if type(decoder) is SemSegDecoder:
        return Graph(LabelGraph(size, decoder.label_values), inputs, ['labels'], free)
    if type(decoder) is RGBDecoder:
        return Graph(FrameGraph(size), inputs, ['frames'], free)
    raise NoGraphError(f'{type(decoder).__name__} writes no dense maps: it builds objects, in Python')


def _names(name: str, count: int) -> list[str]:
    return [f'{name}_{level}' for level in range(count)]


def _named(name: str, levels: list[Tensor]) -> dict[str, Tensor]:
    return dict(zip(_names(name, len(levels)), levels))
