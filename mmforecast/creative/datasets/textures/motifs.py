"""Prints: small motifs scattered all over; and graphical designs: few large, plain forms."""

import cv2
import numpy as np

__all__ = ['paint_graphical', 'paint_print']

_SHIFT = 4  # fractional bits of cv2's drawing coordinates
_LETTERS = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789'


def _fill(canvas: np.ndarray, points: np.ndarray, color: np.ndarray) -> None:
    corners = np.rint(points * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(canvas, [corners], color.tolist(), cv2.LINE_AA, _SHIFT)


def _turn(points: np.ndarray, angle: float, size: float, center: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]]) * size + center


def _petal(width: float) -> np.ndarray:
    """A leaf from (0, 0) to (1, 0)."""
    along = np.linspace(0, 1, 9)
    half = width * np.sin(np.pi * along**0.8)
    return np.concatenate([np.stack([along, half], 1), np.stack([along, -half], 1)[::-1]])


def _flower(rng, canvas, center, size, colors) -> None:
    petals, start = int(rng.integers(4, 8)), rng.uniform(0, np.pi)
    outline = _petal(rng.uniform(0.22, 0.4))
    for petal in range(petals):
        angle = start + 2 * np.pi * petal / petals
        _fill(canvas, _turn(outline, angle, size, center), colors[0])
    _disc(canvas, center, size * 0.28, colors[1])


def _sprig(rng, canvas, center, size, colors) -> None:
    direction = rng.uniform(0, 2 * np.pi)
    outline = _petal(rng.uniform(0.16, 0.28))
    for angle in (-0.7, 0.0, 0.7):
        _fill(canvas, _turn(outline, direction + angle, size, center), colors[0])


def _paisley(rng, canvas, center, size, colors) -> None:
    angle = np.linspace(0, 2 * np.pi, 22)
    radius = 0.62 + 0.38 * np.cos(angle / 2) ** 8
    drop = np.stack([radius * np.cos(angle), 0.62 * radius * np.sin(angle)], 1)
    drop[:, 1] += 0.35 * np.maximum(drop[:, 0], 0) ** 2
    turn = rng.uniform(0, 2 * np.pi)
    _fill(canvas, _turn(drop, turn, size, center), colors[0])
    _fill(canvas, _turn(drop, turn, size * 0.55, center), colors[1])


def _heart(rng, canvas, center, size, colors) -> None:
    t = np.linspace(0, 2 * np.pi, 24)
    x = np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    _fill(canvas, _turn(np.stack([x, y], 1), rng.normal(0, 0.5), size * 0.8, center), colors[0])


def _star(rng, canvas, center, size, colors) -> None:
    angle = np.arange(10) * np.pi / 5
    radius = np.where(np.arange(10) % 2, 0.42, 1.0)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    _fill(canvas, _turn(points, rng.uniform(0, np.pi), size, center), colors[0])


def _disc(canvas, center, radius, color, thickness=-1) -> None:
    middle = np.rint(np.asarray(center) * (1 << _SHIFT)).astype(int).tolist()
    length = max(1, round(radius * (1 << _SHIFT)))
    cv2.circle(canvas, middle, length, color.tolist(), thickness, cv2.LINE_AA, _SHIFT)


# Flowers and leaves are the most common prints by far.
_MOTIFS = (_flower, _flower, _sprig, _paisley, _heart, _star)


def paint_print(rng: np.random.Generator, side: int, colors: np.ndarray) -> np.ndarray:
    """Motifs of one or two kinds, scattered without touching too much.

    Args:
        rng: Where all chance comes from.
        side: Side in pixels.
        colors: (5, 3) in [0, 1]; the first is the ground's.

    Returns:
        float32 (side, side, 3) in [0, 1].
    """
    canvas = np.full((side, side, 3), colors[0] * 255, np.uint8)
    kinds = rng.integers(len(_MOTIFS), size=2)
    size = side * rng.uniform(0.09, 0.17)
    step = size * rng.uniform(1.5, 2.0)
    inks = colors[1:] * 255
    for row, y in enumerate(np.arange(-0.5 * step, side + step, step)):
        for x in np.arange(-0.5 * step, side + step, step) + 0.5 * step * (row % 2):
            center = np.array([x, y]) + rng.uniform(-0.25, 0.25, 2) * step
            order = rng.permutation(4)
            kind = kinds[int(rng.random() < 0.4)]
            _MOTIFS[kind](rng, canvas, center, size * rng.uniform(0.6, 1.15), inks[order])
    return canvas.astype(np.float32) / 255


