"""Pictures of forecasts: a clip that plays into the future, and the view along a running video."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmforecast.structures import fill_boxes
from mmforecast.visualization import (
    draw_legend,
    forecast_animation,
    instance_classes,
    rolling_picture,
    rolling_style,
)
from mmforecast.visualization.clip import TRUTH, classes_shown, known_titles
from mmforecast.visualization.panels import PanelStyle

from .arguments import fraction, integer
from .results import Forecast

__all__ = ['ForecastDrawer']

_MIN_PANEL_HEIGHT = 32


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
        kind = next(iter(_kinds(forecast)), 'frames')
        known = {'label maps': 'ref_sem_seg', 'instances': 'ref_instances'}.get(kind)
        drawn = known in forecast.sample and forecast.num_known == len(forecast.steps)
        titles = known_titles(forecast.sample)
        return titles['labels' if kind == 'label maps' else kind] if drawn else TRUTH

    def _settings(self) -> dict:
        return dict(
            palette=self.meta.get('palette'),
            instance_classes=instance_classes(self.meta),
            score_thr=self.score_thr,
        )

    def _clip_pictures(self, forecast: Forecast) -> list[np.ndarray]:
        """The past frames, then each step beside the true frame where it is known.

        Label maps and instances of frames that nobody has seen are laid over a pale copy of the last one
        seen.
        """
        found = _kinds(forecast)
        kinds = _titled(found, self.title)
        classes = self.meta.get('classes')
        if forecast.num_known == len(forecast.steps) or list(found) == ['frames']:
            settings = dict(self._settings(), classes=classes, panel_height=self.panel_height)
            return forecast_animation(forecast.sample, forecast.frames, kinds, **settings)
        style = rolling_style(forecast.frames[0], self.panel_height, **self._settings())
        pictures = forecast_animation(
            forecast.sample,
            _with_objects(forecast, style),
            {name: _on_pale(forecast, steps, style) for name, steps in kinds.items()},
            panel_height=self.panel_height,
        )
        shown = classes_shown(found.get('label maps', ()), len(classes or ()))
        if not shown:
            return pictures
        legend = draw_legend(classes, pictures[0].shape[1], self.meta.get('palette'), shown)
        return [np.vstack([picture, legend]) for picture in pictures]

    def _running_picture(self, forecast: Forecast) -> np.ndarray:
        """The frame that came at the end of the horizon, beside what had been forecast for it."""
        moment, ahead, time = forecast.steps[-1], forecast.seconds[-1], forecast.time
        known = forecast.num_known == len(forecast.steps)
        before = f'{moment - forecast.last} frames' if ahead is None else f'{ahead:.2f} s'
        return rolling_picture(
            forecast.frames[-1] if known else None,
            {
                f'{name}, {before} before': steps[-1]
                for name, steps in _titled(_kinds(forecast), self.title).items()
            },
            f'frame {moment}' if ahead is None else f't = {time + ahead:.2f} s',
            min(1.0, (moment + 1) / self.num_frames) if self.num_frames else 0.0,
            rolling_style(forecast.frames[0], self.panel_height, **self._settings()),
            None if known else _pale(forecast),
        )


def _with_objects(forecast: Forecast, style: PanelStyle) -> np.ndarray:
    """The frames at the panels' size, with the objects that a forecast started from."""
    objects = forecast.sample.get('past_instances') or []
    objects = [*objects, *[None] * (len(forecast.frames) - len(objects))]
    return np.stack([style.draw(frame, found) for frame, found in zip(forecast.frames, objects, strict=True)])


def _on_pale(forecast: Forecast, steps: Sequence, style: PanelStyle) -> np.ndarray:
    """Each step over its frame or, where that is not known, over a pale copy of the last one that is."""
    num_unknown = len(steps) - forecast.num_known
    grounds = [*forecast.frames[forecast.sample.num_past :], *[_pale(forecast)] * num_unknown]
    return np.stack([style.draw(ground, step) for ground, step in zip(grounds, steps, strict=True)])


def _pale(forecast: Forecast) -> np.ndarray:
    """The last frame that the forecast was made from, much lighter."""
    dark = 255 - forecast.frames[forecast.sample.num_past - 1].astype(np.uint16)
    return (255 - dark * 2 // 5).astype(np.uint8)


def _titled(kinds: Mapping[str, Sequence], title: str) -> dict[str, Sequence]:
    """The forecasts by title; of several kinds, each with its own."""
    if len(kinds) == 1:
        return {title: next(iter(kinds.values()))}
    return {f'{title}: {kind}': steps for kind, steps in kinds.items()}


def _kinds(forecast: Forecast) -> dict[str, Sequence]:
    sample, kinds = forecast.sample, {}
    if 'rgb' in forecast.pixels:
        kinds['frames'] = forecast.pixels['rgb']
    if 'sem_seg' in forecast.pixels:
        kinds['label maps'] = forecast.pixels['sem_seg']
    if 'pred_instances' in sample:
        size = forecast.frames.shape[1:3]
        kinds['instances'] = [fill_boxes(step, size) for step in sample.pred_instances]
    return kinds
