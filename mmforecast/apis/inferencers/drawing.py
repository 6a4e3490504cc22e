"""Pictures of forecasts: a clip that plays into the future, and the view along a running video."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np
import torch
from mmengine.structures import InstanceData

from mmforecast.structures import ForecastDataSample, fill_boxes
from mmforecast.visualization import (
    draw_legend,
    forecast_animation,
    forecast_panoptic,
    instance_classes,
    rolling_picture,
    rolling_style,
)
from mmforecast.visualization.clip import TRUTH, classes_shown, known_titles
from mmforecast.visualization.linking import InstanceLinker
from mmforecast.visualization.panels import PanelStyle
from mmforecast.visualization.panoptic import stuff_maps

from .arguments import fraction, integer
from .results import Forecast

__all__ = ['ForecastDrawer']

_MIN_PANEL_HEIGHT = 32
# More classes would fill the picture of a running video.
_MAX_LEGEND = 20


class ForecastDrawer:
    """Draws forecasts, each once however often its pictures are asked for.

    Args:
        title: What the forecast is called.
        meta: A dataset's metainfo, for classes and colors.
        running: Whether forecasts are of a running video, with one picture each; else a clip each.
        num_frames: Frames of the video, where that is known.
        score_thr: Instances with a lower score are left out, in [0, 1].
        panel_height: Pixels, at least 32.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        title: str,
        meta: Mapping,
        running: bool = False,
        num_frames: int | None = None,
        score_thr: float = 0.5,
        panel_height: int = 256,
    ):
        self.title = title
        self.meta = meta
        self.running = running
        self.num_frames = num_frames
        self.score_thr = fraction('ForecastInferencer', 'score_thr', score_thr)
        self.panel_height = integer('ForecastInferencer', 'panel_height', panel_height)
        if self.panel_height < _MIN_PANEL_HEIGHT:
            raise ValueError(
                f'ForecastInferencer: panel_height must be {_MIN_PANEL_HEIGHT} or more pixels, got '
                f'{panel_height}'
            )
        self._last: tuple[Forecast | None, list[np.ndarray]] = (None, [])
        # Track ids of one forecast say nothing of the next.
        self._linker = InstanceLinker(trust_tracks=False)

    def pictures(self, forecast: Forecast) -> list[np.ndarray]:
        """uint8 RGB pictures of one size: one of a running video, else one per past frame and step."""
        if self._last[0] is not forecast:
            drawn = [self._running_picture(forecast)] if self.running else self._clip_pictures(forecast)
            self._last = forecast, drawn
        return self._last[1]

    def beside(self, forecast: Forecast) -> str | None:
        """The title of what a clip shows beside the forecast; None where nothing is known of the future."""
        if forecast.num_known == 0:
            return None
        kind = next(iter(_kinds(forecast, last=True)), 'frames')
        known = {
            'label maps': 'ref_sem_seg',
            'instances': 'ref_instances',
            'panoptic maps': 'ref_panoptic',
        }.get(kind)
        drawn = known in forecast.sample and forecast.num_known == len(forecast.steps)
        titles = known_titles(forecast.sample)
        names = {'label maps': 'labels', 'panoptic maps': 'panoptic'}
        return titles[names.get(kind, kind)] if drawn else TRUTH

    def _settings(self) -> dict:
        return dict(
            palette=self.meta.get('palette'),
            instance_classes=instance_classes(self.meta),
            score_thr=self.score_thr,
        )

    def _clip_pictures(self, forecast: Forecast) -> list[np.ndarray]:
        """The past frames, then each step beside the true frame where it is known.

        Label maps and instances are laid over the true frames where all are known, else over forecast ones.
        """
        found = _kinds(forecast)
        classes = self.meta.get('classes')
        sample = forecast.sample
        if 'instances' in found:
            sample, found['instances'] = self._linked(forecast, found['instances'])
        if forecast.num_known == len(forecast.steps) or list(found) == ['frames']:
            settings = dict(self._settings(), classes=classes, panel_height=self.panel_height)
            visible = forecast.moved and forecast.moved.visible
            kinds = _titled(found, self.title)
            return forecast_animation(sample, forecast.frames, kinds, **settings, visible=visible)
        style = rolling_style(forecast.frames[0], self.panel_height, **self._settings())
        kinds = {
            title + self._on(forecast, steps): _on_grounds(forecast, steps, style)
            for title, steps in _titled(found, self.title).items()
        }
        pictures = forecast_animation(
            forecast.sample, _with_objects(forecast, style), kinds, panel_height=self.panel_height
        )
        maps = stuff_maps([*found.get('label maps', ()), *found.get('panoptic maps', ())])
        shown = classes_shown(maps, len(classes or ()))
        if not shown:
            return pictures
        legend = draw_legend(classes, pictures[0].shape[1], self.meta.get('palette'), shown)
        return [np.vstack([picture, legend]) for picture in pictures]

    def _running_picture(self, forecast: Forecast) -> np.ndarray:
        """The frame that came at the end of the horizon, beside what had been forecast for it."""
        moment, ahead, time = forecast.steps[-1], forecast.seconds[-1], forecast.time
        known = forecast.num_known == len(forecast.steps)
        before = f'{moment - forecast.last} frames' if ahead is None else f'{ahead:.2f} s'
        found = _kinds(forecast, last=True)
        if 'instances' in found:
            found['instances'] = [self._linker(self._linkable(step)) for step in found['instances']]
        if 'panoptic maps' in found:
            found['panoptic maps'] = [
                replace(step, things=self._linker(step.things)) for step in found['panoptic maps']
            ]
        visible = forecast.moved and forecast.moved.visible[-1]
        picture = rolling_picture(
            forecast.frames[-1] if known else None,
            {
                f'{name}, {before} before' + ('' if known else self._on(forecast, steps)): steps[-1]
                for name, steps in _titled(found, self.title).items()
            },
            f'frame {moment}' if ahead is None else f't = {time + ahead:.2f} s',
            min(1.0, (moment + 1) / self.num_frames) if self.num_frames else 0.0,
            rolling_style(forecast.frames[0], self.panel_height, **self._settings()),
            None if known else _grounds(forecast)[-1],
            visible,
        )
        classes = self.meta.get('classes') or ()
        if not {'label maps', 'panoptic maps'} & set(found) or not 0 < len(classes) <= _MAX_LEGEND:
            return picture
        # Of all classes, so that the pictures of a video have one size; things have colors of their own.
        things = self.meta.get('moving_ids') or () if 'panoptic maps' in found else ()
        keys = [index for index in range(len(classes)) if index not in things]
        return np.vstack([picture, draw_legend(classes, picture.shape[1], self.meta.get('palette'), keys)])

    def _linked(
        self, forecast: Forecast, steps: Sequence[InstanceData]
    ) -> tuple[ForecastDataSample, list[InstanceData]]:
        """A copy of the sample, and the steps, with ``ids`` that stay through the forecast.

        What the network finds in the true frame has the ids of the forecast instances that it overlaps.
        """
        link, linked, believed = InstanceLinker(), [], []
        sample = forecast.sample.new()
        found = sample.get('ref_instances') or []
        for step, true in zip_longest(steps, found):
            linked += [] if step is None else [link(self._linkable(step))]
            believed += [] if true is None else [link.paired(fill_boxes(true, forecast.frames.shape[1:3]))]
        if believed:
            sample.ref_instances = believed
        return sample, linked

    def _linkable(self, instances: InstanceData) -> InstanceData:
        """Those that are drawn, and those nearly sure enough, which keep identities through a weak moment."""
        if not len(instances) or 'scores' not in instances:
            return instances
        return instances[torch.as_tensor(instances.scores) >= self.score_thr / 2]

    @staticmethod
    def _on(forecast: Forecast, steps: Sequence) -> str:
        """What a title says of the picture beneath label maps and instances of an unknown future."""
        if not isinstance(steps[0], InstanceData) and steps[0].ndim == 3:
            return ''
        return ', over ' + ('the last frame' if forecast.moved is None else 'the forecast frame')


