"""Pictures of forecasts: a clip that plays into the future, and the view along a running video."""

from collections.abc import Mapping, Sequence

import numpy as np
from mmengine.structures import InstanceData

from mmforecast.models.decoders.detection import box_regions
from mmforecast.visualization import (
    draw_legend,
    forecast_animation,
    instance_classes,
    rolling_picture,
    rolling_style,
)
from mmforecast.visualization.clip import classes_shown, rgb_frames, to_numpy
from mmforecast.visualization.panels import PanelStyle

from .results import Forecast

__all__ = ['clip_pictures', 'running_picture']


def clip_pictures(
    forecast: Forecast, title: str, meta: Mapping, score_thr: float = 0.5, panel_height: int = 256
) -> list[np.ndarray]:
    """The past frames, then each step beside the truth where it is known; see :func:`forecast_animation`.

    Label maps and instances of frames that nobody has seen are laid over a pale copy of the last one seen.

    Args:
        title: What the forecast is called.
        meta: A data set's metainfo, for classes and colours.
    """
    found = _kinds(forecast)
    kinds = _by_kind(found, title)
    settings = dict(
        palette=meta.get('palette'),
        instance_classes=instance_classes(meta),
        score_thr=score_thr,
    )
    if forecast.num_known == len(forecast.steps) or list(found) == ['frames']:
        settings.update(classes=meta.get('classes'), panel_height=panel_height)
        return forecast_animation(forecast.sample, forecast.frames, kinds, **settings)
    style = rolling_style(forecast.frames[0], panel_height, **settings)
    pictures = forecast_animation(
        forecast.sample,
        _with_objects(forecast, style),
        {name: _on_pale(forecast, steps, style) for name, steps in kinds.items()},
        panel_height=panel_height,
    )
    shown = classes_shown(found.get('label maps', ()), len(meta.get('classes') or ()))
    if not shown:
        return pictures
    legend = draw_legend(meta['classes'], pictures[0].shape[1], meta.get('palette'), shown)
    return [np.vstack([picture, legend]) for picture in pictures]


def _with_objects(forecast: Forecast, style: PanelStyle) -> np.ndarray:
    """The frames at the panels' size, with the objects that a forecast started from."""
    objects = forecast.sample.get('past_instances') or []
    objects = [*objects, *[None] * (len(forecast.frames) - len(objects))]
    return np.stack([style.draw(frame, found) for frame, found in zip(forecast.frames, objects, strict=True)])


def _on_pale(forecast: Forecast, steps: Sequence, style: PanelStyle) -> np.ndarray:
    """Each step over its frame or, where that isn't known, over a pale copy of the last one that is."""
    num_unknown = len(steps) - forecast.num_known
    grounds = [*forecast.frames[forecast.sample.num_past :], *[_pale(forecast)] * num_unknown]
    return np.stack([style.draw(ground, step) for ground, step in zip(grounds, steps, strict=True)])


def _pale(forecast: Forecast) -> np.ndarray:
    """The last frame that the forecast was made from, much lighter."""
    dark = 255 - forecast.frames[forecast.sample.num_past - 1].astype(np.uint16)
    return (255 - dark * 2 // 5).astype(np.uint8)


def running_picture(
    forecast: Forecast,
    title: str,
    meta: Mapping,
    num_frames: int | None,
    score_thr: float = 0.5,
    panel_height: int = 256,
) -> np.ndarray:
    """The frame that came at the end of the horizon, beside what had been forecast for it.

    Args:
        num_frames: Of the video, where that is known.
    """
    sample, moment = forecast.sample, forecast.steps[-1]
    ahead = moment - forecast.last
    before = f'{ahead / sample.fps:.2f} s' if sample.fps else f'{ahead} frames'
    style = rolling_style(
        forecast.frames[0],
        panel_height,
        palette=meta.get('palette'),
        instance_classes=instance_classes(meta),
        score_thr=score_thr,
    )
    known = forecast.num_known == len(forecast.steps)
    return rolling_picture(
        forecast.frames[-1] if known else None,
        {f'{name}, {before} before': steps[-1] for name, steps in _by_kind(_kinds(forecast), title).items()},
        f't = {moment / sample.fps:.2f} s' if sample.fps else f'frame {moment}',
        min(1.0, (moment + 1) / num_frames) if num_frames else 0.0,
        style,
        None if known else _pale(forecast),
    )


def _by_kind(kinds: Mapping[str, Sequence], title: str) -> dict[str, Sequence]:
    """What was forecast, by kind, under names that differ."""
    if len(kinds) == 1:
        return {title: next(iter(kinds.values()))}
    return {f'{title}: {kind}': steps for kind, steps in kinds.items()}


def _kinds(forecast: Forecast) -> dict[str, Sequence]:
    sample, kinds = forecast.sample, {}
    if 'pred_frames' in sample:
        kinds['frames'] = np.stack(rgb_frames(sample.pred_frames))
    if 'pred_sem_seg' in sample:
        kinds['label maps'] = to_numpy(sample.pred_sem_seg.data)
    if 'pred_instances' in sample:
        size = forecast.frames.shape[1:3]
        kinds['instances'] = [_with_masks(step, size) for step in sample.pred_instances]
    return kinds


def _with_masks(instances: InstanceData, size: tuple[int, int]) -> InstanceData:
    """Detectors without a mask head have boxes, which are drawn filled."""
    if 'masks' in instances or not len(instances):
        return instances
    instances = instances.clone()
    instances.masks = box_regions(instances.bboxes, size)
    return instances
