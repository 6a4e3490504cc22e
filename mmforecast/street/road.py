"""The road: a curved center line, and the cross section of lanes, parking, pavement and gardens
along it.

Places along the road are (s, d): s meters along the center line from the camera's start, d meters
to the right of it. Traffic keeps to the right.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ['CenterLine', 'CrossStreet', 'RoadLayout', 'sample_center_line', 'sample_layout']

S_RANGE = (-16.0, 170.0)


class CenterLine:
    """A plane curve given by its curvature (1/m, positive to the right), starting at the origin
    heading +z."""

    def __init__(self, s: np.ndarray, curvature: np.ndarray):
        self.s, self.curvature = s, curvature
        step = np.diff(s, prepend=s[0])
        self.heading = np.cumsum(curvature * step)
        self.heading -= np.interp(0.0, s, self.heading)
        self.x = np.cumsum(np.sin(self.heading) * step)
        self.z = np.cumsum(np.cos(self.heading) * step)
        self.x -= np.interp(0.0, s, self.x)
        self.z -= np.interp(0.0, s, self.z)

    def heading_at(self, s):
        return np.interp(s, self.s, self.heading)

    def curvature_at(self, s):
        return np.interp(s, self.s, self.curvature)

    def place(self, s, d) -> np.ndarray:
        """World (x, z) of road places; broadcasts, result (..., 2). Straight on beyond both
        ends."""
        s, d = np.broadcast_arrays(np.asarray(s, float), np.asarray(d, float))
        inside = np.clip(s, self.s[0], self.s[-1])
        heading, beyond = self.heading_at(inside), s - inside
        x = np.interp(inside, self.s, self.x) + beyond * np.sin(heading) + d * np.cos(heading)
        z = np.interp(inside, self.s, self.z) + beyond * np.cos(heading) - d * np.sin(heading)
        return np.stack([x, z], -1)


@dataclass(frozen=True)
class CrossStreet:
    """A street that crosses at ``s``, ``width`` meters wide between its kerbs."""

    s: float
    width: float
    pavement: float = 2.5

    def covers(self, s0: float, s1: float) -> bool:
        """Whether the stretch [s0, s1] of the main street meets the crossing street or its
        pavements."""
        reach = self.width / 2 + self.pavement
        return s0 < self.s + reach and s1 > self.s - reach


@dataclass(frozen=True)
class RoadLayout:
    """Widths in meters of what lies beside the center line, the same on both sides but for
    parking."""

    lanes: int
    lane_width: float
    median: str  # 'line', 'grass' or 'tram'
    median_width: float
    cycle_lane: float
    parking: tuple[float, float]  # left, right
    verge: float
    pavement: float
    garden: float
    crossings: tuple[CrossStreet, ...] = ()

    def lane_center(self, direction: int, lane: int) -> float:
        """d of a lane: direction +1 goes our way (right half), -1 comes towards us; lane 0 is
        innermost."""
        return direction * (self.median_width / 2 + (lane + 0.5) * self.lane_width)

    def lanes_edge(self) -> float:
        """|d| of the outer edge of the driving lanes."""
        return self.median_width / 2 + self.lanes * self.lane_width

    def kerb(self, side: int) -> float:
        """|d| of the kerb on a side (+1 right, -1 left)."""
        return self.lanes_edge() + self.cycle_lane + self.parking[side > 0]

    def parking_center(self, side: int) -> float:
        return side * (self.kerb(side) - self.parking[side > 0] / 2)

    def pavement_range(self, side: int) -> tuple[float, float]:
        """|d| of the inner and outer edge of the pavement."""
        inner = self.kerb(side) + self.verge
        return inner, inner + self.pavement

    def building_line(self, side: int) -> float:
        """|d| of the front walls."""
        return self.pavement_range(side)[1] + self.garden

    def clear_of_crossings(self, s0: float, s1: float) -> bool:
        return not any(street.covers(s0, s1) for street in self.crossings)


def sample_center_line(rng: np.random.Generator) -> CenterLine:
    """Straight on, a wide bend, or a turn of up to a right angle with eased entry and exit."""
    s = np.arange(S_RANGE[0], S_RANGE[1] + 0.5, 0.5)
    curvature = np.full(len(s), rng.normal(0, 0.0006))
    kind = rng.choice(['straight', 'bend', 'turn'], p=[0.38, 0.37, 0.25])
    if kind != 'straight':
        radius = rng.uniform(80, 250) if kind == 'bend' else rng.uniform(24, 55)
        angle = rng.uniform(0.2, 0.8) if kind == 'bend' else rng.uniform(0.7, 1.5)
        start = rng.uniform(-40, 30) if kind == 'bend' else rng.uniform(-12, 25)
        length = angle * radius
        ease = min(12.0, length / 3)
        ramp = np.clip(np.minimum((s - start) / ease, (start + length + ease - s) / ease), 0, 1)
        curvature += rng.choice([-1, 1]) * ramp / radius
    return CenterLine(s, curvature)


def sample_layout(rng: np.random.Generator, line: CenterLine) -> RoadLayout:
    """A residential street, a town street, an avenue or a tramway street, perhaps with
    crossings."""
    kind = rng.choice(['residential', 'town', 'avenue', 'tramway'], p=[0.28, 0.31, 0.2, 0.21])
    median = {'avenue': 'grass', 'tramway': 'tram'}.get(kind, 'line')
    parking = tuple(2.2 if rng.random() < 0.75 else 0.0 for _ in range(2))
    return RoadLayout(
        lanes=1 if kind in ('residential', 'tramway') else int(rng.integers(1, 3)),
        lane_width=float(rng.uniform(2.9, 3.5)),
        median=median,
        median_width={'line': 0.0, 'grass': float(rng.uniform(1.5, 4.0)), 'tram': 6.2}[median],
        cycle_lane=float(rng.uniform(1.2, 1.7)) if rng.random() < 0.45 else 0.0,
        parking=parking,
        verge=float(rng.uniform(0.8, 2.0)) if rng.random() < 0.4 else 0.0,
        pavement=float(rng.uniform(2.0, 4.5)),
        garden=float(rng.uniform(2.0, 6.0)) if kind == 'residential' or rng.random() < 0.3 else 0.0,
        crossings=_sample_crossings(rng, line),
    )


def _sample_crossings(rng: np.random.Generator, line: CenterLine) -> tuple[CrossStreet, ...]:
    """Up to two crossing streets where the road is nearly straight, at least 40 m apart."""
    streets = []
    for s in (rng.uniform(12, 50), rng.uniform(65, 110)):
        nearby = np.abs(line.curvature_at(np.linspace(s - 15, s + 15, 7))).max()
        if rng.random() < 0.6 and nearby < 0.005:
            streets.append(CrossStreet(float(s), float(rng.uniform(6, 9))))
    return tuple(streets)
