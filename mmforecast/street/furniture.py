"""Lamp posts, traffic lights, traffic signs, fences and walls."""

import numpy as np

from .labels import label_id
from .scene import Scene
from .textures import Canvas, Texture, shade

__all__ = ['add_lamp_post', 'add_sign', 'add_traffic_light', 'paint_fence', 'paint_wall']

_POLE = (112, 116, 118)
_POLE_LABEL = label_id('pole')


def _upright(
    scene: Scene,
    ground: np.ndarray,
    across: np.ndarray,
    width: float,
    bottom: float,
    top: float,
    texture: Texture,
    label: int,
    ahead: float = 0.0,
):
    """A flat thing of ``width`` meters across the road at a ground point, facing the traffic."""
    away = np.array([-across[1], across[0]])
    center = ground + away * ahead
    scene.add_wall(
        center - across * width / 2,
        center + across * width / 2,
        bottom,
        top,
        texture,
        label,
        two_sided=True,
    )


def _pole_texture(width: float, height: float, texels: float, gain: float) -> Texture:
    canvas = Canvas(width, height, texels, shade(_POLE, gain))
    return canvas.rect(0, 0, width * 0.35, height, shade(_POLE, gain * 0.75)).texture()


def add_lamp_post(
    scene: Scene,
    ground: np.ndarray,
    across: np.ndarray,
    towards_road: int,
    height: float,
    texels: float,
    gain: float,
):
    """A street lamp whose arm reaches over the road; ``towards_road`` is the sign along
    ``across``."""
    _upright(scene, ground, across, 0.2, 0, height, _pole_texture(0.2, height, texels, gain), _POLE_LABEL)
    arm = Canvas(1.6, 0.3, texels)
    arm.rect(0, 0.12, 1.6, 0.24, shade(_POLE, gain)).rect(1.0, 0.0, 1.6, 0.18, shade((196, 196, 190), gain))
    if towards_road < 0:
        arm.image = np.ascontiguousarray(arm.image[:, ::-1])
    _upright(
        scene,
        ground + across * towards_road * 0.8,
        across,
        1.6,
        height - 0.3,
        height,
        arm.texture(),
        _POLE_LABEL,
    )


def add_traffic_light(
    rng: np.random.Generator,
    scene: Scene,
    ground: np.ndarray,
    across: np.ndarray,
    texels: float,
    gain: float,
    green: bool,
):
    """A signal on its post: three lamps in a dark housing."""
    _upright(scene, ground, across, 0.16, 0, 3.4, _pole_texture(0.16, 3.4, texels, gain), _POLE_LABEL)
    head = Canvas(0.42, 1.05, texels, (34, 36, 36))
    lit = 0 if green else 2
    for position, color in enumerate(((40, 220, 120), (240, 190, 40), (236, 50, 40))):
        head.circle(0.21, 0.2 + 0.325 * position, 0.13, color if position == lit else shade(color, 0.2))
    base = float(rng.uniform(2.2, 2.5))
    _upright(
        scene,
        ground,
        across,
        0.42,
        base,
        base + 1.05,
        head.texture(),
        label_id('traffic light'),
        -0.12,
    )


def add_sign(
    rng: np.random.Generator,
    scene: Scene,
    ground: np.ndarray,
    across: np.ndarray,
    texels: float,
    gain: float,
):
    """A traffic sign: round, triangular, square or a long direction board."""
    kind = rng.choice(['round', 'triangle', 'square', 'board'], p=[0.35, 0.25, 0.25, 0.15])
    width, height = (1.7, 0.7) if kind == 'board' else (0.78, 0.78)
    base = float(rng.uniform(1.9, 2.5))
    _upright(
        scene,
        ground,
        across,
        0.12,
        0,
        base + height,
        _pole_texture(0.12, base + height, texels, gain),
        _POLE_LABEL,
    )
    _upright(
        scene,
        ground,
        across,
        width,
        base,
        base + height,
        _sign_texture(rng, kind, width, height, texels, gain),
        label_id('traffic sign'),
        -0.1,
    )


def _sign_texture(rng, kind, width, height, texels, gain) -> Texture:
    canvas, mid = Canvas(width, height, texels), width / 2
    red, white, blue = (196, 36, 36), (236, 236, 230), (34, 82, 170)
    if kind == 'round':
        canvas.circle(mid, mid, mid, red if rng.random() < 0.6 else blue).circle(mid, mid, mid * 0.68, white)
        canvas.rect(mid - 0.16, mid - 0.07, mid + 0.16, mid + 0.07, (40, 40, 40))
    elif kind == 'triangle':
        canvas.poly([(0, 0.05), (mid, height), (width, 0.05)], red)
        canvas.poly([(0.15, 0.14), (mid, height - 0.17), (width - 0.15, 0.14)], white)
        canvas.rect(mid - 0.05, 0.2, mid + 0.05, 0.44, (40, 40, 40))
    elif kind == 'square':
        canvas.rect(0, 0, width, height, blue).rect(0.2, 0.14, width - 0.2, height - 0.14, white)
    else:
        color = blue if rng.random() < 0.5 else (226, 180, 40)
        canvas.rect(0, 0, width, height, color)
        for y in (0.16, 0.42):
            canvas.rect(0.15, y, rng.uniform(0.8, 1.5), y + 0.12, white if color == blue else (40, 40, 40))
    return canvas.texture(gain)


def paint_fence(rng: np.random.Generator, width: float, height: float, texels: float, gain: float) -> Texture:
    """Palings or a dark railing in front of shrubs; closed, as Cityscapes labels fences without
    their gaps."""
    light, dark = ((168, 142, 106), (104, 84, 62)) if rng.random() < 0.5 else ((92, 98, 92), (58, 66, 52))
    canvas = Canvas(width, height, texels, dark)
    for x in np.arange(0.04, width, 0.22):
        canvas.rect(x, 0, x + 0.12, height, shade(light, rng.uniform(0.88, 1.1)))
    for y in (0.25, 0.75):
        canvas.rect(0, y * height, width, y * height + 0.08, shade(light, 0.8))
    return canvas.texture(gain)


def paint_wall(rng: np.random.Generator, width: float, height: float, texels: float, gain: float) -> Texture:
    """Brick or concrete with a coping."""
    brick = rng.random() < 0.5
    color: tuple[int, int, int] = (150, 96, 78) if brick else (164, 160, 152)
    canvas = Canvas(width, height, texels, color)
    for y in np.arange(0, height, 0.24 if brick else 1.0):
        canvas.rect(0, y, width, y + 0.035, shade(color, 0.75))
    for x in np.arange(0, width, 2.0):
        canvas.rect(x, 0, x + 0.05, height, shade(color, 0.72))
    return canvas.grain(rng, 0.06).rect(0, height - 0.12, width, height, shade(color, 1.18)).texture(gain)
