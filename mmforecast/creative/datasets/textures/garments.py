"""Silhouettes of six kinds of garments, cut out of a texture and laid on white."""

from collections.abc import Callable

import cv2
import numpy as np

from .patterns import paint_texture

__all__ = ['SHAPE_CLASSES', 'paint_garment']

_SHIFT = 4  # fractional bits of cv2's drawing coordinates


class _Tailor:
    """Draws symmetric pieces in a frame with x = 0 in the middle and y from 0 (top) to 1.

    Args:
        rng: Where all chance comes from.
        side: Side of the square canvas in pixels.
    """

    def __init__(self, rng: np.random.Generator, side: int):
        self.rng, self.side = rng, side
        self.mask = np.zeros((side, side), np.uint8)
        self.seams = np.zeros((side, side), np.uint8)

    def near(self, value: float, spread: float = 0.12) -> float:
        """``value``, give or take a share of ``spread``."""
        return value * self.rng.uniform(1 - spread, 1 + spread)

    def _pixels(self, points, mirrored: bool) -> np.ndarray:
        points = np.array(points, float) * (-1 if mirrored else 1, 1) + (0.5, 0)
        return np.rint(points * (self.side - 1) * (1 << _SHIFT)).astype(np.int32)

    def piece(self, points) -> None:
        """A polygon and its mirror image."""
        for mirrored in (False, True):
            cv2.fillPoly(self.mask, [self._pixels(points, mirrored)], 255, cv2.LINE_AA, _SHIFT)

    def cut(self, points) -> None:
        """Take a polygon and its mirror image away, such as a neckline."""
        for mirrored in (False, True):
            cv2.fillPoly(self.mask, [self._pixels(points, mirrored)], 0, cv2.LINE_AA, _SHIFT)

    def seam(self, points, both: bool = True) -> None:
        """A dark line, and its mirror image."""
        for mirrored in (False, True)[: 2 if both else 1]:
            cv2.polylines(
                self.seams,
                [self._pixels(points, mirrored)],
                False,
                255,
                max(1, round(self.side / 90)),
                cv2.LINE_AA,
                _SHIFT,
            )

    def torso(self, length: float, hem: float, shoulder: float, waist: float) -> None:
        """A body from the neck at y = 0.1 down by ``length``; widths are half widths."""
        top, bottom = 0.1, 0.1 + length
        middle = top + min(0.38, 0.6 * length)
        self.piece(
            [
                (0, top),
                (0.09, top),
                (shoulder, top + 0.05),
                (shoulder * 0.93, top + 0.2),
                (waist, middle),
                (hem, bottom),
                (0, bottom + 0.01),
            ]
        )

    def sleeves(self, length: float, width: float, shoulder: float, spread: float) -> None:
        """From the shoulder down and out; ``spread`` is the angle from straight down in radians."""
        along = np.array([np.sin(spread), np.cos(spread)]) * length
        across = np.array([np.cos(spread), -np.sin(spread)]) * width
        start = np.array([shoulder - 0.01, 0.14])
        inner = start + (-0.02, 0.15)
        end = start + along
        self.piece([start, start + (0.03, 0.02), end + across / 2, end - across / 2, inner])
        self.seam([start, inner])

    def neckline(self, depth: float, pointed: bool, width: float = 0.085) -> None:
        angle = np.linspace(0, np.pi / 2, 6)
        points = [(width * np.cos(a), 0.095 + depth * np.sin(a)) for a in angle]
        if pointed:
            points = [(width, 0.095), (0, 0.095 + depth)]
        self.cut([(0, 0), (width, 0), *points])

    def fitted(self, share: float) -> list[np.ndarray]:
        """Mask and seams, centerd, with their longer side ``share`` of the canvas."""
        x, y, width, height = cv2.boundingRect(self.mask)
        scale = share * self.side / max(width, height)
        shift = [self.side / 2 - scale * (x + width / 2), self.side / 2 - scale * (y + height / 2)]
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        size = (self.side, self.side)
        return [cv2.warpAffine(layer, matrix, size) for layer in (self.mask, self.seams)]


def _dress(tailor: _Tailor) -> None:
    shoulder, waist = tailor.near(0.15), tailor.near(0.13)
    length = tailor.near(0.76, 0.1)
    if tailor.rng.random() < 0.5:
        tailor.sleeves(tailor.near(0.16), tailor.near(0.1), shoulder, tailor.near(0.6))
    tailor.torso(length, tailor.near(0.26, 0.3), shoulder, waist)
    tailor.neckline(tailor.near(0.08, 0.4), tailor.rng.random() < 0.4)
    if tailor.rng.random() < 0.7:
        y = 0.1 + min(0.38, 0.6 * length)
        tailor.seam([(-waist, y), (waist, y)], both=False)


