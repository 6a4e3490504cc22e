"""Animal skins: leopard, zebra, giraffe and snake."""

import cv2
import numpy as np

from .fields import coordinates, mix, smooth_noise, soft_step

__all__ = ['paint_animal_skin']

# (ground, middle, mark) of each skin, sRGB in [0, 1]; tinted a little, and at times dyed.
_LEOPARD = ((0.80, 0.62, 0.38), (0.62, 0.40, 0.20), (0.12, 0.08, 0.06))
_ZEBRA = ((0.94, 0.92, 0.88), (0.94, 0.92, 0.88), (0.08, 0.07, 0.07))
_GIRAFFE = ((0.90, 0.80, 0.62), (0.90, 0.80, 0.62), (0.55, 0.30, 0.14))
_SNAKE = ((0.72, 0.66, 0.52), (0.45, 0.40, 0.30), (0.16, 0.14, 0.11))


def paint_animal_skin(rng: np.random.Generator, side: int) -> np.ndarray:
    """One of the four skins at a random scale and angle: float32 (side, side, 3) in [0, 1]."""
    kind = int(rng.integers(4))
    ground, middle, mark = _coat(rng, (_LEOPARD, _ZEBRA, _GIRAFFE, _SNAKE)[kind])
    if kind == 1:
        return mix(ground, mark, _zebra(rng, side))
    if kind == 3:
        scales, spots = _snake(rng, side)
        return mix(mix(ground, middle, spots), mark, scales)
    cells, edges = _cells(rng, side, rng.uniform(5, 9) if kind == 0 else rng.uniform(4, 7))
    if kind == 2:
        return mix(mark, ground, soft_step(0.2 - edges, 0.08))
    core, ring = _leopard(rng, side, cells)
    return mix(mix(ground, middle, core), mark, ring)


def _coat(rng: np.random.Generator, colors: tuple) -> np.ndarray:
    coat = np.array(colors, np.float32)
    if rng.random() < 0.2:  # dyed
        dye = rng.uniform(0.25, 1.0, 3).astype(np.float32)
        coat = coat.mean(axis=1, keepdims=True) * dye * 1.4
    tint = rng.uniform(0.88, 1.12, 3) * rng.uniform(0.85, 1.12)
    return np.clip(coat * tint, 0, 1).astype(np.float32)


def _zebra(rng: np.random.Generator, side: int) -> np.ndarray:
    """Stripes that swell, bend, fork and end."""
    u, _ = coordinates(rng, side, rng.uniform(0, np.pi))
    bend = smooth_noise(rng, side, rng.uniform(2.5, 4)) * rng.uniform(0.9, 1.5)
    swell = smooth_noise(rng, side, 5) * 0.35
    wave = np.sin(2 * np.pi * u / side * rng.uniform(4, 7) + bend) + swell
    return soft_step(wave, 0.35)


def _cells(rng: np.random.Generator, side: int, count: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the nearest point of a loosened lattice, and to the border of its cell.

    Both in units of the lattice's period.
    """
    period = side / count
    u, v = (axis / period for axis in coordinates(rng, side, rng.uniform(0, np.pi)))
    u = u + 0.12 * smooth_noise(rng, side, count)
    column, row = np.floor(u), np.floor(v)
    salt = rng.uniform(1, 2, 2)
    nearest = np.full((2, side, side), np.inf, np.float32)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            x, y = column + i, row + j
            hashed = np.sin(x * 127.1 * salt[0] + y * 311.7 * salt[1])
            dx = x + 0.5 + 0.42 * np.sin(hashed * 4375.85) - u
            dy = y + 0.5 + 0.42 * np.sin(hashed * 2634.63) - v
            distance = np.sqrt(dx * dx + dy * dy)
            nearest[1] = np.minimum(nearest[1], np.maximum(nearest[0], distance))
            nearest[0] = np.minimum(nearest[0], distance)
    return nearest[0], nearest[1] - nearest[0]


def _leopard(rng: np.random.Generator, side: int, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The dark middle of each rosette, and its broken ring."""
    rough = distance + 0.035 * smooth_noise(rng, side, 22)
    core = soft_step(0.3 - rough, 0.1)
    ring = soft_step(0.09 - np.abs(rough - 0.33), 0.05)
    gaps = soft_step(smooth_noise(rng, side, 14) + 0.55, 0.4)
    return core, ring * gaps


def _snake(rng: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The seams between scales, and large patches under them."""
    period = side * rng.uniform(0.06, 0.1)
    u, v = (axis / period for axis in coordinates(rng, side, np.pi / 4 + rng.normal(0, 0.1)))
    seam = np.minimum(np.abs(np.mod(u, 1) - 0.5), np.abs(np.mod(v, 1) - 0.5))
    patches = np.sin((u + v) * 0.9) * np.sin((u - v) * 0.7) + 0.3 * smooth_noise(rng, side, 8)
    spots = soft_step(patches - 0.15, 0.3)
    return soft_step(0.1 - seam, 0.1) * 0.8, cv2.blur(spots, (3, 3))