def _with_objects(forecast: Forecast, style: PanelStyle) -> np.ndarray:
    """The frames at the panels' size, with the objects that a forecast started from."""
    objects = forecast.sample.get('past_instances') or []
    objects = [*objects, *[None] * (len(forecast.frames) - len(objects))]
    return np.stack([style.draw(frame, found) for frame, found in zip(forecast.frames, objects, strict=True)])


def _on_grounds(forecast: Forecast, steps: Sequence, style: PanelStyle) -> np.ndarray:
    """Each step over what :func:`_grounds` gives; where a label map is a guess, it is drawn fainter."""
    visible = [None] * len(steps) if forecast.moved is None else forecast.moved.visible
    panels = zip(_grounds(forecast), steps, visible, strict=True)
    return np.stack([style.draw(ground, step, visible=seen) for ground, step, seen in panels])


def _grounds(forecast: Forecast) -> np.ndarray:
    """A forecast frame per step, pale where it is a guess; or a pale copy of the last frame seen."""
    if forecast.moved is None:
        last = forecast.frames[forecast.sample.num_past - 1]
        return np.stack([_pale(last)] * len(forecast.steps))
    images, visible = forecast.moved.images, forecast.moved.visible
    return np.where(visible[..., None], images, _pale(images))


def _pale(images: np.ndarray) -> np.ndarray:
    """Copies of uint8 pictures, much lighter."""
    return (255 - (255 - images.astype(np.uint16)) * 2 // 5).astype(np.uint8)


def _titled(kinds: Mapping[str, Sequence], title: str) -> dict[str, Sequence]:
    """The forecasts by title; of several kinds, each with its own."""
    if len(kinds) == 1:
        return {title: next(iter(kinds.values()))}
    return {f'{title}: {kind}': steps for kind, steps in kinds.items()}


def _kinds(forecast: Forecast, last: bool = False) -> dict[str, Sequence]:
    """What is forecast, by kind: of all steps, or of the ``last`` one alone."""
    steps, kinds = slice(-1 if last else 0, None), {}
    if 'rgb' in forecast.pixels:
        kinds['frames'] = forecast.pixels['rgb'][steps]
    if 'panoptic' in forecast.pixels:  # in place of what it was merged from
        kinds['panoptic maps'] = forecast_panoptic(forecast.sample)[steps]
        return kinds
    if 'sem_seg' in forecast.pixels:
        kinds['label maps'] = forecast.pixels['sem_seg'][steps]
    if 'pred_instances' in forecast.sample:
        size = forecast.frames.shape[1:3]
        kinds['instances'] = [fill_boxes(step, size) for step in forecast.instances[steps]]
    return kinds