def _skirt(tailor: _Tailor) -> None:
    top, waist = tailor.near(0.22), tailor.near(0.16)
    bottom = top + tailor.near(0.5, 0.25)
    hem = waist * tailor.rng.uniform(1.1, 2.3)
    tailor.piece([(0, top), (waist, top), (waist * 1.12, top + 0.08), (hem, bottom), (0, bottom + 0.02)])
    tailor.seam([(-waist, top + 0.05), (waist, top + 0.05)], both=False)
    if tailor.rng.random() < 0.5:
        for share in (0.3, 0.65):
            tailor.seam([(waist * share, top + 0.06), (hem * share, bottom)])


def _jacket(tailor: _Tailor) -> None:
    _open_front(tailor, tailor.near(0.5, 0.1), tailor.near(0.2, 0.1), zipped=True)


def _coat(tailor: _Tailor) -> None:
    _open_front(tailor, tailor.near(0.78, 0.06), tailor.near(0.24, 0.15), zipped=False)


def _open_front(tailor: _Tailor, length: float, hem: float, zipped: bool) -> None:
    shoulder = tailor.near(0.2, 0.06)
    tailor.sleeves(tailor.near(0.5, 0.1), tailor.near(0.11), shoulder, tailor.near(0.3, 0.4))
    tailor.torso(length, hem, shoulder, tailor.near(0.185, 0.06))
    bottom = 0.1 + length
    if zipped:
        tailor.neckline(0.02, False)
        tailor.seam([(0, 0.11), (0, bottom)], both=False)
        tailor.seam([(0.06, 0.1 + 0.72 * length), (0.13, 0.1 + 0.64 * length)])
        tailor.seam([(-hem, bottom - 0.04), (hem, bottom - 0.04)], both=False)
        return
    depth = tailor.near(0.24, 0.2)
    tailor.neckline(0.05, True)
    tailor.seam([(0.085, 0.1), (0.12, 0.19), (0.02, 0.1 + depth), (0.02, bottom)])
    for share in (0.45, 0.6, 0.75):
        y = 0.1 + share * length
        tailor.seam([(-0.05, y), (-0.03, y)], both=True)


def _pullover(tailor: _Tailor) -> None:
    shoulder, length = tailor.near(0.2, 0.08), tailor.near(0.5, 0.1)
    hem = tailor.near(0.19, 0.08)
    tailor.sleeves(tailor.near(0.5, 0.1), tailor.near(0.11), shoulder, tailor.near(0.32, 0.4))
    tailor.torso(length, hem, shoulder, tailor.near(0.19, 0.06))
    tailor.neckline(tailor.near(0.045, 0.4), tailor.rng.random() < 0.25)
    for lift in (0.03, 0.05):
        y = 0.1 + length - lift
        tailor.seam([(-hem, y), (hem, y)], both=False)


def _t_shirt(tailor: _Tailor) -> None:
    shoulder = tailor.near(0.2, 0.08)
    tailor.sleeves(tailor.near(0.19, 0.15), tailor.near(0.14), shoulder, tailor.near(0.65, 0.2))
    tailor.torso(tailor.near(0.52, 0.1), tailor.near(0.185, 0.1), shoulder, tailor.near(0.18, 0.06))
    tailor.neckline(tailor.near(0.055, 0.4), tailor.rng.random() < 0.3)


_TAILORS: dict[str, Callable] = {
    'dress': _dress,
    'skirt': _skirt,
    'jacket': _jacket,
    'pullover': _pullover,
    't-shirt': _t_shirt,
    'coat': _coat,
}

# The six classes of shapes that DeSIGN's authors show in their talk.
SHAPE_CLASSES = tuple(_TAILORS)


def paint_garment(
    rng: np.random.Generator, shape: str, texture: str, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """One garment from the front, on white.

    Args:
        rng: Where all chance comes from.
        shape: One of :data:`SHAPE_CLASSES`.
        texture: One of :data:`~mmforecast.creative.datasets.textures.patterns.TEXTURE_CLASSES`.
        size: Side in pixels.

    Returns:
        The picture, uint8 (size, size, 3) RGB, and its mask, uint8 (size, size), 1 on the garment.
    """
    cloth = paint_texture(rng, texture, size).astype(np.float32)
    tailor = _Tailor(rng, 2 * size)
    _TAILORS[shape](tailor)
    small = [
        cv2.resize(layer, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for layer in tailor.fitted(rng.uniform(0.82, 0.94))
    ]
    cover, seams = (layer[..., None] for layer in small)
    # Darker towards the edge, as cloth that bends away; keeps white clothes apart from the ground.
    depth = cv2.blur(small[0], (size // 16 * 2 + 1,) * 2)[..., None]
    dark = np.where(cloth.mean() < 60, 1.6, 0.55)
    cloth = cloth * (0.72 + 0.28 * depth) * (1 - seams + seams * dark)
    image = np.clip(cover * cloth + (1 - cover) * 255, 0, 255)
    return np.rint(image).astype(np.uint8), (small[0] > 0.5).astype(np.uint8)
