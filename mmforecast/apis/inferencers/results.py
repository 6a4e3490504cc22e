"""Forecasts as plain containers: numbers, arrays, and masks as COCO's run-length encoding."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from pycocotools import mask as rle

from mmforecast.structures import ForecastDataSample
from mmforecast.structures.panoptic import segments_of
from mmforecast.visualization.clip import rgb_frames, to_numpy

from .forecast_frames import ForecastFrames, FrameForecaster, shares_seen

# Fields of a sample with one entry per step.
_STEPWISE = (
    *('pred_sem_seg', 'ref_sem_seg', 'pred_instances', 'ref_instances', 'pred_panoptic', 'ref_panoptic'),
    'pred_scores',
)

__all__ = ['Forecast', 'decode_masks', 'encode_instances', 'plain_forecast', 'without_pixels']


@dataclass
class Forecast:
    """The forecast made at one frame of a video.

    Attributes:
        sample: At the size of the video's frames; ``frame_indices`` are those of the past frames and of all
            n forecast steps, whether or not the video reaches that far, and ``frame_times`` their seconds
            since the first frame, or None.
        frames: (num_past + k, H, W, 3) uint8 RGB: the past, and the k <= n future frames that are known.
        move: Forecasts frames from the past ones; None: what is visible is not known.
        numbers: Which steps the n are, counted from 1; None: all.
    """

    sample: ForecastDataSample
    frames: np.ndarray
    move: FrameForecaster | None = None
    numbers: list[int] | None = None

    def without_skipped(self) -> 'Forecast':
        """Drop the steps that a direct forecast of a later step leaves out."""
        made = self.sample.get('forecast_steps')
        if made is None:
            return self
        num_past, kept = self.sample.num_past, np.flatnonzero(made).tolist()
        clip = [*range(num_past), *(num_past + step for step in kept)]
        sample = self.sample.new()
        for key in ('frame_indices', 'frame_names', 'frame_times'):
            if self.sample.get(key) is not None:
                sample.set_metainfo({key: [self.sample.get(key)[number] for number in clip]})
        for key in _STEPWISE:
            if key in sample:
                setattr(sample, key, _steps_of(sample.get(key), kept))
        frames = self.frames[[number for number in clip if number < len(self.frames)]]
        sample.set_metainfo(dict(num_future=len(frames) - num_past, forecast_steps=[True] * len(kept)))

        def move(past: np.ndarray, steps: int) -> ForecastFrames | None:
            moved = self.move(past, len(made))
            return moved and ForecastFrames(moved.images[kept], moved.visible[kept])

        return Forecast(sample, frames, move if self.move else None, [step + 1 for step in kept])

    @property
    def last(self) -> int:
        """The number of the newest frame that the forecast was made from."""
        return self.sample.frame_indices[self.sample.num_past - 1]

    @property
    def steps(self) -> list[int]:
        """The numbers of the frames that were forecast."""
        return self.sample.frame_indices[self.sample.num_past :]

    @property
    def step_numbers(self) -> list[int]:
        """Which steps were forecast, counted from 1."""
        return self.numbers or list(range(1, len(self.steps) + 1))

    @property
    def num_known(self) -> int:
        """The number of forecast frames that the video contains."""
        return len(self.frames) - self.sample.num_past

    @property
    def time(self) -> float | None:
        """Seconds from the first frame of the video to the newest past frame; None where unknown."""
        times = self.sample.get('frame_times')
        return None if times is None else times[self.sample.num_past - 1]

    @property
    def seconds(self) -> list[float | None]:
        """Seconds from the newest past frame to each step; None where unknown."""
        times = self.sample.get('frame_times')
        if times is None:
            return [None] * len(self.steps)
        return [time - self.time for time in times[self.sample.num_past :]]

    @cached_property
    def pixels(self) -> dict[str, np.ndarray]:
        """``sem_seg`` (n, H, W) uint8 labels, ``panoptic`` (n, H, W) int32 ids and ``rgb`` (n, H, W, 3) uint8,
        whichever there is.
        """
        found = {}
        if 'pred_sem_seg' in self.sample:
            found['sem_seg'] = to_numpy(self.sample.pred_sem_seg.data).astype(np.uint8)
        if 'pred_panoptic' in self.sample:
            found['panoptic'] = to_numpy(self.sample.pred_panoptic.data).astype(np.int32)
        if 'pred_frames' in self.sample:
            found['rgb'] = np.stack(rgb_frames(self.sample.pred_frames))
        return found

    @cached_property
    def moved(self) -> ForecastFrames | None:
        """Forecast frames for label maps and instances; None for forecasts of frames, or where unknown."""
        if self.move is None or not ('pred_sem_seg' in self.sample or 'pred_instances' in self.sample):
            return None
        return self.move(self.frames[: self.sample.num_past], len(self.steps))

    @cached_property
    def instances(self) -> list[InstanceData]:
        """``pred_instances`` of each step with their ``visibility`` (N,), where that is known."""
        steps = self.sample.pred_instances
        if self.moved is None:
            return steps
        seen = zip(steps, self.moved.visible, strict=True)
        return [_with_visibility(step, visible) for step, visible in seen]

    def marked_sample(self) -> ForecastDataSample:
        """The sample with what is known of its visibility.

        Its instances have their ``visibility``, and ``visibility`` of its metainfo is as in
        :func:`plain_forecast`.
        """
        if self.moved is None:
            return self.sample
        marked = self.sample.new()
        marked.set_metainfo(dict(visibility=self.visibility))
        if 'pred_instances' in marked:
            marked.pred_instances = self.instances
        return marked

    @property
    def visibility(self) -> list[float] | None:
        """The share of the pixels of each step that the newest frame showed; None where unknown."""
        return self.moved and [round(float(seen.mean()), 3) for seen in self.moved.visible]

    @cached_property
    def encoded(self) -> dict[tuple | None, list]:
        """Results of :func:`encode_instances`, by class names, so that they are made once."""
        return {}


def _steps_of(value: PixelData | torch.Tensor | list, steps: list[int]) -> PixelData | torch.Tensor | list:
    if isinstance(value, PixelData):
        return PixelData(data=value.data[steps])
    return [value[step] for step in steps] if isinstance(value, list) else value[steps]


def _with_visibility(instances: InstanceData, visible: np.ndarray) -> InstanceData:
    if not len(instances):
        return instances
    marked = instances.clone()
    marked.visibility = torch.tensor(shares_seen(instances, visible))
    return marked


def encode_instances(instances: InstanceData, classes: Sequence[str] | None = None) -> list[dict]:
    """Instances as in COCO's results.

    Returns:
        One dict per instance: ``label``, 0-based; ``class``, its name, where ``classes`` are known or the
        instances bring ``instance_classes``; ``score``; ``bbox``, [x, y, width, height]; ``segmentation``,
        compressed RLE with ``counts`` as str, where there are masks; ``track_id``, where there are tracks;
        ``visibility``, the share of its pixels that the newest frame showed, where that is known.
    """
    if not len(instances):
        return []
    fields = {key: to_numpy(instances.get(key)) for key in instances.keys()}
    classes = instances.get('instance_classes', classes)
    found = []
    for index, label in enumerate(fields['labels'].tolist()):
        entry = dict(label=label)
        if classes is not None:
            entry['class'] = classes[label]
        if 'scores' in fields:
            entry['score'] = round(float(fields['scores'][index]), 6)
        if 'bboxes' in fields:
            x1, y1, x2, y2 = (round(value, 3) for value in fields['bboxes'][index].tolist())
            entry['bbox'] = [x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)]
        if 'masks' in fields and not instances.get('filled_boxes', False):
            encoded = rle.encode(np.asfortranarray(fields['masks'][index], dtype=np.uint8))
            size = [int(side) for side in encoded['size']]
            entry['segmentation'] = dict(size=size, counts=encoded['counts'].decode())
        if 'track_ids' in fields:
            entry['track_id'] = int(fields['track_ids'][index])
        if 'visibility' in fields:
            entry['visibility'] = round(float(fields['visibility'][index]), 3)
        found.append(entry)
    return found


def decode_masks(instances: Sequence[dict]) -> np.ndarray:
    """(N, H, W) bool masks of N >= 1 dicts of :func:`encode_instances`."""
    with warnings.catch_warnings():  # pycocotools calls numpy in a way that numpy 2 deprecates
        warnings.simplefilter('ignore', DeprecationWarning)
        masks = [rle.decode(entry['segmentation']) for entry in instances]
    return np.stack(masks).astype(bool)


def plain_forecast(forecast: Forecast, classes: Sequence[str] | None = None) -> dict:
    """A forecast as plain containers.

    Args:
        forecast: It remembers what is computed here.
        classes: Names of the instances' labels.

    Returns:
        ``last_frame``, the number of the newest past frame, counted from 0; ``time``, its seconds since the
        first frame of the video; ``frames``, the numbers of the n frames that were forecast; ``seconds``,
        their times after ``last_frame`` (times are None where the frame rate is unknown); and of these,
        what the forecaster gives: ``sem_seg`` (n, H, W) uint8 labels, ``rgb`` (n, H, W, 3) uint8,
        ``instances``, a list over steps of :func:`encode_instances`, and ``panoptic`` (n, H, W) int32 ids
        with ``segments_info``, a list over steps of
        :func:`~mmforecast.structures.panoptic.segments_of`. With label maps or instances comes
        ``visibility``, the share of the pixels of each step that the newest frame showed, or None.
    """
    sample = forecast.sample
    plain = dict(
        last_frame=forecast.last,
        time=_rounded(forecast.time),
        frames=forecast.steps,
        seconds=[_rounded(seconds) for seconds in forecast.seconds],
        **forecast.pixels,
    )
    if 'pred_instances' in sample or 'pred_sem_seg' in sample:
        plain['visibility'] = forecast.visibility
    if 'pred_instances' in sample:
        key = None if classes is None else tuple(classes)
        if key not in forecast.encoded:
            forecast.encoded[key] = [encode_instances(step, classes) for step in forecast.instances]
        plain['instances'] = forecast.encoded[key]
    if 'panoptic' in plain:
        plain['segments_info'] = [segments_of(step) for step in plain['panoptic']]
    return plain


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)


def without_pixels(plain: dict) -> dict:
    """A :func:`plain_forecast` without its arrays."""
    return {key: value for key, value in plain.items() if key not in ('sem_seg', 'panoptic', 'rgb')}
