"""Readers of forecast clips, shared by the metrics.

A clip is the dict of a ``ForecastDataSample``: its fields and metainfo by name.
"""

import logging
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement

from mmforecast.structures import fill_boxes
from mmforecast.structures.cityscapes import THING_CLASSES
from mmforecast.utils.text import plural

__all__ = [
    'STEPS',
    'as_choices',
    'check_horizon',
    'clip_dicts',
    'clip_name',
    'common_seconds',
    'forecast_length',
    'forecast_steps',
    'id_maps_of_steps',
    'label_maps',
    'plural',
    'require_clips',
    'require_one_horizon',
    'scorable',
    'seconds_per_step',
    'size_text',
    'sum_counts',
]

# Values of a metric's ``steps``: keys for every step of the roll-out, or for the last one alone.
STEPS = ('all', 'last')


def clip_dicts(data_samples: Sequence[dict | BaseDataElement]) -> list[dict]:
    """The clips of a batch; samples that mmengine's evaluator did not turn into dicts are turned here."""
    return [sample.to_dict() if isinstance(sample, BaseDataElement) else sample for sample in data_samples]


def clip_name(clip: dict) -> str:
    """The clip's sequence and frames, for errors."""
    return f"clip '{clip.get('sequence_id', 'unknown')}' {clip.get('frame_names', '')}".strip()


def label_maps(clip: dict, field: str) -> np.ndarray | None:
    """The (n, H, W) maps of a PixelData field; None where the clip does not have it."""
    value = clip.get(field)
    if value is None:
        return None
    maps = value['data'] if isinstance(value, dict) else value.data
    return maps if isinstance(maps, np.ndarray) else maps.detach().cpu().numpy()


def forecast_length(clip: dict, kind: str) -> int | None:
    """The number of steps of ``<kind>_instances`` or else ``<kind>_sem_seg``; None without either.

    Args:
        clip: See the module.
        kind: 'pred' or 'ref'.
    """
    instances = clip.get(f'{kind}_instances')
    forecast = label_maps(clip, f'{kind}_sem_seg') if instances is None else instances
    return None if forecast is None else len(forecast)


def id_maps_of_steps(clip: dict, steps: int) -> list[np.ndarray | None]:
    """The ``instanceIds`` map (H, W) of each forecast frame; None where it is unlabeled or was not forecast.

    Raises:
        ValueError: The clip carries fewer than ``steps`` future frames.
    """
    maps = label_maps(clip, 'gt_instance_map')
    if maps is None:
        return [None] * steps
    future = maps[clip['num_past'] :]
    check_horizon(clip_name(clip), steps, len(future), 'the clip carries', 'future frame')
    done = forecast_steps(clip, steps)
    return [id_map if made and id_map.max() != -1 else None for made, id_map in zip(done, future[:steps])]


def forecast_steps(clip: dict, steps: int) -> list[bool]:
    """Which of the steps were forecast: all, but for a direct forecast of the last."""
    return list(clip.get('forecast_steps') or [True] * steps)


def seconds_per_step(clip: dict) -> float | None:
    """The time between two steps; None where the frame rate is unknown."""
    stride, fps = clip.get('stride'), clip.get('fps')
    return stride / fps if stride and fps else None


def common_seconds(results: Sequence[dict]) -> float | None:
    """``seconds`` of the results where all have the same; None otherwise."""
    seconds = {result['seconds'] for result in results}
    return seconds.pop() if len(seconds) == 1 else None


def sum_counts(results: Sequence[dict], kind: str) -> np.ndarray | None:
    """The counts (n, ...) under ``kind`` summed over clips; None where no clip has them.

    Raises:
        ValueError: The clips differ in their number of steps.
    """
    counts = [result[kind] for result in results if kind in result]
    if not counts:
        return None
    require_one_horizon(counts)
    return np.sum(counts, axis=0)


def require_one_horizon(scores: Sequence[np.ndarray]) -> None:
    """Refuse scores (n, ...) of clips that differ in their number of steps."""
    steps = sorted({len(item) for item in scores})
    if len(steps) > 1:
        raise ValueError(
            f'clips differ in their number of forecast steps: {steps}; score each horizon on its own'
        )


def require_clips(metric: Any, results: Sequence) -> None:
    """Refuse to score a dataset without clips."""
    if not results:
        raise ValueError(f'{type(metric).__name__} has no clips to score: the data set is empty')


def check_horizon(name: str, steps: int, available: int, holder: str, unit: str) -> None:
    """Refuse a forecast of more steps than there is truth for.

    Args:
        name: Of the clip.
        steps: Of the forecast.
        available: Of the truth.
        holder: What holds the truth, and a verb: 'the clip carries'.
        unit: What is counted there, singular: 'future frame'.
    """
    if steps > available:
        raise ValueError(
            f'{name}: the forecaster predicts {plural(steps, "step")} but {holder} '
            f'{plural(available, unit)}: set num_future={steps} in the dataset or '
            f'test_cfg.rollout_steps={available} in the model'
        )


def as_choices(owner: str, choices: Collection[str], least: int = 1, **argument: Any) -> tuple[str, ...]:
    """One option or a sequence of them, as a tuple.

    Args:
        owner: The class whose argument it is.
        choices: What is accepted.
        least: The least number of options, 0 or 1.
        argument: The argument by name.

    Raises:
        ValueError: An option is unknown, or there are too few.
    """
    ((name, value),) = argument.items()
    given = (value,) if isinstance(value, str) else tuple(value)
    if len(given) < least or not set(given) <= set(choices):
        known = ', '.join(repr(choice) for choice in choices)
        number = 'one or more' if least else 'none, one or more'
        raise ValueError(f'{owner}: {name} must be {number} of {known}, got {given!r}')
    return given


def size_text(maps: np.ndarray) -> str:
    """Height x width of maps (..., H, W), for errors."""
    return 'x'.join(map(str, maps.shape[-2:]))


def scorable(clip: dict) -> dict:
    """A clip whose instances all have masks and labels 0 to 7; boxes without masks are filled, and said once.

    Raises:
        ValueError: Its instances have classes other than Cityscapes'.
    """
    filled = {}
    for field in ('pred_instances', 'ref_instances'):
        steps = clip.get(field)
        if steps is None:
            continue
        own = next((step.get('instance_classes') for step in steps if 'instance_classes' in step), None)
        if own is not None and tuple(own) != THING_CLASSES:
            raise ValueError(
                f'{clip_name(clip)}: {field} have the {len(own)} classes of the detector, but the eight '
                "of Cityscapes are scored: set classes='cityscapes' of the encoder"
            )
        filled[field] = [fill_boxes(step, clip.get('img_shape')) for step in steps]
        if any(new is not old for new, old in zip(filled[field], steps)):
            _warn_of_filled_boxes()
    return {**clip, **filled}


@cache
def _warn_of_filled_boxes() -> None:
    print_log(
        'the detector gives boxes without masks: they are scored as filled rectangles',
        logger='current',
        level=logging.WARNING,
    )
