"""Class colours for data sets that bring none."""

import colorsys

import numpy as np

# The golden ratio spreads any number of hues evenly around the circle, so that neighbours in the
# class list never look alike and adding a class changes no colour before it.
_HUE_STEP = (5**0.5 - 1) / 2


def default_palette(num_classes: int) -> np.ndarray:
    """Distinct colours, the same for the same class id whatever the number of classes.

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


def as_palette(palette, num_classes: int | None = None) -> np.ndarray:
    """Check a palette given by a user or a data set's METAINFO.

    Args:
        palette: C RGB triples in [0, 255], or None for :func:`default_palette`.
        num_classes: Number of colours to make when ``palette`` is None; 256 if unknown.

    Returns:
        uint8 (C, 3).
    """
    if palette is None:
        return default_palette(256 if num_classes is None else num_classes)
    colors = np.asarray(palette)
    if colors.ndim != 2 or colors.shape[1] != 3 or colors.min() < 0 or colors.max() > 255:
        raise ValueError(
            'palette must hold one RGB triple of values in [0, 255] per class, got '
            f'shape {colors.shape}'
        )
    return colors.astype(np.uint8)
