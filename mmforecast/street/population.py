"""Traffic of one sequence: numbers, places and speeds of road users."""

import numpy as np

from .motion import Path
from .traffic import Traffic, sample_vehicle

__all__ = ['ego_path', 'populate']

_FAR = 95.0
# Meters that the camera car drives at most: what stands along the street is drawn some way further.
_REACH = 50.0


def ego_path(rng: np.random.Generator, times: np.ndarray, line, layout) -> Path:
    """The camera car: in one of our lanes, standing to 14 m/s, slower in tight bends.

    In long sequences it drives so slowly that the street does not end before them.
    """
    duration = times[-1] - times[0]
    lane = int(rng.integers(layout.lanes))
    bend = np.abs(line.curvature_at(np.linspace(0, 25, 26))).max()
    fastest = min(14.0, np.sqrt(3.0 / max(bend, 1e-3)), _REACH / duration)
    speed = 0.0 if rng.random() < 0.06 else float(rng.uniform(min(4.0, fastest), fastest))
    acceleration = float(np.clip(rng.normal(0, 0.8), -2.5, 1.8)) if speed else 0.0
    acceleration = min(acceleration, 2 * (_REACH - speed * duration) / duration**2)
    return Path.along(
        times,
        0.0,
        layout.lane_center(1, lane),
        speed,
        acceleration,
        sway=float(rng.uniform(0, 0.12)),
        phase=float(rng.uniform(0, 6)),
    )


def populate(traffic: Traffic):
    """Trams and lanes first, then two-wheelers, parked and crossing vehicles, and people."""
    if traffic.layout.median == 'tram':
        _trams(traffic)
    for direction in (1, -1):
        for lane in range(traffic.layout.lanes):
            _lane(traffic, direction, lane)
    _two_wheelers(traffic)
    for side in (-1, 1):
        if traffic.layout.parking[side > 0]:
            _parked(traffic, side)
    for street in traffic.layout.crossings:
        _crossing(traffic, street)
    _people(traffic)


def _trams(traffic: Traffic):
    rng = traffic.rng
    for direction, d in ((1, 1.55), (-1, -1.55)):
        if rng.random() < 0.85:
            modules = int(rng.integers(2, 4))
            start = float(rng.uniform(14, 75)) + (0 if direction > 0 else 9 * modules)
            speed = float(rng.uniform(4, 13)) if rng.random() < 0.9 else 0.0
            traffic.tram(Path.along(traffic.times, start, d, speed, 0.0, direction), direction, modules)


def _lane(traffic: Traffic, direction: int, lane: int):
    """A queue of vehicles at about the same speed."""
    rng = traffic.rng
    pace = float(rng.uniform(0, 4)) if rng.random() < 0.15 else float(rng.uniform(5, 13.5))
    density = float(rng.uniform(8, 45))
    s = float(rng.uniform(6, 26)) if direction > 0 else float(rng.uniform(4, 25))
    while s < _FAR:
        label, bodies = sample_vehicle(rng)
        speed = float(np.clip(pace + rng.normal(0, 0.8), 0, 14))
        acceleration = float(np.clip(rng.normal(0, 0.7), -2.5, 1.5))
        length = 5.0 if label == 'car' else 9.0
        path = Path.along(
            traffic.times,
            s + length / 2,
            traffic.layout.lane_center(direction, lane) + rng.normal(0, 0.12),
            speed,
            acceleration,
            direction,
            float(rng.uniform(0, 0.1)),
            float(rng.uniform(0, 6)),
        )
        traffic.vehicle(label, bodies, path)
        s += length + 4 + float(rng.exponential(density))


def _two_wheelers(traffic: Traffic):
    rng, layout = traffic.rng, traffic.layout
    for direction in (1, -1):
        for _ in range(rng.poisson(1.3)):
            d = direction * (layout.lanes_edge() + (layout.cycle_lane / 2 if layout.cycle_lane else -0.5))
            traffic.two_wheeler(
                Path.along(
                    traffic.times,
                    float(rng.uniform(5, 60)),
                    d,
                    float(rng.uniform(2.5, 6.5)),
                    float(rng.normal(0, 0.3)),
                    direction,
                    0.06,
                ),
                False,
                True,
            )
        for _ in range(rng.poisson(0.75)):
            d = layout.lane_center(direction, int(rng.integers(layout.lanes))) + rng.uniform(-0.7, 0.7)
            traffic.two_wheeler(
                Path.along(
                    traffic.times,
                    float(rng.uniform(5, 55)),
                    d,
                    float(rng.uniform(4, 13)),
                    float(rng.normal(0, 0.6)),
                    direction,
                    0.05,
                ),
                True,
                True,
            )


