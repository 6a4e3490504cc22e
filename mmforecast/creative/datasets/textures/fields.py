"""Tools of the texture painters: axes, smooth steps and noise; all float32 (side, side)."""

import cv2
import numpy as np

__all__ = ['coordinates', 'mix', 'smooth_noise', 'soft_step']


def coordinates(rng: np.random.Generator, side: int, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates along two orthogonal axes, the first at ``angle`` to the rows; random origin."""
    line = np.arange(side, dtype=np.float32)
    along, across = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    origin = (rng.random(2) * side * 4).astype(np.float32)
    u = along * line[None] + across * line[:, None] + origin[0]
    v = -across * line[None] + along * line[:, None] + origin[1]
    return u, v


def soft_step(values: np.ndarray, width: float) -> np.ndarray:
    """0 where ``values`` are below ``-width / 2``, 1 above ``width / 2``, a ramp between."""
    return np.clip(values / max(width, 1e-6) + 0.5, 0, 1).astype(np.float32)


def mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """``first`` where ``share`` is 0 and ``second`` where it is 1; colors or pictures, (side, side, 3)."""
    share = share[..., None]
    return (first * (1 - share) + second * share).astype(np.float32)


def smooth_noise(rng: np.random.Generator, side: int, cells: float, aspect: float = 1.0) -> np.ndarray:
    """Smooth noise of zero mean and about unit deviation.

    Args:
        rng: Where all chance comes from.
        side: Side in pixels.
        cells: Bumps over the width.
        aspect: Bumps over the height, relative to those over the width.
    """
    coarse = rng.standard_normal(
        (max(2, round(cells * aspect)) + 3, max(2, round(cells)) + 3), dtype=np.float32
    )
    noise = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return (noise - noise.mean()) / max(float(noise.std()), 1e-6)
