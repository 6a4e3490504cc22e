"""The frames of the streams of a dataset, and what a forecaster says after each of them."""

import copy
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor

from mmforecast.evaluation.functional.streaming import Number, exact
from mmforecast.evaluation.stream_scorer import forecast_of_step
from mmforecast.models.encoders import CachedEncoder
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.models.utils import Pyramid, time_cat
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.source_configs import source_configs

from .evaluate import SCOPE, build_loader

__all__ = ['FrameForecasts', 'Stream', 'frame_rate', 'iterate_streams', 'single_frame_config']

# Transforms that compare frames of a clip, for scores that a stream does not have.
_OF_CLIPS = ('ClipCameraSpeed',)


@dataclass
class Stream:
    """Consecutive frames of one sequence.

    Attributes:
        id: Of the sequence.
        fps: Frames per second.
        frames: (1, 3, H, W) uint8 RGB, oldest first.
        samples: The labels of each, clips of one frame.
    """

    id: str
    fps: Fraction
    frames: list[Tensor] = field(default_factory=list)
    samples: list[ForecastDataSample] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frames)


def single_frame_config(cfg: Config) -> Config:
    """A copy of a config whose test data are single frames, all of them in order."""
    cfg = copy.deepcopy(cfg)
    cfg.test_dataloader.update(batch_size=1, num_workers=0)
    for source in source_configs(cfg.test_dataloader.dataset):
        source.update(num_past=1, num_future=0, stride=1, anchor=None, clip_step=1)
        source.serialize_data = False  # it is for worker processes, and takes most of a second
        source.pipeline = [step for step in source.pipeline if step['type'] not in _OF_CLIPS]
    return cfg


def iterate_streams(cfg: Config, fps: Number | None = None) -> tuple[dict, Iterator[Stream]]:
    """The streams of the test data of a config, whole sequences in order.

    Args:
        fps: Frames per second; by default that of each sequence.

    Returns:
        The metainfo of the dataset, and the streams, each read when its turn comes.

    Raises:
        ValueError: The frame rate of a sequence is not known.
    """
    loader = build_loader(single_frame_config(cfg))
    return loader.dataset.metainfo, _streams(loader, fps)


def frame_rate(cfg: Config, fps: Number | None = None) -> Fraction:
    """The frame rate of the first stream; arguments as of :func:`iterate_streams`."""
    (sample,) = next(iter(build_loader(single_frame_config(cfg))))['data_samples']
    return _frame_rate(sample, fps)


def _streams(loader: Any, fps: Number | None) -> Iterator[Stream]:
    stream, last = None, None
    for batch in loader:
        (frame,), (sample,) = batch['inputs'], batch['data_samples']
        place = sample.sequence_id, sample.frame_indices[0]
        if stream is None or place != (last[0], last[1] + 1):
            if stream is not None:
                yield stream
            stream = Stream(sample.sequence_id, _frame_rate(sample, fps))
        stream.frames.append(frame)
        stream.samples.append(sample)
        last = place
    if stream is not None:
        yield stream


def _frame_rate(sample: ForecastDataSample, fps: Number | None) -> Fraction:
    given = sample.get('fps') if fps is None else fps
    if given is None:
        raise ValueError(
            f'sequence {sample.sequence_id} has no frame rate, which latency is counted by: name it (--fps)'
        )
    return exact(given)


