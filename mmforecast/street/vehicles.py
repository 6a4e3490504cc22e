"""Vehicles: the faces of a body, painted one by one and lit by the sun."""

import numpy as np

from .bodies import Body
from .light import Light
from .scene import Scene
from .textures import Canvas, shade

__all__ = ['add_body']

_GLASS = (44, 52, 60)
_TYRE = (26, 26, 28)
_RIM = (120, 122, 126)


def add_body(
    scene: Scene,
    light: Light,
    body: Body,
    surface: int,
    part: int,
    heading: float,
    texels: float,
    offset: float = 0.0,
):
    """Add a body's faces, ``offset`` meters ahead of the part's origin; ``heading`` is only used
    for its light."""
    _, height, length = body.size
    z_low = min(z for z, _ in body.profile)
    half = body.width / 2
    side = _paint_side(body, texels, z_low, length, height)
    rear, front = z_low + offset, z_low + offset + length
    split = round((height - (body.belt or height)) * side.scale)
    for sign in (1, -1):
        image = side.image if sign > 0 else np.ascontiguousarray(side.image[:, ::-1])
        gain, ends = (
            light.gain(heading + sign * np.pi / 2),
            (rear, front) if sign > 0 else (front, rear),
        )
        belt = height - split / side.scale
        low = [
            (sign * half, -belt, ends[0]),
            (sign * half, -belt, ends[1]),
            (sign * half, 0.0, ends[0]),
        ]
        scene.add_face(low, Canvas.of(image[split:], side.scale).texture(gain), surface, part)
        if split:
            top = sign * (half - body.tumblehome)
            high = [(top, -height, ends[0]), (top, -height, ends[1]), (sign * half, -belt, ends[0])]
            scene.add_face(high, Canvas.of(image[:split], side.scale).texture(gain), surface, part)
    for (z0, y0), (z1, y1), kind in zip(body.profile, body.profile[1:], body.kinds):
        if kind == 'roof':
            continue  # above the camera
        rising = y1 > y0
        top, bottom = ((z1, y1), (z0, y0)) if rising else ((z0, y0), (z1, y1))
        x = -half if rising else half
        slope = float(np.hypot(z1 - z0, y1 - y0))
        canvas = _paint_end(body, kind, slope, texels, rising)
        upward = abs(z1 - z0) / slope
        texture = canvas.texture(light.gain(heading + (np.pi if rising else 0), upward))
        corners = [
            (x, -top[1], top[0] + offset),
            (-x, -top[1], top[0] + offset),
            (x, -bottom[1], bottom[0] + offset),
        ]
        scene.add_face(corners, texture, surface, part)


def _paint_side(body, texels, z_low, length, height) -> Canvas:
    canvas = Canvas(length, height, texels)
    shifted = [(z - z_low, max(y, body.clearance)) for z, y in body.profile]
    canvas.poly(shifted, body.paint).gradient(1.06, 0.82)
    dark = shade(body.paint, 0.6)
    canvas.rect(0.05, body.clearance, length - 0.05, body.clearance + 0.12, dark)
    if body.stripe:
        color, low, high = body.stripe
        canvas.rect(0.02, low, length - 0.02, high, color)
    for door in body.doors:
        canvas.rect(door - z_low - 0.015, body.clearance + 0.1, door - z_low + 0.015, height * 0.62, dark)
    for window in body.windows:
        if np.ndim(window[0]):
            canvas.poly([(z - z_low, y) for z, y in window], _GLASS)
        else:
            canvas.rect(window[0] - z_low, window[1], window[2] - z_low, window[3], _GLASS)
            canvas.rect(
                window[0] - z_low,
                (window[1] + window[3]) / 2,
                window[2] - z_low,
                window[3],
                shade(_GLASS, 1.3),
            )
    for z, radius in body.wheels:
        canvas.circle(z - z_low, radius, radius * 1.15, (22, 22, 24))
        canvas.circle(z - z_low, radius, radius, _TYRE)
        canvas.circle(z - z_low, radius, radius * 0.6, _RIM)
    return canvas


def _paint_end(body, kind, slope, texels, rising) -> Canvas:
    """One of the faces across the width; ``rising`` faces look backwards."""
    width, paint = body.width, body.paint
    canvas = Canvas(width, slope, texels, paint)
    if kind in ('windscreen', 'rear_window'):
        lean = body.tumblehome
        canvas.poly(
            [
                (0.07, 0.05),
                (lean + 0.06, slope - 0.06),
                (width - lean - 0.06, slope - 0.06),
                (width - 0.07, 0.05),
            ],
            _GLASS,
        )
        canvas.poly(
            [(0.5, 0.06), (0.72, slope - 0.07), (0.95, slope - 0.07), (0.78, 0.06)],
            shade(_GLASS, 1.35),
        )
        return canvas.keep([(0, 0), (lean, slope), (width - lean, slope), (width, 0)]) if lean else canvas
    if kind in ('plain', 'hood'):
        return canvas.gradient(1.0, 0.93)
    canvas.gradient(1.04, 0.84)
    lamp = (188, 28, 26) if rising else (238, 236, 220)
    if kind in ('bus_rear', 'bus_front', 'tram_end'):
        canvas.rect(0.18, slope * 0.42, width - 0.18, slope * (0.8 if kind != 'bus_rear' else 0.72), _GLASS)
        canvas.rect(0.5, slope * 0.86, width - 0.5, slope * 0.95, (28, 26, 22))
        canvas.rect(0.7, slope * 0.88, width - 0.7, slope * 0.93, (230, 160, 40))
        canvas.rect(0.15, 0.75, 0.45, 0.95, lamp).rect(width - 0.45, 0.75, width - 0.15, 0.95, lamp)
    elif kind == 'cargo_rear':
        canvas.rect(width / 2 - 0.02, 0.8, width / 2 + 0.02, slope - 0.1, shade(paint, 0.6))
        for side in (0.05, width - 0.09):
            canvas.rect(side, 0.8, side + 0.04, slope, shade(paint, 0.7))
        canvas.rect(0.1, 0.62, 0.45, 0.76, lamp).rect(width - 0.45, 0.62, width - 0.1, 0.76, lamp)
    else:
        lamps = (0.62 * slope, 0.84 * slope)
        for x0 in (0.04, width - 0.36):
            canvas.rect(x0, lamps[0], x0 + 0.32, lamps[1], lamp)
        if not rising:
            canvas.rect(0.42, lamps[0] * 0.95, width - 0.42, lamps[1] * 0.95, (30, 30, 32))
        canvas.rect(width / 2 - 0.26, 0.4 * slope, width / 2 + 0.26, 0.4 * slope + 0.11, (232, 232, 226))
        canvas.rect(0.0, body.clearance, width, body.clearance + 0.14, shade(paint, 0.55))
    tyre = 0.26 if width > 2.2 else 0.2
    canvas.clear([(tyre, 0), (tyre, body.clearance), (width - tyre, body.clearance), (width - tyre, 0)])
    if body.clearance > 0.5:  # the axle
        canvas.rect(tyre, 0.4, width - tyre, body.clearance, (34, 34, 36))
    canvas.rect(0.03, 0.0, tyre, body.clearance + 0.05, _TYRE)
    return canvas.rect(width - tyre, 0.0, width - 0.03, body.clearance + 0.05, _TYRE)