def paint_graphical(rng: np.random.Generator, side: int, colors: np.ndarray) -> np.ndarray:
    """A sign, letters, overlapping forms or blocks of color, large on a plain ground.

    Arguments and result as of :func:`paint_print`.
    """
    canvas = np.full((side, side, 3), colors[0] * 255, np.uint8)
    painter = (_emblem, _lettering, _forms, _blocks)[rng.integers(4)]
    painter(rng, canvas, side, colors[1:] * 255)
    return canvas.astype(np.float32) / 255


def _emblem(rng, canvas, side, inks) -> None:
    center = side * rng.uniform(0.42, 0.58, 2)
    radius = side * rng.uniform(0.26, 0.4)
    _disc(canvas, center, radius, inks[0])
    if rng.random() < 0.6:
        _disc(canvas, center, radius * 0.82, inks[1], max(1, round(side * 0.02)))
    motif = (_star, _heart, _flower)[rng.integers(3)]
    motif(rng, canvas, center, radius * 0.7, inks[[1, 2]])


def _lettering(rng, canvas, side, inks) -> None:
    text = ''.join(rng.choice(list(_LETTERS), size=int(rng.integers(1, 4))))
    font = int(rng.choice([cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
    thickness = max(2, round(side * rng.uniform(0.03, 0.06)))
    (width, height), _ = cv2.getTextSize(text, font, 1.0, 1)
    scale = side * rng.uniform(0.6, 0.85) / max(width, height)
    corner = (
        round(side * rng.uniform(0.42, 0.58) - width * scale / 2),
        round(side * rng.uniform(0.42, 0.58) + height * scale / 2),
    )
    if rng.random() < 0.5:
        line = side * rng.uniform(0.84, 0.94)
        cv2.line(canvas, (0, round(line)), (side, round(line)), inks[1].tolist(), thickness)
    cv2.putText(canvas, text, corner, font, scale, inks[0].tolist(), thickness, cv2.LINE_AA)


def _forms(rng, canvas, side, inks) -> None:
    for ink in inks[: int(rng.integers(2, 5))]:
        center = side * rng.uniform(0.2, 0.8, 2)
        size = side * rng.uniform(0.2, 0.4)
        if rng.random() < 0.4:
            _disc(canvas, center, size * 0.8, ink)
            continue
        corners = int(rng.integers(3, 5))
        angle = 2 * np.pi * np.arange(corners) / corners
        outline = np.stack([np.cos(angle), np.sin(angle)], 1)
        _fill(canvas, _turn(outline, rng.uniform(0, np.pi), size, center), ink)


def _blocks(rng, canvas, side, inks) -> None:
    """Two or three fields with one straight border each, and often a zigzag."""
    for ink in inks[: int(rng.integers(1, 3))]:
        angle = rng.uniform(0, 2 * np.pi)
        border = np.array([[0, -4], [4, -4], [4, 4], [0, 4]], float)
        _fill(canvas, _turn(border, angle, side, side * rng.uniform(0.3, 0.7, 2)), ink)
    if rng.random() < 0.6:
        count = int(rng.integers(3, 6))
        x = np.linspace(-0.1, 1.1, 2 * count + 1)
        y = rng.uniform(0.3, 0.6) + np.where(np.arange(len(x)) % 2, 0.12, -0.12)
        band = np.concatenate([np.stack([x, y], 1), np.stack([x, y + 0.18], 1)[::-1]])
        _fill(canvas, band * side, inks[2])
