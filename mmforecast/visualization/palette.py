"""Colors of classes, for datasets that bring none, and of single objects."""

import colorsys
from collections.abc import Sequence

import numpy as np

# The golden ratio spreads any number of hues evenly around the circle, so that neighbors in the
# class list never look alike and adding a class changes no color before it.
_HUE_STEP = (5**0.5 - 1) / 2
_CLASS_STEP = 2**0.5 - 1
# Saturation and value of shades of one hue.
_SHADES = ((0.85, 1.0), (0.5, 1.0), (0.9, 0.7), (0.6, 0.85))


def default_palette(num_classes: int) -> np.ndarray:
    """Distinct colors, the same for the same class id whatever the number of classes.

    Returns:
        uint8 (num_classes, 3), RGB.
    """
    colors = [
        colorsys.hsv_to_rgb(
            (0.6 + index * _HUE_STEP) % 1,
            (0.75, 0.5, 0.9)[index % 3],
            (0.9, 0.75, 0.6)[index // 3 % 3],
        )
        for index in range(num_classes)
    ]
    return np.round(255 * np.asarray(colors).reshape(num_classes, 3)).astype(np.uint8)


def track_colors(ids: Sequence[int]) -> np.ndarray:
    """Vivid colors of objects by their id: the same for one id in every frame and every picture.

    Ids that follow each other get hues far apart. The thousands of an id, Cityscapes' class, turn
    the circle, so that the first car and the first person differ.

    Returns:
        uint8 (N, 3), RGB.
    """
    return _vivid(
        [((item % 1000) * _HUE_STEP + (item // 1000) * _CLASS_STEP, item % 1000 // 3) for item in ids]
    )


def class_shades(labels: Sequence[int]) -> np.ndarray:
    """Colors of objects by class: one hue per class, and shades of it in the order of the list.

    Returns:
        uint8 (N, 3), RGB.
    """
    labels = list(labels)
    return _vivid(
        [
            (0.6 + label * _HUE_STEP + 0.04 * (rank % 3 - 1), rank)
            for label, rank in zip(labels, _ranks(labels), strict=True)
        ]
    )


def _ranks(labels: list[int]) -> list[int]:
    """How many of the same label come earlier in the list."""
    return [labels[:index].count(label) for index, label in enumerate(labels)]


def _vivid(hues_and_shades: Sequence[tuple[float, int]]) -> np.ndarray:
    colors = [colorsys.hsv_to_rgb(hue % 1, *_SHADES[shade % len(_SHADES)]) for hue, shade in hues_and_shades]
    return np.round(255 * np.asarray(colors).reshape(len(colors), 3)).astype(np.uint8)


def as_palette(palette, num_classes: int | None = None) -> np.ndarray:
    """Check a palette given by a user or a dataset's METAINFO.

    Args:
        palette: C RGB triples in [0, 255], or None for :func:`default_palette`.
        num_classes: Number of colors to make when ``palette`` is None; 256 if unknown.

    Returns:
        uint8 (C, 3).
    """
    if palette is None:
        return default_palette(256 if num_classes is None else num_classes)
    colors = np.asarray(palette)
    if colors.ndim != 2 or colors.shape[1] != 3 or colors.min() < 0 or colors.max() > 255:
        raise ValueError(
            f'palette must hold one RGB triple of values in [0, 255] per class, got shape {colors.shape}'
        )
    return colors.astype(np.uint8)
