"""Seven classes of textile textures, painted from a random generator.

Every painter takes the generator, a side in pixels and colors, and gives float32 (side, side, 3) in [0,
1]. All random numbers come from the generator, so that a picture is a function of its seed.
"""

import colorsys
from collections.abc import Callable

import cv2
import numpy as np

from .animal import paint_animal_skin
from .fields import coordinates, mix, smooth_noise, soft_step
from .motifs import paint_graphical, paint_print

__all__ = ['TEXTURE_CLASSES', 'paint_texture', 'random_colors']


def random_colors(rng: np.random.Generator, count: int, contrast: float = 0.25) -> np.ndarray:
    """Colors as clothes have them: often dark, gray or muted, sometimes loud; (count, 3) in [0, 1].

    Each differs from all before by at least ``contrast`` in luminance or twice that in color, if twenty draws
    find one.
    """
    colors: list[np.ndarray] = []
    while len(colors) < count:
        for _ in range(20):
            color = _random_color(rng)
            if all(_differ(color, other, contrast) for other in colors):
                break
        colors.append(color)
    return np.array(colors, np.float32)


def _random_color(rng: np.random.Generator) -> np.ndarray:
    kind = rng.random()
    if kind < 0.2:
        return np.full(3, rng.uniform(0.03, 0.97))
    saturation = rng.uniform(0.15, 0.55) if kind < 0.55 else rng.uniform(0.55, 0.95)
    return np.array(colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(0.2, 1.0)))


def _differ(first: np.ndarray, second: np.ndarray, contrast: float) -> bool:
    luminance = abs(float((first - second) @ (0.299, 0.587, 0.114)))
    return luminance > contrast or float(np.abs(first - second).max()) > 2 * contrast


def _plain(rng: np.random.Generator, side: int) -> np.ndarray:
    color = random_colors(rng, 1)[0]
    return np.full((side, side, 3), color, np.float32)


def _tiled(rng: np.random.Generator, side: int) -> np.ndarray:
    """Checks: chessboard, gingham, tartan, window pane or lozenges."""
    colors = random_colors(rng, 3)
    period = side * rng.uniform(0.12, 0.34)
    kind = rng.integers(5)
    angle = np.pi / 4 if kind == 4 else rng.normal(0, 0.08)
    u, v = (axis / period for axis in coordinates(rng, side, angle))
    edge = 1.0 / period
    if kind == 4:
        u = u * rng.uniform(1.0, 1.6)
    bands = [soft_step(np.cos(2 * np.pi * axis), 4 * edge) for axis in (u, v)]
    if kind in (0, 4):
        share = bands[0] * bands[1] + (1 - bands[0]) * (1 - bands[1])
        return mix(colors[0], colors[1], share)
    if kind == 1:
        return mix(colors[0], colors[1], (bands[0] + bands[1]) / 2)
    width = rng.uniform(0.06, 0.16) if kind == 3 else rng.uniform(0.2, 0.4)
    bands = [soft_step(np.cos(2 * np.pi * axis) - np.cos(np.pi * width), 4 * edge) for axis in (u, v)]
    cloth = mix(colors[0], colors[1], np.maximum(*bands) if kind == 3 else (bands[0] + bands[1]) / 2)
    if kind == 2:
        thin = [soft_step(-np.cos(2 * np.pi * axis) - 0.93, 2 * edge) for axis in (u, v)]
        cloth = mix(cloth, colors[2], 0.85 * np.maximum(*thin))
    return cloth


def _striped(rng: np.random.Generator, side: int) -> np.ndarray:
    """Stripes of two to four colors, of any direction but mostly across or along; pinstripes too."""
    count = int(rng.integers(2, 5))
    colors = random_colors(rng, count)
    period = side * rng.uniform(0.1, 0.4) * (1 + 0.35 * (count - 2))
    angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.05) if rng.random() < 0.7 else rng.uniform(0, np.pi)
    u, _ = coordinates(rng, side, angle)
    widths = rng.dirichlet(np.full(count, 3.0))
    if rng.random() < 0.25:
        widths = np.concatenate([[0.8], np.full(count - 1, 0.2 / (count - 1))])
    ends = np.cumsum(widths)
    phase = np.mod(u / period, 1.0)
    cloth = np.full((side, side, 3), colors[0], np.float32)
    for start, end, color in zip(ends[:-1], ends[1:], colors[1:]):
        inside = np.minimum(phase - start, end - phase)
        cloth = mix(cloth, color, soft_step(inside, 1.0 / period))
    return cloth


def _dotted(rng: np.random.Generator, side: int) -> np.ndarray:
    """Dots on a square, staggered or loosened lattice."""
    colors = random_colors(rng, 3, contrast=0.3)
    period = side * rng.uniform(0.11, 0.3)
    u, v = (axis / period for axis in coordinates(rng, side, rng.uniform(0, np.pi / 2)))
    staggered = rng.random() < 0.6
    row = np.floor(v)
    if staggered:
        u = u + 0.5 * np.mod(row, 2)
    column = np.floor(u)
    loose = rng.uniform(0.0, 0.2) if rng.random() < 0.4 else 0.0
    # a number by lattice point, the same for all of its pixels
    first = np.mod(np.sin(column * 12.9898 + row * 78.233) * 43758.5453, 1.0)
    second = np.mod(np.sin(column * 39.346 + row * 11.135) * 24634.6345, 1.0)
    distance = np.hypot(u - column - 0.5 + loose * (first - 0.5), v - row - 0.5 + loose * (second - 0.5))
    radius = rng.uniform(0.17, 0.36)
    dots = soft_step(radius - distance, 1.0 / period)
    color = colors[1]
    if rng.random() < 0.3:
        color = np.where((first > 0.5)[..., None], colors[1], colors[2])
    return mix(colors[0], color, dots)


_PAINTERS: dict[str, Callable] = {
    'plain': _plain,
    'tiled': _tiled,
    'striped': _striped,
    'animal skin': paint_animal_skin,
    'dotted': _dotted,
    'print': lambda rng, side: paint_print(rng, side, random_colors(rng, 5)),
    'graphical': lambda rng, side: paint_graphical(rng, side, random_colors(rng, 5, 0.3)),
}

# DeSIGN's classes (arXiv 1804.00921); 'plain' is called uniform there, too.
TEXTURE_CLASSES = tuple(_PAINTERS)


def paint_texture(rng: np.random.Generator, name: str, size: int) -> np.ndarray:
    """A piece of cloth, with folds that shade it softly and the grain of its weave.

    Args:
        rng: Where all chance comes from.
        name: One of :data:`TEXTURE_CLASSES`.
        size: Side in pixels. The same generator gives the same motif at another size, not the same pixels.

    Returns:
        uint8 (size, size, 3), RGB.
    """
    cloth = _PAINTERS[name](rng, 2 * size)
    cloth = cv2.resize(cloth, (size, size), interpolation=cv2.INTER_AREA)
    folds = smooth_noise(rng, size, cells=3) * rng.uniform(0.0, 0.09)
    grain = rng.standard_normal((size, size), dtype=np.float32) * rng.uniform(0.0, 0.025)
    shaded = cloth * (1 + folds + grain)[..., None] * 255
    return np.clip(np.rint(shaded), 0, 255).astype(np.uint8)
