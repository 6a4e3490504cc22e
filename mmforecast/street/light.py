"""Light of a sequence: the sun, the haze, and what the sensor does to the picture."""

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ['Light', 'Sensor', 'sample_light']


@dataclass(frozen=True)
class Light:
    """Sun azimuth (radians), how much of the light is the sun's, and the colors of sky and
    haze."""

    azimuth: float
    direct: float
    sky_top: tuple[float, float, float]
    haze: tuple[float, float, float]
    haze_per_metre: float
    exposure: float
    tint: tuple[float, float, float]

    def gain(self, azimuth: float, upward: float = 0.0) -> float:
        """Brightness of a face whose outward normal points to ``azimuth``, tilted up by ``upward``
        (sine)."""
        facing = np.cos(azimuth - self.azimuth) * np.sqrt(max(0.0, 1 - upward**2)) * 0.75 + upward * 0.65
        return float(1 - 0.45 * self.direct + self.direct * (0.75 * max(facing, 0.0)) + 0.12 * upward)


def sample_light(rng: np.random.Generator) -> Light:
    """Overcast, hazy or sunny daylight."""
    overcast = rng.random() < 0.45
    gray = rng.uniform(185, 225)
    if overcast:
        top, haze = np.array([gray - 14, gray - 6, gray]), np.array([gray, gray + 3, gray + 6])
    else:
        top = np.array([92, 142, 205]) + rng.uniform(-14, 14)
        haze = np.array([192, 210, 226]) + rng.uniform(-12, 12)
    warmth = rng.normal(0, 0.025)
    return Light(
        azimuth=float(rng.uniform(-np.pi, np.pi)),
        direct=float(rng.uniform(0.15, 0.35) if overcast else rng.uniform(0.5, 0.9)),
        sky_top=tuple(top),
        haze=tuple(haze),
        haze_per_metre=float(rng.uniform(0.001, 0.0045)),
        exposure=float(rng.uniform(0.92, 1.14)),
        tint=(1 + warmth, 1.0, 1 - warmth),
    )


class Sensor:
    """Haze, exposure, vignette, slow flicker and noise, applied to whole frames (height, width)."""

    def __init__(self, rng: np.random.Generator, light: Light, height: int, width: int):
        self._light = light
        v, u = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing='ij')
        vignette = 1 - rng.uniform(0.04, 0.16) * (u**2 + v**2) / 2
        tint = np.array(light.tint) * light.exposure
        self._gain = (vignette[..., None] * tint).astype(np.float32)
        self._flicker = rng.uniform(0.0, 0.015), rng.uniform(0, 2 * np.pi), rng.uniform(2, 6)
        sigma = rng.uniform(1.2, 3.2)
        # One noise picture per sequence, shifted and mirrored anew in each frame: as good as fresh,
        # far cheaper.
        self._noise = rng.normal(0, sigma, (height + 32, width + 32, 3)).astype(np.float32)
        self._shifts = rng.integers(0, 32, (4096, 2))

    def expose(self, color: np.ndarray, inverse_depth: np.ndarray, frame: int, time: float) -> np.ndarray:
        """RGB (h, w, 3) uint8 seen through haze and sensor, from clean colors and inverse depth
        (1/m)."""
        depth = 1 / np.maximum(inverse_depth, 1e-4)
        clear = np.exp(-self._light.haze_per_metre * depth)
        clear[inverse_depth <= 0] = 1  # the backdrop is painted with its haze
        amount, phase, frequency = self._flicker
        flicker = np.float32(1 + amount * np.sin(phase + frequency * time))
        picture = color.astype(np.float32)
        haze = np.array(self._light.haze, np.float32)
        picture -= haze
        picture *= clear[..., None]
        picture += haze
        picture *= self._gain * flicker
        dy, dx = self._shifts[frame % len(self._shifts)]
        height, width = inverse_depth.shape
        noise = self._noise[dy : dy + height, dx : dx + width]
        picture += noise[:, ::-1] if frame % 2 else noise
        return cv2.convertScaleAbs(np.maximum(picture, 0))
