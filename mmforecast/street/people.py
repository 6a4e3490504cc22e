"""Persons, riders and two-wheelers: a side view and a front view, crossed, riding on one part."""

from dataclasses import dataclass

import numpy as np

from .scene import Scene
from .textures import Canvas, Texture, TextureCycle, shade

__all__ = ['Clothes', 'add_cycle', 'add_person', 'add_rider', 'sample_clothes']

_PHASES = 8
_TYRE, _METAL = (28, 28, 30), (120, 122, 128)


@dataclass(frozen=True)
class Clothes:
    """Colors of one person and whether they wear a helmet or carry a bag."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    top: tuple[int, int, int]
    legs: tuple[int, int, int]
    shoes: tuple[int, int, int]
    bag: bool


def sample_clothes(rng: np.random.Generator) -> Clothes:
    """Mostly muted clothes, now and then a bright jacket."""
    skins = ((224, 184, 156), (200, 154, 122), (146, 102, 76), (98, 68, 52))
    hairs = ((36, 30, 26), (70, 48, 32), (120, 92, 56), (150, 146, 140))
    muted = ((40, 44, 52), (70, 72, 80), (96, 84, 70), (52, 66, 92), (110, 108, 104), (64, 50, 46))
    bright = (
        (176, 44, 46),
        (52, 104, 168),
        (206, 168, 60),
        (230, 228, 222),
        (70, 132, 92),
        (150, 84, 140),
    )
    legs = ((42, 50, 74), (34, 34, 38), (78, 74, 68), (96, 90, 80))

    def pick(colors):
        return tuple(
            int(c)
            for c in np.clip(np.array(colors[rng.integers(len(colors))]) * rng.uniform(0.85, 1.15), 0, 255)
        )

    return Clothes(
        pick(skins),
        pick(hairs),
        pick(bright if rng.random() < 0.45 else muted),
        pick(legs),
        pick(((30, 28, 28), (90, 70, 54), (220, 218, 214))),
        bool(rng.random() < 0.4),
    )


def _walk_side(c: Clothes, height: float, swing: float, texels: float, gain: float) -> Texture:
    """Seen from the right, walking to the right; ``swing`` in [-1, 1] is how far the legs are
    apart."""
    k = height / 1.75
    canvas, mid = Canvas(0.95 * k, height, texels), 0.475 * k
    for sign, tone in ((-1, 0.75), (1, 1.0)):
        step = sign * swing
        hip, knee, foot = (
            (mid, 0.86 * k),
            (mid + 0.17 * step * k, 0.47 * k),
            (mid + 0.27 * step * k, 0.06 * k),
        )
        canvas.line(hip, knee, 0.17 * k, shade(c.legs, tone)).line(knee, foot, 0.13 * k, shade(c.legs, tone))
        canvas.rect(foot[0] - 0.08 * k, 0, foot[0] + 0.16 * k, 0.09 * k, shade(c.shoes, tone))
    _arm(canvas, k, mid, swing, shade(c.top, 0.7), c.skin)
    canvas.poly(
        [
            (mid - 0.14 * k, 0.8 * k),
            (mid - 0.15 * k, 1.4 * k),
            (mid + 0.12 * k, 1.42 * k),
            (mid + 0.14 * k, 0.8 * k),
        ],
        c.top,
    )
    if c.bag:
        canvas.rect(mid - 0.28 * k, 1.0 * k, mid - 0.1 * k, 1.38 * k, shade(c.legs, 0.8))
    _arm(canvas, k, mid, -swing, shade(c.top, 0.88), c.skin)
    return _head(canvas, c, k, mid + 0.03 * k, turned=0.04).texture(gain)


def _arm(canvas, k, mid, swing, sleeve, skin):
    hand = (mid + 0.26 * swing * k, 0.84 * k)
    canvas.line((mid, 1.37 * k), hand, 0.1 * k, sleeve).circle(*hand, 0.055 * k, skin)


def _walk_front(
    c: Clothes, height: float, swing: float, texels: float, gain: float, face: bool = True
) -> Texture:
    """Seen from the front or, without a face, from behind; the legs lift in turn."""
    k = height / 1.75
    canvas, mid = Canvas(0.62 * k, height, texels), 0.31 * k
    for sign in (-1, 1):
        lift = max(0.0, sign * swing) * 0.12 * k
        x = mid + sign * 0.09 * k
        canvas.line((x, 0.86 * k), (x, 0.05 * k + lift), 0.15 * k, shade(c.legs, 0.9 if sign < 0 else 1.0))
        canvas.rect(x - 0.07 * k, lift, x + 0.07 * k, 0.09 * k + lift, c.shoes)
        arm = 0.06 * k * swing * sign
        canvas.line(
            (mid + sign * 0.22 * k, 1.38 * k),
            (mid + sign * 0.25 * k, 0.86 * k + arm),
            0.1 * k,
            shade(c.top, 0.82),
        )
        canvas.circle(mid + sign * 0.25 * k, 0.82 * k + arm, 0.05 * k, c.skin)
    canvas.poly(
        [
            (mid - 0.18 * k, 0.8 * k),
            (mid - 0.22 * k, 1.43 * k),
            (mid + 0.22 * k, 1.43 * k),
            (mid + 0.18 * k, 0.8 * k),
        ],
        c.top,
    )
    if face:
        canvas.rect(mid - 0.012 * k, 0.82 * k, mid + 0.012 * k, 1.4 * k, shade(c.top, 0.75))
    elif c.bag:
        canvas.rect(mid - 0.15 * k, 0.95 * k, mid + 0.15 * k, 1.36 * k, shade(c.legs, 0.8))
    return _head(canvas, c, k, mid, turned=0.0 if face else None).texture(gain)


def _head(canvas, c, k, x, turned):
    """Hair with the face shifted by ``turned`` meters; None shows the back of the head."""
    canvas.rect(x - 0.05 * k, 1.4 * k, x + 0.05 * k, 1.5 * k, c.skin)
    canvas.ellipse(x, 1.61 * k, 0.105 * k, 0.13 * k, c.hair)
    return (
        canvas if turned is None else canvas.ellipse(x + turned * k, 1.585 * k, 0.085 * k, 0.105 * k, c.skin)
    )


def _cross(scene: Scene, side, front, back, surface, part, side_size, front_size, crosswise):
    """Add the three views: side in the plane of travel, front and back across it.

    Who crosses the road is only ever seen from the side: edge-on, the other views would be slivers.
    """
    (length, top), (width, front_top) = side_size, front_size
    scene.add_wall((0, -length / 2), (0, length / 2), 0, top, side, surface, part, two_sided=True)
    if crosswise:
        return
    scene.add_wall((width / 2, 0), (-width / 2, 0), 0, front_top, front, surface, part)
    scene.add_wall((-width / 2, 0), (width / 2, 0), 0, front_top, back, surface, part)


def add_person(
    scene: Scene,
    clothes: Clothes,
    height: float,
    surface: int,
    part: int,
    texels: float,
    gain: float,
    speed: float,
    phase: float,
    crosswise: bool = False,
):
    """A standing (speed 0) or walking person; one stride is 1.5 m."""
    walking, k = speed > 0.2, height / 1.75

    def view(paint, **kwargs):
        def painted(at: float) -> Texture:
            swing = float(np.sin(2 * np.pi * at)) if walking else 0.25
            return paint(clothes, height, swing, texels, gain, **kwargs)

        return TextureCycle(painted, _PHASES if walking else 1, 1.5 / max(speed, 0.1), phase)

    _cross(
        scene,
        view(_walk_side),
        view(_walk_front),
        view(_walk_front, face=False),
        surface,
        part,
        (0.95 * k, height),
        (0.62 * k, height),
        crosswise,
    )


def add_rider(
    scene: Scene,
    clothes: Clothes,
    motor: bool,
    surface: int,
    part: int,
    texels: float,
    gain: float,
    crosswise: bool = False,
):
    """The person on a two-wheeler; the saddle is 0.85 m (0.8 m on a motorcycle) above the
    ground."""
    saddle = 0.8 if motor else 0.9
    side, front = Canvas(1.1, 1.85, texels), Canvas(0.6, 1.85, texels)
    hip, shoulder, hand = (0.38, saddle), (0.58, saddle + 0.52), (0.98, saddle + 0.18)
    knee, foot = (0.75, saddle - 0.16), (0.62, 0.32)
    side.line(hip, knee, 0.17, clothes.legs).line(knee, foot, 0.13, clothes.legs)
    side.rect(foot[0] - 0.06, foot[1] - 0.06, foot[0] + 0.18, foot[1] + 0.05, clothes.shoes)
    side.line((hip[0], hip[1] - 0.08), shoulder, 0.27, clothes.top)
    side.line(shoulder, hand, 0.11, shade(clothes.top, 0.85)).circle(*hand, 0.05, clothes.skin)
    for sign in (-1, 1):
        front.line((0.3 + sign * 0.12, saddle), (0.3 + sign * 0.15, 0.32), 0.15, clothes.legs)
        front.line(
            (0.3 + sign * 0.2, saddle + 0.5),
            (0.3 + sign * 0.24, saddle + 0.15),
            0.11,
            shade(clothes.top, 0.85),
        )
    front.poly(
        [(0.13, saddle - 0.1), (0.08, saddle + 0.58), (0.52, saddle + 0.58), (0.47, saddle - 0.1)],
        clothes.top,
    )
    helmet = clothes.hair
    if motor or clothes.bag:
        helmet = (206, 60, 50) if clothes.bag else (60, 62, 70)
    side.ellipse(shoulder[0] + 0.09, saddle + 0.74, 0.13, 0.15, helmet)
    side.ellipse(shoulder[0] + 0.15, saddle + 0.69, 0.085, 0.09, clothes.skin)
    front.ellipse(0.3, saddle + 0.74, 0.13, 0.15, helmet)
    back = front.texture(gain)
    front.ellipse(0.3, saddle + 0.69, 0.085, 0.09, clothes.skin)
    _cross(
        scene,
        side.texture(gain),
        front.texture(gain),
        back,
        surface,
        part,
        (1.1, 1.85),
        (0.6, 1.85),
        crosswise,
    )


def add_cycle(
    scene: Scene,
    paint: tuple[int, int, int],
    motor: bool,
    surface: int,
    part: int,
    texels: float,
    gain: float,
    crosswise: bool = False,
):
    """A bicycle (1.75 m long) or motorcycle (2.1 m)."""
    length, radius = (2.1, 0.32) if motor else (1.75, 0.34)
    height, front_width = 1.15, 0.72 if motor else 0.5
    side, front = Canvas(length, height, texels), Canvas(front_width, height, texels)
    wheels, mid = (radius + 0.02, length - radius - 0.02), front_width / 2
    if motor:
        for x in wheels:
            side.circle(x, radius, radius, _TYRE).circle(x, radius, radius * 0.55, _METAL)
        side.poly([(0.45, 0.35), (0.2, 0.85), (1.0, 0.78), (1.45, 1.0), (1.7, 0.8), (1.5, 0.35)], paint)
        side.poly([(0.7, 0.25), (0.7, 0.6), (1.35, 0.6), (1.35, 0.25)], (52, 52, 56))
        side.line((1.5, 1.05), (wheels[1], radius), 0.09, _METAL)
        front.rect(mid - 0.22, 0.5, mid + 0.22, 0.9, paint).rect(0.02, 0.95, front_width - 0.02, 1.02, _TYRE)
        front.rect(mid - 0.09, 0.0, mid + 0.09, 0.62, _TYRE)
    else:
        crank, head, seat = (0.82, 0.34), (1.22, 0.86), (0.66, 0.88)
        for x in wheels:
            side.circle(x, radius, radius, shade(_METAL, 0.55)).ring(x, radius, radius - 0.03, 0.06, _TYRE)
        for start, end in (
            (crank, seat),
            (crank, head),
            (seat, head),
            ((wheels[0], radius), crank),
            ((wheels[0], radius), seat),
            ((wheels[1], radius), head),
        ):
            side.line(start, end, 0.085, paint)
        side.rect(0.52, 0.88, 0.82, 0.95, _TYRE).rect(1.14, 0.98, 1.34, 1.04, _TYRE)
        side.line(head, (1.2, 1.02), 0.06, _METAL)
        front.rect(mid - 0.05, 0.0, mid + 0.05, 0.7, _TYRE).rect(0.02, 0.94, front_width - 0.02, 1.02, _METAL)
        front.rect(mid - 0.04, 0.75, mid + 0.04, 0.96, paint)
    back = Canvas.of(front.image.copy(), texels).circle(mid, 0.7, 0.06, (200, 34, 30))
    front.circle(mid, 0.82, 0.1 if motor else 0.06, (236, 230, 210))
    _cross(
        scene,
        side.texture(gain),
        front.texture(gain),
        back.texture(gain),
        surface,
        part,
        (length, height),
        (front_width, height),
        crosswise,
    )
