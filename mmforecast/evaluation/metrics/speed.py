"""Clips in groups by the camera's speed, shared by the metrics."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .clips import clip_name

__all__ = ['SPEEDS', 'camera_speed', 'speed_groups']

# Names of the thirds of a dataset, in ascending order of speed.
SPEEDS = ('speed-low', 'speed-mid', 'speed-high')


def camera_speed(clip: dict) -> float:
    """The clip's ``camera_speed``.

    Raises:
        ValueError: The pipeline did not estimate it.
    """
    if 'camera_speed' not in clip:
        raise ValueError(
            f'{clip_name(clip)} has no camera_speed, which by_speed=True groups clips by: add '
            "dict(type='ClipCameraSpeed') to the pipeline, before PackForecastInputs"
        )
    return float(clip['camera_speed'])


def speed_groups(results: Sequence[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Indices of the clips by the name of their third; a third may be empty where clips are few.

    Args:
        results: Of clips, with their 'speed'. Equal speeds are parted in the order of the clips.
    """
    order = np.argsort([result['speed'] for result in results], kind='stable')
    return dict(zip(SPEEDS, np.array_split(order, len(SPEEDS))))
