"""Trees, hedges and the far skyline."""

import cv2
import numpy as np

from .labels import label_id
from .light import Light
from .textures import Canvas, Texture, fractal_noise, shade

__all__ = ['paint_backdrop', 'paint_crown', 'paint_hedge', 'paint_trunk', 'sample_green']


def sample_green(rng: np.random.Generator) -> tuple[int, int, int]:
    base = np.array(
        ((74, 98, 46), (88, 112, 52), (62, 86, 52), (104, 112, 50), (122, 104, 48))[rng.integers(5)]
    )
    return tuple(int(c) for c in np.clip(base * rng.uniform(0.8, 1.15), 0, 255))


def _leaves(rng, canvas, low, high):
    """Mottle a canvas with light and shade at leaf-cluster size."""
    noise = fractal_noise(rng, *canvas.image.shape[:2], octaves=4)
    gain = np.clip(1 + 0.2 * noise, low, high)
    canvas.image[..., :3] = np.clip(canvas.image[..., :3] * gain[..., None], 0, 255)
    return canvas


def paint_crown(
    rng: np.random.Generator,
    green: tuple[int, int, int],
    width: float,
    height: float,
    texels: float,
    gain: float,
) -> Texture:
    """A tree crown of overlapping leaf clusters, lit from above."""
    canvas = Canvas(width, height, texels)
    canvas.ellipse(width / 2, height / 2, width * 0.36, height * 0.38, shade(green, 0.72))
    count = 26
    angle, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0.1, 1, count))
    x = width / 2 + reach * np.cos(angle) * width * 0.34
    y = height / 2 + reach * np.sin(angle) * height * 0.36
    for i in np.argsort(y):
        radius = rng.uniform(0.11, 0.17) * width
        tone = 0.72 + 0.5 * y[i] / height + rng.uniform(-0.1, 0.1)
        canvas.ellipse(x[i], y[i], radius, min(radius * 0.85, 0.14 * height), shade(green, tone))
    return _leaves(rng, canvas, 0.55, 1.45).texture(gain)


def paint_trunk(rng: np.random.Generator, width: float, height: float, texels: float, gain: float) -> Texture:
    canvas = Canvas(width, height, texels, (86, 70, 54))
    canvas.rect(0, 0, width * 0.35, height, (66, 54, 42))
    return canvas.grain(rng, 0.12).texture(gain)


def paint_hedge(rng: np.random.Generator, width: float, height: float, texels: float, gain: float) -> Texture:
    """A clipped hedge."""
    canvas = Canvas(width, height, texels, shade(sample_green(rng), 0.85))
    return _leaves(rng, canvas, 0.5, 1.5).gradient(1.15, 0.7).texture(gain)


def paint_backdrop(
    rng: np.random.Generator, light: Light, scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sky, clouds and the skyline at infinity.

    Args:
        scale: Texels per unit of the tangent of the viewing angle.

    Returns:
        tuple: geometry (3, 3) of direction vectors, RGBA colors (h, w, 4), and labelIds (h, w)
            uint8.
    """
    half_width, top, bottom = 2.2, 0.75, 0.12
    height, width = round((top + bottom) * scale), round(2 * half_width * scale)
    elevation = np.linspace(top, -bottom, height, dtype=np.float32)[:, None, None]
    mix = np.clip(elevation / 0.5, 0, 1) ** 0.7
    sky = (1 - mix) * np.array(light.haze, np.float32) + mix * np.array(light.sky_top, np.float32)
    clouds = cv2.resize(fractal_noise(rng, height, max(2, width // 3), octaves=7), (width, height))
    cover = np.clip((clouds + rng.uniform(-0.9, 0.4)) * 0.55, 0, 0.8)[..., None]
    color = sky * (1 - cover) + cover * np.float32(min(246.0, light.haze[1] + 22))
    labels = np.full((height, width), label_id('sky'), np.uint8)
    row = np.arange(height)[:, None]
    for name, base, tone in (
        ('building', 0.030, (150, 148, 148)),
        ('vegetation', 0.022, (104, 116, 92)),
    ):
        profile = _skyline(rng, width, base, blocky=name == 'building')
        mask = row >= ((top - profile) * scale)[None]
        hazy = 0.45 * np.array(tone, np.float32) + 0.55 * np.array(light.haze, np.float32)
        color[mask] = hazy
        labels[mask] = label_id(name)
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., :3] = np.clip(color, 0, 255)
    geometry = np.array([[-half_width, -top, 1.0], [2 * half_width, 0, 0], [0, top + bottom, 0]])
    return geometry, rgba, labels


def _skyline(rng, width, base, blocky) -> np.ndarray:
    """Tangent of the elevation of the skyline per column."""
    across = np.linspace(0, 1, width)
    if not blocky:
        noise = fractal_noise(rng, 2, 2048, octaves=7)[0]
        return np.clip(base + 0.009 * np.interp(across, np.linspace(0, 1, 2048), noise), 0.0, None)
    edges = np.sort(rng.uniform(0, 1, 60))
    heights = rng.uniform(0.2, 1.7, len(edges) + 1) * base
    return heights[np.searchsorted(edges, across)]
