"""The ground: one world-anchored picture of colors and labels, painted once per sequence."""

from collections.abc import Sequence

import cv2
import numpy as np

from .labels import label_id
from .road import S_RANGE, CenterLine, RoadLayout
from .textures import fractal_noise

__all__ = ['Ground', 'paint_ground']

ROAD, PAVEMENT, TERRAIN = label_id('road'), label_id('sidewalk'), label_id('terrain')
_REACH = 34.0  # meters painted on each side of the center line
_SHIFT = 4
_PAINT = (222, 222, 214)


class Ground:
    """RGBA colors and labelIds of a rectangle of the plane y = 0.

    ``geometry`` (3, 3) holds origin (far left corner), right edge and near edge as a renderer face
    does.
    """

    def __init__(self, x_range, z_range, texels_per_metre: float):
        self.scale = texels_per_metre
        self.x0, self.z1 = x_range[0], z_range[1]
        width = round((x_range[1] - x_range[0]) * texels_per_metre)
        height = round((z_range[1] - z_range[0]) * texels_per_metre)
        self.labels = np.full((height, width), TERRAIN, np.uint8)
        self.colors = np.zeros((height, width, 4), np.uint8)
        self.geometry = np.array(
            [[self.x0, 0, self.z1], [width / self.scale, 0, 0], [0, 0, -height / self.scale]]
        )
        self._levels = []

    def _texels(self, points: np.ndarray) -> np.ndarray:
        """Fixed-point texel coordinates of world points (..., 2)."""
        texels = np.stack([points[..., 0] - self.x0, self.z1 - points[..., 1]], -1) * self.scale - 0.5
        return np.round(texels * (1 << _SHIFT)).astype(np.int32)

    def fill(self, points: np.ndarray, color: Sequence[int], label: int = None):
        """Fill a polygon of world points (N, 2), or several (M, N, 2); the label stays when none is
        given."""
        polygon = list(self._texels(points.reshape(-1, *points.shape[-2:])))
        cv2.fillPoly(self.colors, polygon, (*map(int, color), 255), cv2.LINE_8, _SHIFT)
        if label is not None:
            cv2.fillPoly(self.labels, polygon, int(label), cv2.LINE_8, _SHIFT)

    def levels(self) -> list:
        """The colors, each picture half the size of the one before it."""
        if not self._levels:
            self._levels = [self.colors]
            while min(self._levels[-1].shape[:2]) > 16 and len(self._levels) < 7:
                height, width = self._levels[-1].shape[:2]
                self._levels.append(
                    cv2.resize(self._levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
                )
        return self._levels


class _Painter:
    """Paints stretches of road given in (s, d)."""

    def __init__(self, ground: Ground, line: CenterLine):
        self.ground, self.line = ground, line

    def strip(self, s_range, d_range, color, label=None):
        """Fill s_range x d_range, following the bend."""
        steps = max(2, int((s_range[1] - s_range[0]) / 1.5) + 1)
        s = np.linspace(*s_range, steps)
        edges = [self.line.place(s, d_range[0]), self.line.place(s[::-1], d_range[1])]
        self.ground.fill(np.concatenate(edges), color, label)

    def bars(self, starts, length, d_range, color):
        """Fill many short stretches [start, start + length] of the same width."""
        s = np.asarray(starts)[:, None] + np.array([0.0, 1.0, 1.0, 0.0]) * length
        self.ground.fill(self.line.place(s, np.repeat(d_range, 2)), color)

    def dashes(self, d, width, on, off):
        self.bars(np.arange(*S_RANGE, on + off), on, (d - width / 2, d + width / 2), _PAINT)


def paint_ground(
    rng: np.random.Generator, line: CenterLine, layout: RoadLayout, texels_per_metre: float
) -> Ground:
    """Paint lanes, marks, pavements, verges, gardens and crossing streets of the whole visible
    stretch."""
    s = np.linspace(*S_RANGE, 120)
    outline = np.concatenate([line.place(s, -_REACH), line.place(s, _REACH)])
    low, high = outline.min(0), outline.max(0)
    ground = Ground((low[0], high[0]), (max(low[1], -20.0), high[1]), texels_per_metre)
    painter = _Painter(ground, line)
    grass = np.array([88, 104, 58]) * rng.uniform(0.85, 1.15) + rng.uniform(-6, 6, 3)
    ground.colors[:] = (*np.clip(grass, 0, 255).astype(int), 255)
    asphalt = _gray(rng, 82, 112)
    slabs = _gray(rng, 128, 165, warmth=8)
    _paint_cross_section(painter, layout, asphalt, slabs, tuple(grass.astype(int)))
    _paint_wear(rng, painter, layout, asphalt)
    _paint_marks(painter, layout)
    for street in layout.crossings:
        _paint_crossing(painter, layout, street, asphalt, slabs)
    _grain(rng, ground)
    return ground


def _gray(rng, low, high, warmth=3) -> tuple:
    value, tint = rng.uniform(low, high), rng.uniform(-warmth, warmth)
    return tuple(int(v) for v in (value + tint, value, value - tint))


def _paint_cross_section(painter, layout, asphalt, slabs, grass):
    for side in (-1, 1):
        kerb, (inner, outer) = layout.kerb(side), layout.pavement_range(side)
        painter.strip(S_RANGE, (0, side * kerb), asphalt, ROAD)
        if layout.parking[side > 0]:
            painter.strip(
                S_RANGE,
                (side * (kerb - layout.parking[side > 0]), side * kerb),
                tuple(int(c * 0.9) for c in asphalt),
            )
        if layout.cycle_lane:
            edge = layout.lanes_edge()
            painter.strip(S_RANGE, (side * edge, side * (edge + layout.cycle_lane)), (128, 92, 84))
        painter.strip(S_RANGE, (side * inner, side * outer), slabs, PAVEMENT)
        painter.bars(
            np.arange(*S_RANGE, 1.6),
            0.07,
            (side * inner, side * outer),
            tuple(int(c * 0.8) for c in slabs),
        )
        painter.strip(S_RANGE, (side * kerb, side * (kerb + 0.22)), (176, 174, 168), PAVEMENT)
    if layout.median == 'grass':
        half = layout.median_width / 2
        painter.strip(S_RANGE, (-half, half), (170, 168, 162), TERRAIN)
        painter.strip(S_RANGE, (0.2 - half, half - 0.2), grass, TERRAIN)
    if layout.median == 'tram':
        painter.strip(
            S_RANGE,
            (-layout.median_width / 2, layout.median_width / 2),
            tuple(int(c * 1.12) for c in asphalt),
        )
        for track in (-1.55, 1.55):
            for rail in (-0.72, 0.72):
                painter.strip(S_RANGE, (track + rail - 0.06, track + rail + 0.06), (64, 60, 60))


def _paint_wear(rng, painter, layout, asphalt):
    """Patches, tyre tracks, manholes and cracks: what optical flow holds on to."""
    edge = layout.lanes_edge()
    for direction in (-1, 1):
        for lane in range(layout.lanes):
            center = layout.lane_center(direction, lane)
            for track in (-0.75, 0.75):
                painter.strip(
                    S_RANGE,
                    (center + track - 0.22, center + track + 0.22),
                    tuple(int(c * 0.94) for c in asphalt),
                )
    for _ in range(rng.integers(14, 30)):
        s, d = rng.uniform(*S_RANGE), rng.uniform(-edge, edge)
        size, gain = rng.uniform([1.0, 0.5], [9.0, 1.6]), rng.uniform(0.72, 1.2)
        painter.strip((s, s + size[0]), (d, d + size[1]), tuple(int(min(255, c * gain)) for c in asphalt))
    for _ in range(rng.integers(10, 18)):
        s, d = rng.uniform(*S_RANGE), rng.uniform(-edge, edge)
        angle = np.linspace(0, 2 * np.pi, 12)
        painter.ground.fill(
            painter.line.place(s, d) + 0.34 * np.stack([np.cos(angle), np.sin(angle)], -1),
            (58, 56, 55),
        )
    for _ in range(rng.integers(8, 20)):
        s, d = rng.uniform(*S_RANGE), rng.uniform(-edge, edge)
        for _ in range(6):
            s1, d1 = s + rng.uniform(0.3, 1.6), d + rng.uniform(-0.8, 0.8)
            ends = painter.line.place([s, s1, s1, s], [d, d1, d1 + 0.09, d + 0.09])
            painter.ground.fill(ends, tuple(int(c * 0.6) for c in asphalt))
            s, d = s1, d1


def _paint_marks(painter, layout):
    if layout.median == 'line':
        painter.dashes(0.0, 0.14, 4.0, 4.0)
    for direction in (-1, 1):
        for lane in range(1, layout.lanes):
            painter.dashes(
                layout.lane_center(direction, lane) - direction * layout.lane_width / 2,
                0.14,
                3.0,
                5.0,
            )
        edge = direction * layout.lanes_edge()
        painter.strip(S_RANGE, (edge - 0.07, edge + 0.07), _PAINT)
        if layout.parking[direction > 0]:
            kerb = layout.kerb(direction)
            inner = direction * (kerb - layout.parking[direction > 0])
            painter.bars(np.arange(*S_RANGE, 6.0), 0.1, (inner, direction * kerb), _PAINT)


def _paint_crossing(painter, layout, street, asphalt, slabs):
    """The crossing roadway with its pavements, two zebras and the stop lines."""
    half, reach = street.width / 2, _REACH - 1
    for side in (-1, 1):
        kerb = layout.kerb(side)
        for end in (-1, 1):
            edge = street.s + end * half
            painter.strip(
                tuple(sorted((edge, edge + end * street.pavement))),
                (side * kerb, side * reach),
                slabs,
                PAVEMENT,
            )
        painter.strip((street.s - half, street.s + half), (0, side * reach), asphalt, ROAD)
        painter.strip((street.s - 0.07, street.s + 0.07), (side * (kerb + 4), side * reach), _PAINT)
    edge = layout.lanes_edge() + layout.cycle_lane
    for end in (-1, 1):
        near = street.s + end * (half + 0.6)
        s_range = tuple(sorted((near, near + end * 2.6)))
        painter.strip(s_range, (-edge, edge), asphalt)
        for d in np.arange(-edge + 0.3, edge - 0.4, 1.0):
            painter.strip(s_range, (d, d + 0.5), _PAINT)
        stop = street.s + end * (half + 4.2)
        d_range = (0.3, layout.lanes_edge()) if end < 0 else (-layout.lanes_edge(), -0.3)
        painter.strip((stop - 0.2, stop + 0.2), d_range, _PAINT)


def _grain(rng: np.random.Generator, ground: Ground):
    """Multiply all colors by tiled noise, coarser and stronger on terrain than on asphalt."""
    height, width = ground.labels.shape
    tile = 512
    noise = fractal_noise(rng, tile, tile, octaves=6)
    repeat = (-(-height // tile), -(-width // tile))
    for amount, mask in ((0.085, None), (0.10, (ground.labels == TERRAIN).view(np.uint8))):
        gain = np.clip(128 * (1 + amount * noise), 0, 255).astype(np.uint8)
        gain = np.tile(gain, repeat)[:height, :width]
        gain = cv2.merge([gain] * 4)
        grained = cv2.multiply(ground.colors, gain, scale=1 / 128)
        cv2.copyTo(grained, mask, ground.colors) if mask is not None else np.copyto(ground.colors, grained)
