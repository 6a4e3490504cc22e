"""Textures: RGBA pictures with cached reduced copies, and a canvas that paints them in meters."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

__all__ = ['Canvas', 'Texture', 'TextureCycle', 'fractal_noise', 'shade']

Color = tuple[int, int, int]
_SHIFT = 4  # fractional bits of cv2's drawing coordinates


def shade(color: Sequence[float], gain: float) -> Color:
    """A color made brighter or darker, clipped to [0, 255]."""
    return tuple(int(min(255, max(0, round(c * gain)))) for c in color)


def fractal_noise(rng: np.random.Generator, height: int, width: int, octaves: int = 5) -> np.ndarray:
    """Smooth-to-fine noise (height, width) float32 of zero mean and about unit standard
    deviation."""
    # A stream of its own: how much noise a picture's size takes must not change what comes after.
    rng = rng.spawn(1)[0]
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        step = 2**octave
        coarse = rng.standard_normal((height // step + 2, width // step + 2), dtype=np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return (total - total.mean()) / max(float(total.std()), 1e-6)


class Texture:
    """An RGBA picture for one face; alpha below 128 is a hole.

    Every level carries a border of one texel that repeats the edge color with alpha 0. Linear
    sampling then cuts the face exactly at its geometric edge and never mixes in a foreign color.
    Level (i, j) is reduced 2**i times in width and 2**j times in height, so that faces seen at a
    grazing angle stay sharp in the other direction.
    """

    def __init__(self, image: np.ndarray):
        if image.ndim != 3 or image.shape[2] != 4 or image.dtype != np.uint8:
            raise ValueError(f'Texture: image must be (h, w, 4) uint8, got {image.shape} {image.dtype}')
        self._image, self._bled = image, False
        self.height, self.width = image.shape[:2]
        self._levels: dict[tuple[int, int], np.ndarray] = {}

    def at(self, time: float) -> 'Texture':
        """Itself: a still texture (see `TextureCycle`)."""
        return self

    def level(self, i: int, j: int) -> np.ndarray:
        """The bordered picture reduced by 2**i in width and 2**j in height."""
        key = (i, j)
        if key not in self._levels:
            if not self._bled:  # only now: most faces of a sequence are never seen
                self._image, self._bled = _bleed(self._image), True
            size = (max(1, self.width >> i), max(1, self.height >> j))
            inner = (
                self._image if key == (0, 0) else cv2.resize(self._image, size, interpolation=cv2.INTER_AREA)
            )
            padded = cv2.copyMakeBorder(inner, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
            padded[0, :, 3] = padded[-1, :, 3] = 0
            padded[:, 0, 3] = padded[:, -1, 3] = 0
            self._levels[key] = padded
        return self._levels[key]


class TextureCycle:
    """Textures of one size shown one after the other, over and over (walking legs); painted when
    first seen.

    Args:
        paint: Gives the texture at a phase in [0, 1).
        steps: Pictures per cycle.
        period: Seconds per cycle.
        phase: Where in the cycle time 0 lies.
    """

    def __init__(self, paint: Callable[[float], Texture], steps: int, period: float, phase: float):
        self.paint, self.steps, self.period, self.phase = paint, steps, period, phase
        self._painted: dict[int, Texture] = {}

    def at(self, time: float) -> Texture:
        """The texture shown at ``time`` seconds."""
        step = int((time / self.period + self.phase) % 1.0 * self.steps) % self.steps
        if step not in self._painted:
            self._painted[step] = self.paint(step / self.steps)
        return self._painted[step]


def _bleed(image: np.ndarray) -> np.ndarray:
    """Give holes the color of their surroundings, so that interpolation has no dark fringe."""
    holes = image[..., 3] == 0
    if not holes.any():
        return image
    solid = (~holes).astype(np.float32)
    size = (max(3, image.shape[1] // 6) | 1, max(3, image.shape[0] // 6) | 1)
    weight = cv2.blur(solid, size)
    color = cv2.blur(image[..., :3].astype(np.float32) * solid[..., None], size)
    mean = image[~holes][:, :3].mean(0) if solid.any() else np.zeros(3)
    filled = np.where(weight[..., None] > 1e-3, color / np.maximum(weight, 1e-3)[..., None], mean)
    out = image.copy()
    out[holes, :3] = np.clip(filled[holes], 0, 255).astype(np.uint8)
    return out


class Canvas:
    """Paints a texture in meters: x to the right from the left edge, y upwards from the bottom
    edge."""

    def __init__(self, width: float, height: float, texels_per_metre: float, color: Sequence[int] = None):
        self.scale = float(texels_per_metre)
        shape = (max(2, round(height * self.scale)), max(2, round(width * self.scale)))
        self.image = np.zeros((*shape, 4), np.uint8)
        self.meters = (width, height)
        if color is not None:
            self.image[:] = (*color[:3], 255)

    @classmethod
    def of(cls, image: np.ndarray, texels_per_metre: float) -> 'Canvas':
        """A canvas over an RGBA picture that is already painted."""
        canvas = cls.__new__(cls)
        canvas.scale, canvas.image = float(texels_per_metre), image
        canvas.meters = (image.shape[1] / canvas.scale, image.shape[0] / canvas.scale)
        return canvas

    def _points(self, points) -> np.ndarray:
        xy = np.asarray(points, np.float64)
        xy = np.stack([xy[..., 0], self.meters[1] - xy[..., 1]], -1) * self.scale - 0.5
        return np.round(xy * (1 << _SHIFT)).astype(np.int32)

    def poly(self, points, color: Sequence[int]) -> 'Canvas':
        cv2.fillPoly(self.image, [self._points(points)], (*color, 255), cv2.LINE_8, _SHIFT)
        return self

    def rect(self, x0: float, y0: float, x1: float, y1: float, color: Sequence[int]) -> 'Canvas':
        """Fill [x0, x1) x [y0, y1); at least one texel in each direction."""
        left, right = sorted((round(x0 * self.scale), round(x1 * self.scale)))
        top, bottom = sorted(
            (round((self.meters[1] - y1) * self.scale), round((self.meters[1] - y0) * self.scale))
        )
        left, top = max(left, 0), max(top, 0)
        self.image[top : max(bottom, top + 1), left : max(right, left + 1)] = (*color, 255)
        return self

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Sequence[int]) -> 'Canvas':
        angles = np.linspace(0, 2 * np.pi, 17)[:-1]
        return self.poly(np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], -1), color)

    def circle(self, x: float, y: float, radius: float, color: Sequence[int]) -> 'Canvas':
        return self.ellipse(x, y, radius, radius, color)

    def line(self, start, end, width: float, color: Sequence[int]) -> 'Canvas':
        """A straight bar of ``width`` meters with flat ends."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        along = end - start
        normal = np.array([-along[1], along[0]]) / max(np.hypot(*along), 1e-9) * width / 2
        return self.poly([start + normal, end + normal, end - normal, start - normal], color)

    def ring(self, x: float, y: float, radius: float, width: float, color: Sequence[int]) -> 'Canvas':
        center = self._points([(x, y)])[0]
        cv2.circle(
            self.image,
            tuple(int(c) for c in center),
            int(radius * self.scale * (1 << _SHIFT)),
            (*color, 255),
            max(1, round(width * self.scale)),
            cv2.LINE_8,
            _SHIFT,
        )
        return self

    def grain(self, rng: np.random.Generator, amount: float, octaves: int = 3) -> 'Canvas':
        """Multiply the colors by noise of relative standard deviation ``amount``."""
        noise = fractal_noise(rng, *self.image.shape[:2], octaves=octaves) * amount + 1
        self.image[..., :3] = np.clip(self.image[..., :3] * noise[..., None], 0, 255)
        return self

    def gradient(self, top: float, bottom: float) -> 'Canvas':
        """Multiply the colors by a gain that runs from ``top`` to ``bottom``."""
        gain = np.linspace(top, bottom, len(self.image), dtype=np.float32)[:, None, None]
        self.image[..., :3] = np.clip(self.image[..., :3] * gain, 0, 255)
        return self

    def keep(self, points) -> 'Canvas':
        """Make everything outside the polygon a hole."""
        mask = np.zeros(self.image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [self._points(points)], 255, cv2.LINE_8, _SHIFT)
        self.image[..., 3] = np.minimum(self.image[..., 3], mask)
        return self

    def clear(self, points) -> 'Canvas':
        """Make the polygon a hole."""
        cv2.fillPoly(self.image, [self._points(points)], (0, 0, 0, 0), cv2.LINE_8, _SHIFT)
        return self

    def texture(self, gain: float = 1.0) -> Texture:
        """The finished texture, with its colors multiplied by ``gain``."""
        image = self.image.copy()
        if gain != 1.0:
            image[..., :3] = np.clip(image[..., :3] * np.float32(gain), 0, 255)
        return Texture(image)
