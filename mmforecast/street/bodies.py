"""The shapes of cars, vans, trucks, buses and trams: side profiles to be extruded across the
width."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .textures import shade

__all__ = [
    'CAR_SHAPES',
    'TRAM_MODULE',
    'Body',
    'bus_bodies',
    'sample_paint',
    'truck_bodies',
]

_PAINTS = (
    (198, 200, 204),
    (172, 175, 178),
    (228, 228, 226),
    (34, 36, 40),
    (60, 64, 70),
    (92, 96, 102),
    (142, 30, 34),
    (30, 52, 110),
    (54, 88, 132),
    (104, 90, 72),
    (44, 78, 62),
    (176, 140, 58),
)


def sample_paint(rng: np.random.Generator, vivid: bool = False) -> tuple[int, int, int]:
    """A body color; mostly silver, white, black and gray unless vivid."""
    if vivid:
        choices = (
            (196, 44, 40),
            (222, 168, 40),
            (46, 92, 160),
            (60, 128, 84),
            (228, 226, 218),
            (206, 98, 36),
        )
        return choices[rng.integers(len(choices))]
    weights = np.array([6, 5, 5, 5, 4, 4, 2, 2, 2, 1, 1, 1], float)
    return _PAINTS[rng.choice(len(_PAINTS), p=weights / weights.sum())]


@dataclass(frozen=True)
class Body:
    """A closed side profile (z ahead, y up, meters) from the rear bottom over the roof to the front
    bottom.

    ``windows`` are (z0, y0, z1, y1) boxes or polygons of the side view, ``wheels`` are (z, radius),
    and ``kinds`` name the faces between successive profile points: how each is painted. Above the
    ``belt`` (None: nowhere) the sides lean in by ``tumblehome`` meters until the roof. ``stripe``
    is (color, low, high) along the sides.
    """

    profile: tuple[tuple[float, float], ...]
    kinds: tuple[str, ...]
    width: float
    windows: tuple = ()
    wheels: tuple[tuple[float, float], ...] = ()
    paint: tuple[int, int, int] = (150, 150, 150)
    clearance: float = 0.2
    doors: tuple[float, ...] = ()
    stripe: tuple | None = None
    belt: float | None = None
    tumblehome: float = 0.0

    @property
    def size(self) -> tuple[float, float, float]:
        """(width, height, length) in meters."""
        z, y = np.array(self.profile).T
        return self.width, float(y.max()), float(z.max() - z.min())


def _car(length, height, width, belt, rear, roof, hood, trunk=None):
    """A car profile from where its roof begins and ends (fractions of the length) and its belt
    line."""
    half = length / 2
    roof_rear, roof_front = -half + rear * length, -half + roof * length
    hood_start = -half + hood * length
    points = [(-half, 0.0), (-half, belt)]
    kinds = ['rear']
    if trunk:
        points.append((-half + trunk * length, belt + 0.04))
        kinds.append('plain')
    points += [
        (roof_rear, height),
        (roof_front, height),
        (hood_start, belt),
        (half - 0.05, belt - 0.18),
        (half, 0.0),
    ]
    kinds += ['rear_window', 'roof', 'windscreen', 'hood', 'front']
    sill = belt + 0.03
    window_rear = points[2 if trunk else 1][0] + 0.25
    windows = (
        (
            (window_rear + 0.15, sill),
            (roof_rear + 0.12, height - 0.09),
            ((roof_rear + roof_front) / 2 - 0.04, height - 0.09),
            ((roof_rear + roof_front) / 2 - 0.04, sill),
        ),
        (
            ((roof_rear + roof_front) / 2 + 0.04, sill),
            ((roof_rear + roof_front) / 2 + 0.04, height - 0.09),
            (roof_front - 0.05, height - 0.09),
            (hood_start - 0.18, sill),
        ),
    )
    return Body(
        tuple(points),
        tuple(kinds),
        width,
        windows,
        ((-half + 0.2 * length, 0.32), (half - 0.19 * length, 0.32)),
        doors=(-half + 0.3 * length, (roof_rear + roof_front) / 2, hood_start - 0.05),
        belt=belt,
        tumblehome=0.15,
    )


CAR_SHAPES = (
    _car(4.0, 1.48, 1.74, 0.93, 0.10, 0.60, 0.78),  # hatchback
    _car(4.5, 1.44, 1.80, 0.94, 0.27, 0.58, 0.74, trunk=0.15),  # saloon
    _car(4.6, 1.47, 1.80, 0.94, 0.08, 0.60, 0.76),  # estate
    _car(4.5, 1.70, 1.86, 1.06, 0.07, 0.62, 0.78),  # off-roader
    _car(5.0, 1.98, 1.92, 1.12, 0.02, 0.72, 0.88),  # van
)

TRAM_MODULE = Body(
    ((-4.4, 0.0), (-4.4, 3.4), (4.4, 3.4), (4.4, 0.0)),
    ('tram_end', 'roof', 'tram_end'),
    2.4,
    windows=tuple((z, 1.3, z + 1.5, 2.55) for z in (-4.1, -2.4, -0.7, 1.0, 2.7)),
    clearance=0.15,
    wheels=((-3.0, 0.3), (3.0, 0.3)),
    doors=(-0.8, 0.9),
)


def truck_bodies(rng: np.random.Generator) -> Sequence[Body]:
    """A cargo box behind a cab."""
    box, cab = float(rng.uniform(4.2, 7.0)), 2.0
    half, height = (box + cab + 0.2) / 2, float(rng.uniform(2.9, 3.6))
    rear_end, cab_rear = -half + box, half - cab
    paint, cargo = sample_paint(rng, vivid=True), sample_paint(rng, vivid=rng.random() < 0.4)
    if sum(cargo) < 300:
        cargo = (214, 212, 206)
    return (
        Body(
            ((-half, 0.0), (-half, height), (rear_end, height), (rear_end, 0.0)),
            ('cargo_rear', 'roof', 'plain'),
            2.45,
            wheels=((-half + 1.1, 0.48), (-half + 2.2, 0.48)),
            paint=cargo,
            clearance=0.75,
            stripe=(paint, height * 0.45, height * 0.62),
        ),
        Body(
            ((cab_rear, 0.0), (cab_rear, 2.6), (half - 0.25, 2.65), (half, 1.4), (half, 0.0)),
            ('plain', 'roof', 'windscreen', 'front'),
            2.4,
            windows=((cab_rear + 0.7, 1.5, half - 0.3, 2.3),),
            wheels=((half - 0.75, 0.48),),
            paint=paint,
            clearance=0.4,
        ),
    )


def bus_bodies(rng: np.random.Generator) -> Sequence[Body]:
    """A city bus."""
    half, height = float(rng.uniform(5.0, 6.2)), float(rng.uniform(2.9, 3.3))
    windows = tuple((z, 1.25, z + 1.3, 2.5) for z in np.arange(-half + 0.4, half - 1.4, 1.5))
    paint = sample_paint(rng, vivid=True)
    return (
        Body(
            ((-half, 0.0), (-half, height), (half - 0.1, height), (half, 0.0)),
            ('bus_rear', 'roof', 'bus_front'),
            2.5,
            windows=windows,
            wheels=((-half + 2.4, 0.5), (half - 2.2, 0.5)),
            paint=paint,
            clearance=0.3,
            doors=(half - 1.0, 0.6),
            stripe=(shade(paint, 0.6), 0.45, 0.75),
        ),
    )
