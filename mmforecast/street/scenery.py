"""Scenery along the road: houses, gardens, trees, lamp posts, signs and lights."""

import numpy as np

from .buildings import ROOF_RISE, ROOF_RUN, paint_front, paint_gable, paint_roof, sample_house
from .furniture import add_lamp_post, add_sign, add_traffic_light, paint_fence, paint_wall
from .greenery import paint_crown, paint_hedge, paint_trunk, sample_green
from .labels import label_id
from .light import Light
from .road import S_RANGE, CenterLine, RoadLayout
from .scene import Scene

__all__ = ['Scenery']

_BUILDING, _VEGETATION = label_id('building'), label_id('vegetation')
_FENCE, _WALL = label_id('fence'), label_id('wall')
_END = 145.0


class Scenery:
    """Places still things into a scene.

    Args:
        texels: Texels per meter of small things; houses take a quarter of it.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        scene: Scene,
        line: CenterLine,
        layout: RoadLayout,
        light: Light,
        texels: float,
    ):
        self.rng, self.scene, self.line, self.layout, self.light = rng, scene, line, layout, light
        self.texels = texels

    def build(self):
        for side in (-1, 1):
            self._plots(side)
            self._street_trees(side)
            self._posts(side)
        for street in self.layout.crossings:
            self._crossing_lights(street)
        if self.layout.median == 'grass':
            self._median()

    def _across(self, s: float) -> np.ndarray:
        """Unit vector (x, z) to the right of the road at s."""
        heading = self.line.heading_at(s)
        return np.array([np.cos(heading), -np.sin(heading)])

    def _wall(self, s0, s1, d, bottom, top, texture, label):
        """An upright face along the road at offset d, facing the road."""
        ends = (s1, s0) if d > 0 else (s0, s1)
        left, right = (self.line.place(s, d) for s in ends)
        self.scene.add_wall(left, right, bottom, top, texture, label)

    def _plots(self, side: int):
        """Line up plots along one side: houses, parks behind a hedge, walled yards."""
        rng, layout = self.rng, self.layout
        detached = layout.garden > 0
        s, was_open = S_RANGE[0], True
        while s < _END:
            width = float(rng.uniform(8, 13) if detached else rng.uniform(9, 19))
            street = next((c for c in layout.crossings if c.covers(s, s + width)), None)
            if street:
                clear = street.s - street.width / 2 - street.pavement
                if clear - s > 5:
                    width = clear - s
                else:
                    s, was_open = street.s + street.width / 2 + street.pavement + 0.01, True
                    continue
            kind = rng.choice(['house', 'park', 'yard'], p=[0.82, 0.12, 0.06])
            if kind == 'house':
                self._house(side, s, s + width, detached, was_open)
            else:
                self._open_plot(side, s, s + width, kind)
            if layout.garden > 1:
                self._boundary(side, s, s + width)
            gap = float(rng.uniform(1.5, 5)) if detached else 0.0
            was_open = kind != 'house' or gap > 0
            s += width + gap

    def _house(self, side, s0, s1, detached, open_before):
        rng, line, scene = self.rng, self.line, self.scene
        house = sample_house(rng, detached)
        front_d = self.layout.building_line(side)
        heading = float(line.heading_at((s0 + s1) / 2))
        corners = line.place([s0, s1], side * front_d)
        width = float(np.hypot(*(corners[1] - corners[0])))
        gain = self.light.gain(heading - side * np.pi / 2)
        texels = self.texels / 4
        self._wall(
            s0,
            s1,
            side * front_d,
            0,
            house.height,
            paint_front(rng, house, width, texels).texture(gain),
            _BUILDING,
        )
        depth = float(rng.uniform(9, 12)) if detached else 22.0
        if open_before or house.pitched_roof or rng.random() < 0.3:
            gable = paint_gable(rng, house, depth, texels)
            near = line.place(s0, [side * front_d, side * (front_d + depth)])
            if side < 0:
                near, gable.image = near[::-1], np.ascontiguousarray(gable.image[:, ::-1])
            scene.add_wall(
                *near,
                0,
                gable.meters[1],
                gable.texture(self.light.gain(heading + np.pi)),
                _BUILDING,
            )
        if house.pitched_roof:
            self._roof(side, s0, s1, front_d, house, width, heading, texels)

    def _roof(self, side, s0, s1, front_d, house, width, heading, texels):
        run, rise = ROOF_RUN, ROOF_RISE
        texture = paint_roof(self.rng, house, width, float(np.hypot(run, rise)), texels).texture(
            self.light.gain(heading - side * np.pi / 2, 0.75)
        )
        ends = (s1, s0) if side > 0 else (s0, s1)
        ridge = [self.line.place(s, side * (front_d + run)) for s in ends]
        eaves = self.line.place(ends[0], side * (front_d - 0.3))
        corners = [(x, -house.height - rise, z) for x, z in ridge] + [(eaves[0], -house.height, eaves[1])]
        self.scene.add_face(corners, texture, _BUILDING)

    def _open_plot(self, side, s0, s1, kind):
        """A park with trees behind a hedge, or a yard behind a wall or fence."""
        rng, front = self.rng, self.layout.building_line(side)
        heading = float(self.line.heading_at((s0 + s1) / 2))
        gain = self.light.gain(heading - side * np.pi / 2)
        width = s1 - s0
        if kind == 'park':
            texture = paint_hedge(rng, width, 7.5, self.texels / 3, gain * 0.8)
            self._wall(s0, s1, side * (front + 9), 0, 7.5, texture, _VEGETATION)
        else:
            height = float(rng.uniform(2.0, 2.8))
            paint, label = (paint_wall, _WALL) if rng.random() < 0.6 else (paint_fence, _FENCE)
            self._wall(
                s0,
                s1,
                side * front,
                0,
                height,
                paint(rng, width, height, self.texels / 2, gain),
                label,
            )
        for s in np.arange(s0 + 1.5, s1 - 1, 4.0):
            self._tree(s, side * (front + rng.uniform(2, 7)), float(rng.uniform(6, 10)))

    def _boundary(self, side, s0, s1):
        """Hedge, fence, wall or nothing between pavement and garden."""
        rng = self.rng
        kind = rng.choice(['hedge', 'fence', 'wall', 'none'], p=[0.3, 0.34, 0.2, 0.16])
        if kind == 'none':
            return
        d = side * (self.layout.pavement_range(side)[1] + 0.1)
        gain = self.light.gain(float(self.line.heading_at(s0)) - side * np.pi / 2)
        paint, label, low, high = {
            'hedge': (paint_hedge, _VEGETATION, 1.0, 2.0),
            'fence': (paint_fence, _FENCE, 1.0, 1.7),
            'wall': (paint_wall, _WALL, 0.7, 1.8),
        }[kind]
        height = float(rng.uniform(low, high))
        self._wall(s0, s1, d, 0, height, paint(rng, s1 - s0, height, self.texels / 2, gain), label)

    def _tree(self, s: float, d: float, height: float):
        rng, across = self.rng, self._across(s)
        ground = self.line.place(s, d)
        gain = self.light.gain(float(self.line.heading_at(s)) + np.pi, 0.3)
        width, clear = height * rng.uniform(0.55, 0.8), height * rng.uniform(0.22, 0.34)
        girth = 0.035 * height + 0.06
        trunk = paint_trunk(rng, girth, clear + 0.6, self.texels / 2, gain)
        crown = paint_crown(rng, sample_green(rng), width, height - clear, self.texels / 3, gain)
        for size, bottom, top, texture in (
            (girth, 0, clear + 0.6, trunk),
            (width, clear, height, crown),
        ):
            half = across * size / 2
            self.scene.add_wall(
                ground - half, ground + half, bottom, top, texture, _VEGETATION, two_sided=True
            )

    def _street_trees(self, side: int):
        rng, layout = self.rng, self.layout
        if rng.random() > (0.75 if layout.verge else 0.45):
            return
        spacing, d = (
            float(rng.uniform(8, 16)),
            layout.kerb(side) + (layout.verge / 2 if layout.verge else 0.8),
        )
        for s in np.arange(S_RANGE[0] + rng.uniform(0, spacing), 120, spacing):
            if layout.clear_of_crossings(s - 2, s + 2) and rng.random() < 0.85:
                self._tree(float(s), side * d, float(rng.uniform(5.0, 9.0)))

    def _posts(self, side: int):
        """Lamp posts at an even spacing, signs where they fall."""
        rng, layout = self.rng, self.layout
        d = side * (layout.kerb(side) + 0.45)
        spacing = float(rng.uniform(18, 30))
        height = float(rng.uniform(5.5, 8.5))
        for s in np.arange(S_RANGE[0] + rng.uniform(0, spacing), 120, spacing):
            gain = self.light.gain(float(self.line.heading_at(s)) + np.pi)
            add_lamp_post(
                self.scene,
                self.line.place(s, d),
                self._across(s),
                -side,
                height,
                self.texels / 2,
                gain,
            )
        for s in np.sort(rng.uniform(5, 110, rng.integers(2, 6))):
            gain = self.light.gain(float(self.line.heading_at(s)) + np.pi)
            add_sign(rng, self.scene, self.line.place(s, d), self._across(s), self.texels, gain)

    def _crossing_lights(self, street):
        """Signals before the crossing on our side, behind it on the other."""
        rng = self.rng
        if rng.random() < 0.25:
            return
        green = bool(rng.random() < 0.7)
        reach = street.width / 2 + 3.8
        for side, s in (
            (1, street.s - reach),
            (-1, street.s - reach),
            (1, street.s + reach),
            (-1, street.s + reach),
        ):
            ground = self.line.place(s, side * (self.layout.kerb(side) + 0.4))
            gain = self.light.gain(float(self.line.heading_at(s)) + np.pi)
            add_traffic_light(rng, self.scene, ground, self._across(s), self.texels, gain, green)

    def _median(self):
        """Trees or low hedges on the strip between the carriageways."""
        rng = self.rng
        hedge = rng.random() < 0.5
        for s in np.arange(0, 120, 9.0):
            if not self.layout.clear_of_crossings(s - 1, s + 9):
                continue
            if not hedge:
                self._tree(float(s), 0.0, float(rng.uniform(4.5, 7)))
            elif self.layout.median_width > 2:
                texture = paint_hedge(rng, 7.0, 0.8, self.texels / 2, 0.95)
                left, right = self.line.place(s, 0.4), self.line.place(s + 7, 0.4)
                self.scene.add_wall(left, right, 0, 0.8, texture, _VEGETATION, two_sided=True)