class FrameForecasts:
    """The forecasts of a forecaster after each frame of a stream; in ascending order, each is encoded once.

    Args:
        model: In eval mode.
        stream: Its frames.
        stride: Frames between past frames, and between forecast steps.
    """

    def __init__(self, model: BaseForecaster, stream: Stream, stride: int):
        self.model = model
        self.stream = stream
        self.stride = stride
        self._encoded: dict[int, tuple[Pyramid, Tensor]] = {}

    def history(self, frame: int) -> list[int]:
        """The past frames of a forecast, the newest last; negative where the stream had not begun."""
        return [frame - age * self.stride for age in range(self.model.num_past - 1, -1, -1)]

    @torch.no_grad()
    def read(self, frame: int, steps: Collection[int]) -> dict[int, dict[str, Any]]:
        """What is known after a frame.

        Args:
            frame: The newest observed frame.
            steps: Steps ahead, ``stride`` frames each; 0 is the output of the network on the frame itself.

        Returns:
            The fields of a forecast of one step, by step.
        """
        oldest = self.history(frame)[0]
        self._encoded = {number: kept for number, kept in self._encoded.items() if number >= oldest}
        read = {0: self._present(frame)} if 0 in steps else {}
        if max(steps) > 0:
            forecast = self._forecast(frame, max(steps))
            read.update({step: forecast_of_step(forecast, step - 1) for step in steps if step > 0})
        return read

    def seconds(self, frame: int, steps: Collection[int]) -> Fraction:
        """The time of :meth:`read` and of encoding the frame, with the frames before it encoded already.

        The encoding is left out where the representation comes with the data.
        """
        for past in self.history(frame)[:-1]:
            self._encode(past)
        if self.model.encoder.from_rgb:
            self._encoded.pop(frame, None)
        else:
            self._encode(frame)
        _synchronize()
        start = time.perf_counter_ns()
        self.read(frame, steps)
        _synchronize()
        return Fraction(time.perf_counter_ns() - start, 10**9)

    def _present(self, frame: int) -> dict[str, Any]:
        """The network's own output on a frame, decoded as that on a true future frame is."""
        sample = self._sample(frame)
        representation, frames = self._gather([*self.history(frame), frame])
        _, context = self.model.split(representation, frames, [sample])
        self.model.decode(context.future, [sample], context, target='ref')
        panoptic = getattr(self.model, 'panoptic', None)  # of forecasters that merge what they decode
        if panoptic is not None:
            panoptic.decode(context.future, [sample], context, target='ref')
        return forecast_of_step(sample, 0, prefix='ref_') or self._copied(frame)

    def _copied(self, frame: int) -> dict[str, Any]:
        """The copy-last baseline's forecast, where the decoder reads nothing off a single frame (D2D's)."""
        with DefaultScope.overwrite_default_scope(SCOPE):
            parts = {name: MODELS.build(part) for name, part in self.model.baselines['copy-last'].items()}
        own = {name: getattr(self.model, name) for name in parts}
        try:
            for name, part in parts.items():
                setattr(self.model, name, part)
            return forecast_of_step(self._forecast(frame, 1), 0)
        finally:
            for name, part in own.items():
                setattr(self.model, name, part)

    def _forecast(self, frame: int, steps: int) -> ForecastDataSample:
        per_call = self.model.predictor.num_outputs
        self.model.test_steps = -(-steps // per_call) * per_call
        self.model.with_reference = False
        numbers = self.history(frame)
        if self.model.predictor.reads_future:
            numbers += [frame + step * self.stride for step in range(1, steps + 1)]
        sample = self._sample(frame)
        self.model.forecast(*self._gather(numbers), [sample])
        return sample

    def _gather(self, numbers: list[int]) -> tuple[Pyramid, Tensor]:
        pyramids, frames = zip(*map(self._encode, numbers))
        return time_cat(pyramids), torch.cat(frames, dim=1)

    def _encode(self, number: int) -> tuple[Pyramid, Tensor]:
        if number not in self._encoded:
            given = dict(inputs=[self.stream.frames[number]], data_samples=[self.stream.samples[number]])
            data = self.model.data_preprocessor(given, False)
            encoder = self.model.encoder
            if isinstance(encoder, CachedEncoder):  # else its times would be those of a memory
                self.model.encoder = encoder.encoder
            try:
                pyramid = self.model.encode(data['inputs'], data['data_samples'])
            finally:
                self.model.encoder = encoder
            self._encoded[number] = pyramid, data['inputs']
        return self._encoded[number]

    def _sample(self, frame: int) -> ForecastDataSample:
        meta = self.stream.samples[frame].metainfo
        kept = {key: meta[key] for key in ('sequence_id', 'img_shape', 'ori_shape', 'fps') if key in meta}
        time_axis = dict(num_past=self.model.num_past, num_future=0, stride=self.stride)
        return ForecastDataSample(metainfo={**kept, **time_axis})


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
