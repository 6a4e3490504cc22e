"""House fronts: walls with windows, doors, shops and roofs, painted once per building."""

from dataclasses import dataclass

import numpy as np

from .textures import Canvas, shade

__all__ = [
    'ROOF_RISE',
    'ROOF_RUN',
    'House',
    'paint_front',
    'paint_gable',
    'paint_roof',
    'sample_house',
]

_WALLS = (
    (214, 200, 172),
    (198, 178, 146),
    (184, 128, 98),
    (160, 98, 78),
    (176, 174, 168),
    (206, 206, 198),
    (190, 160, 110),
    (168, 182, 170),
    (150, 158, 172),
    (222, 212, 196),
    (136, 120, 108),
    (198, 156, 138),
)
_ROOFS = ((128, 66, 50), (104, 60, 52), (78, 76, 82), (92, 84, 76), (142, 84, 60))


# A pitched roof rises ROOF_RISE meters over a depth of ROOF_RUN.
ROOF_RISE, ROOF_RUN = 3.4, 4.5


@dataclass(frozen=True)
class House:
    """What one house looks like; meters."""

    wall: tuple[int, int, int]
    roof: tuple[int, int, int]
    trim: tuple[int, int, int]
    storeys: int
    storey: float
    window: tuple[float, float]
    pitch: float
    shop: bool
    pitched_roof: bool
    modern: bool

    @property
    def height(self) -> float:
        return self.storeys * self.storey + 0.6


def sample_house(rng: np.random.Generator, detached: bool) -> House:
    """A town house, or a lower detached one behind its garden."""
    wall = np.array(_WALLS[rng.integers(len(_WALLS))]) * rng.uniform(0.86, 1.08)
    wall = tuple(int(c) for c in np.clip(wall, 0, 240))
    modern = bool(rng.random() < (0.15 if detached else 0.3))
    return House(
        wall=wall,
        roof=_ROOFS[rng.integers(len(_ROOFS))],
        trim=shade(wall, 1.25) if rng.random() < 0.6 else shade(wall, 0.7),
        storeys=int(rng.integers(1, 3) if detached else rng.integers(3, 6)),
        storey=float(rng.uniform(2.9, 3.5)),
        window=(float(rng.uniform(0.9, 1.3)), float(rng.uniform(1.3, 1.8))),
        pitch=float(rng.uniform(2.1, 3.2)),
        shop=bool(not detached and rng.random() < 0.55),
        pitched_roof=bool(detached or (not modern and rng.random() < 0.5)),
        modern=modern,
    )


def paint_front(rng: np.random.Generator, house: House, width: float, texels: float) -> Canvas:
    """The street front, ``width`` meters wide."""
    canvas = Canvas(width, house.height, texels, house.wall).grain(rng, 0.045)
    first = 0
    if house.shop:
        _paint_shop(rng, canvas, house, width)
        first = 1
    count = max(1, int((width - 0.6) / house.pitch))
    margin = (width - count * house.pitch) / 2
    for storey in range(first, house.storeys):
        base = storey * house.storey
        if house.modern:
            _paint_band(rng, canvas, house, width, base)
            continue
        for column in range(count):
            x = margin + (column + 0.5) * house.pitch
            if storey == 0 and column == count // 2:
                canvas.rect(x - 0.65, 0.0, x + 0.65, 2.45, house.trim)
                canvas.rect(x - 0.5, 0.05, x + 0.5, 2.3, shade((96, 66, 48), rng.uniform(0.7, 1.2)))
            else:
                _paint_window(rng, canvas, house, x, base + 0.95)
        canvas.rect(0, base - 0.06, width, base + 0.06, shade(house.wall, 0.86))
    canvas.rect(0, house.height - 0.45, width, house.height, house.trim)
    canvas.rect(0, house.height - 0.55, width, house.height - 0.45, shade(house.wall, 0.6))
    if not house.shop:
        canvas.rect(0, 0, width, 0.5, shade(house.wall, 0.62))
    canvas.rect(0, 0, 0.12, house.height, shade(house.wall, 0.72))
    return canvas.gradient(1.03, 0.9)


