"""Clips of a report: one picture per frame and method, small enough to stand inside the page."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from mmforecast.structures import ForecastDataSample, fill_boxes

from ..clip import (
    classes_shown,
    instance_classes,
    known_pictures,
    known_titles,
    panel_size,
    rgb_frames,
    sample_headings,
    to_numpy,
)
from ..palette import as_palette
from ..panels import PanelStyle
from ..panoptic import forecast_panoptic, known_panoptic, stuff_maps

__all__ = ['ClipView', 'Panel', 'clip_view', 'data_uri']

# What a forecast of each kind is called beside the truth of another kind.
_KINDS = {
    'frames': 'frames',
    'labels': 'label maps',
    'instances': 'instances',
    'panoptic': 'panoptic maps',
}


@dataclass
class Panel:
    """One picture that moves.

    Attributes:
        name: Of the method, or 'truth', or 'network on the true frame'.
        pictures: As data URIs: all frames of a truth, the future ones of a forecast.
        past_of: Position, in the clip's panels, of the truth whose past frames a forecast shows.
    """

    name: str
    pictures: list[str]
    past_of: int | None = None


@dataclass
class ClipView:
    """A clip as a page shows it.

    Attributes:
        title: Name of the sequence.
        times: Heading of each frame.
        num_past: Frames before the first forecast.
        size: (H, W) of the pictures.
        panels: Truths, each followed by the forecasts of its kind.
        legend: (class, CSS color) of the label maps' classes that appear.
    """

    title: str
    times: list[str]
    num_past: int
    size: tuple[int, int]
    panels: list[Panel] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)

    @property
    def columns(self) -> int:
        """Panels side by side where there is room: three, or four where that fills the rows."""
        return 4 if len(self.panels) % 4 == 0 else min(3, len(self.panels))


def clip_view(
    forecasts: Mapping[str, ForecastDataSample],
    frames,
    meta: Mapping | None = None,
    height: int = 192,
    quality: int = 80,
) -> ClipView:
    """Draw a clip with the forecasts of several methods.

    Args:
        forecasts: Method to the clip's sample with its forecast: ``pred_panoptic``, else ``pred_instances``,
            else ``pred_sem_seg``, else ``pred_frames``.
        frames: The clip, as for :func:`~mmforecast.visualization.clip.clip_frames`.
        meta: The dataset's metainfo: ``palette``, ``classes``, ``moving_ids``.
        height: Of a picture, in pixels.
        quality: Of the pictures' WebP, in [0, 100].

    Raises:
        ValueError: A sample has no forecast, or they differ in their number of steps.
    """
    found = {name: _forecast(name, sample) for name, sample in forecasts.items()}
    steps = {len(forecast) for _, forecast in found.values()}
    if len(steps) != 1:
        raise ValueError(f'forecasts of one clip must have as many steps, got {sorted(steps)}')
    (num_steps,), first, meta = steps, next(iter(forecasts.values())), meta or {}
    title, times = str(first.sequence_id), sample_headings(first, num_steps)
    view = ClipView(title, times, first.num_past, (0, 0))
    for kind in _KINDS:
        own = {name: forecast for name, (of, forecast) in found.items() if of == kind}
        if own:
            sample = forecasts[next(iter(own))]
            images, labels, instances = known_pictures(frames, sample, num_steps)
            known = dict(frames=[None] * len(images), labels=labels, instances=instances)
            known = known_panoptic(sample, num_steps) if kind == 'panoptic' else known[kind]
            title = known_titles(sample)[kind]
            _add_panels(view, kind, title, images, known, own, meta, height, quality)
    return view


def _add_panels(
    view: ClipView,
    kind: str,
    title: str,
    images: Sequence,
    known: Sequence,
    forecasts: Mapping[str, Sequence],
    meta: Mapping,
    height: int,
    quality: int,
) -> None:
    """The truth of one kind, and the forecasts of that kind after it."""
    view.size = panel_size([*images, *known, *next(iter(forecasts.values()))], height)
    style = PanelStyle(view.size, meta.get('palette'), 0.6, instance_classes(meta))
    name = title if not view.panels else f'{title}, {_KINDS[kind]}'
    truths = [style.draw(image, overlay) for image, overlay in zip(images, known, strict=True)]
    position = len(view.panels)
    view.panels.append(Panel(name, [data_uri(picture, quality) for picture in truths]))
    future = list(zip(images, known))[view.num_past :]
    for name, steps in forecasts.items():
        drawn = [
            style.draw(image, step, truth=true) for (image, true), step in zip(future, steps, strict=True)
        ]
        view.panels.append(Panel(name, [data_uri(picture, quality) for picture in drawn], position))
    if kind in ('labels', 'panoptic'):
        maps = [*known, *(step for steps in forecasts.values() for step in steps)]
        view.legend = _legend(stuff_maps(maps), meta)


def data_uri(picture: np.ndarray, quality: int = 80) -> str:
    """A uint8 (H, W, 3) RGB picture as a WebP inside a URI."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, 'WEBP', quality=quality, method=4)
    return f'data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}'


def _forecast(name: str, sample: ForecastDataSample) -> tuple[str, Sequence]:
    """Kind of a sample's forecast, and it by step, as :class:`PanelStyle` draws it."""
    if 'pred_panoptic' in sample:
        return 'panoptic', forecast_panoptic(sample)
    if 'pred_instances' in sample:
        steps = [fill_boxes(step, sample.get('img_shape')) for step in sample.pred_instances]
        return 'instances', steps
    if 'pred_sem_seg' in sample:
        return 'labels', to_numpy(sample.pred_sem_seg.data)
    if 'pred_frames' in sample:
        return 'frames', rgb_frames(sample.pred_frames)
    raise ValueError(f'{name} has forecast neither instances nor label maps nor frames')


def _legend(maps: Sequence[np.ndarray | None], meta: Mapping) -> list[tuple[str, str]]:
    classes = meta.get('classes') or ()
    colors = as_palette(meta.get('palette'), len(classes)) if classes else ()
    return [
        (classes[index], 'rgb({}, {}, {})'.format(*map(int, colors[index])))
        for index in classes_shown(maps, len(classes))
    ]