def _parked(traffic: Traffic, side: int):
    rng, layout = traffic.rng, traffic.layout
    filled, d = float(rng.uniform(0.35, 0.95)), layout.parking_center(side)
    for s in np.arange(-9, _FAR, 6.0):
        if rng.random() > filled or not layout.clear_of_crossings(s - 4, s + 4):
            continue
        label, bodies = sample_vehicle(rng, (0.93, 0.07, 0.0))
        direction = side if rng.random() < 0.93 else -side
        path = Path.along(
            traffic.times,
            s + rng.uniform(-0.4, 0.4),
            d + rng.normal(0, 0.08),
            0.0,
            direction=direction,
        )
        traffic.vehicle(label, bodies, path, gap=0.5)
    for s in np.arange(-3, 60, 6.0):  # where no car stands there may be two-wheelers
        if rng.random() < 0.16:
            traffic.two_wheeler(
                Path.along(traffic.times, s, d, 0.0, direction=side),
                bool(rng.random() < 0.5),
                False,
            )


def _crossing(traffic: Traffic, street):
    """Vehicles on the crossing street, and people on the zebras."""
    rng, layout = traffic.rng, traffic.layout
    for direction in (1, -1):
        if rng.random() < 0.6:
            label, bodies = sample_vehicle(rng, (0.8, 0.1, 0.1))
            waiting = rng.random() < 0.4
            start = -direction * float(
                layout.kerb(-direction) + rng.uniform(6, 9) if waiting else rng.uniform(0, 22)
            )
            speed = 0.0 if waiting else float(rng.uniform(4, 10))
            traffic.vehicle(
                label,
                bodies,
                Path.across(
                    traffic.times,
                    street.s - direction * street.width / 4,
                    start,
                    speed,
                    float(rng.normal(0, 0.5)) if speed else 0.0,
                    direction,
                ),
            )
    for end in (-1, 1):
        s = street.s + end * (street.width / 2 + 1.9)
        for _ in range(rng.poisson(1.6)):
            direction = int(rng.choice([-1, 1]))
            speed = float(rng.normal(1.4, 0.25))
            traffic.person(
                Path.across(
                    traffic.times,
                    s + rng.uniform(-1, 1),
                    float(rng.uniform(-layout.kerb(-1), layout.kerb(1))),
                    max(0.7, speed),
                    0.0,
                    direction,
                ),
                speed,
            )


def _people(traffic: Traffic):
    """Walking and standing on the pavements, and a few who cross wherever they like."""
    rng, layout = traffic.rng, traffic.layout
    busy = float(rng.uniform(2, 11))
    for side in (-1, 1):
        inner, outer = layout.pavement_range(side)
        for _ in range(rng.poisson(busy)):
            s, d = float(rng.uniform(2, 60)), side * float(rng.uniform(inner + 0.4, outer - 0.35))
            standing = rng.random() < 0.2
            speed = 0.0 if standing else float(np.clip(rng.normal(1.4, 0.3), 0.7, 2.4))
            direction = int(rng.choice([-1, 1]))
            for companion in range(1 + (rng.random() < 0.3)):
                path = Path.along(
                    traffic.times,
                    s,
                    d - side * 0.65 * companion,
                    speed,
                    0.0,
                    direction,
                    float(rng.uniform(0, 0.08)),
                    float(rng.uniform(0, 6)),
                )
                traffic.person(path, speed)
    for _ in range(rng.poisson(0.9)):
        direction, speed = int(rng.choice([-1, 1])), float(rng.uniform(1.2, 2.2))
        start = float(rng.uniform(-layout.kerb(-1), layout.kerb(1)))
        traffic.person(
            Path.across(traffic.times, float(rng.uniform(9, 40)), start, speed, 0.0, direction),
            speed,
        )
    if rng.random() < 0.15:
        direction, speed = int(rng.choice([-1, 1])), float(rng.uniform(2.5, 4.5))
        traffic.two_wheeler(
            Path.across(
                traffic.times,
                float(rng.uniform(12, 35)),
                -direction * float(rng.uniform(0, 6)),
                speed,
                0.0,
                direction,
            ),
            False,
            True,
        )