def _paint_window(rng, canvas, house, x, sill):
    half, height = house.window[0] / 2, house.window[1]
    canvas.rect(x - half - 0.12, sill - 0.14, x + half + 0.12, sill + height + 0.12, house.trim)
    glass = shade((74, 88, 104), rng.uniform(0.55, 1.25))
    canvas.rect(x - half, sill, x + half, sill + height, glass)
    if rng.random() < 0.35:  # a curtain or blind
        canvas.rect(
            x - half,
            sill + height * rng.uniform(0.3, 0.7),
            x + half,
            sill + height,
            (196, 192, 180),
        )
    canvas.rect(x - 0.035, sill, x + 0.035, sill + height, house.trim)
    canvas.rect(x - half, sill - 0.2, x + half, sill - 0.14, shade(house.wall, 0.6))


def _paint_band(rng, canvas, house, width, base):
    glass = shade((82, 100, 118), rng.uniform(0.75, 1.1))
    canvas.rect(0.3, base + 0.9, width - 0.3, base + 2.5, glass)
    for x in np.arange(0.3, width - 0.3, 1.4):
        canvas.rect(x - 0.04, base + 0.9, x + 0.04, base + 2.5, shade(house.wall, 0.55))
        if rng.random() < 0.3:
            canvas.rect(x + 0.04, base + 0.9, x + 1.36, base + 2.5, shade(glass, rng.uniform(0.7, 1.35)))


def _paint_shop(rng, canvas, house, width):
    sign = tuple(int(c) for c in rng.integers(40, 215, 3))
    canvas.rect(0, 0, width, house.storey, shade(house.wall, 0.6))
    for x in np.arange(0.4, width - 1.5, 2.6):
        canvas.rect(x, 0.45, min(x + 2.2, width - 0.3), 2.35, shade((92, 96, 92), rng.uniform(0.5, 1.3)))
    canvas.rect(0.2, 2.45, width - 0.2, house.storey - 0.15, sign)
    for x in np.arange(width * 0.3, width * 0.7, 0.55):
        canvas.rect(x, 2.58, x + 0.35, house.storey - 0.3, (236, 234, 226))
    if rng.random() < 0.5:
        for stripe, x in enumerate(np.arange(0.3, width - 0.4, 0.5)):
            canvas.rect(x, 2.1, x + 0.5, 2.5, sign if stripe % 2 else (230, 226, 216))


def paint_gable(rng: np.random.Generator, house: House, depth: float, texels: float) -> Canvas:
    """The side wall, ``depth`` meters deep with the street at the left; a pitched roof adds its
    triangle."""
    rise = ROOF_RISE if house.pitched_roof else 0.0
    canvas = Canvas(depth, house.height + rise, texels, shade(house.wall, 0.94)).grain(rng, 0.05)
    for storey in range(house.storeys):
        for x in np.arange(2.0, depth - 1.0, 3.6):
            if rng.random() < 0.65:
                _paint_window(rng, canvas, house, x, storey * house.storey + 0.95)
    canvas.gradient(1.03, 0.88)
    if not rise:
        return canvas.rect(0, house.height - 0.3, depth, house.height, house.trim)
    eaves, ridge = house.height, (ROOF_RUN, house.height + rise)
    end = min(2 * ROOF_RUN, depth)
    canvas.line((0, eaves), ridge, 0.4, house.trim).line(ridge, (end, eaves), 0.4, house.trim)
    return canvas.keep([(0, 0), (0, eaves), ridge, (end, eaves), (depth, eaves), (depth, 0)])


def paint_roof(rng: np.random.Generator, house: House, width: float, slope: float, texels: float) -> Canvas:
    """A tiled roof face, ``slope`` meters from eaves to ridge."""
    canvas = Canvas(width, slope, texels, house.roof).grain(rng, 0.07)
    for y in np.arange(0.3, slope, 0.45):
        canvas.rect(0, y, width, y + 0.09, shade(house.roof, 0.82))
    for x in np.arange(1.5, width - 1.5, 4.2):
        if rng.random() < 0.35:
            canvas.rect(x, slope * 0.35, x + 0.8, slope * 0.35 + 1.0, (70, 80, 94))
    return canvas
