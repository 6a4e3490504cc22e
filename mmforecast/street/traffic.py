"""Road users: vehicles in their lanes, parked and crossing, trams, two-wheelers and people."""

from collections.abc import Sequence

import numpy as np

from .bodies import CAR_SHAPES, TRAM_MODULE, Body, bus_bodies, sample_paint, truck_bodies
from .labels import label_id
from .light import Light
from .motion import Bookings, Path
from .people import add_cycle, add_person, add_rider, sample_clothes
from .road import CenterLine, RoadLayout
from .scene import Scene, Track
from .textures import Texture
from .vehicles import add_body

__all__ = ['Traffic']


class Traffic:
    """Adds moving and parked objects to a scene; nothing runs into anything else.

    Args:
        times: (T,) seconds of the frames.
        ego: The camera car's path, booked first.
        texels: Texels per meter.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        scene: Scene,
        line: CenterLine,
        layout: RoadLayout,
        light: Light,
        times: np.ndarray,
        ego: Path,
        texels: float,
    ):
        self.rng, self.scene, self.line, self.layout, self.light = rng, scene, line, layout, light
        self.times, self.texels = times, texels
        self.bookings = Bookings()
        self.bookings.book(ego, 4.6, 2.0)
        self._shadow = _shadow_texture(light)

    def _part(self, path: Path) -> int:
        poses = np.column_stack([self.line.place(path.s, path.d), self.line.heading_at(path.s) + path.heading])
        return self.scene.add_part(poses)

    def _object(self, label: str, part: int, size) -> int:
        """A new instance riding on a part; returns its surface."""
        instance = self.scene.new_instance(label_id(label))
        poses = self.scene.poses_of(part)
        self.scene.tracks.append(
            Track(instance, label_id(label), size, poses[:, :2].copy(), poses[:, 2].copy())
        )
        return self.scene.add_surface(label_id(label), instance, part)

    def vehicle(self, label: str, bodies: Sequence[Body], path: Path, gap: float = 2.5) -> bool:
        """Put a vehicle on a path if there is room."""
        width, height, length = _overall(bodies)
        if not self.bookings.book(path, length, width, gap):
            return False
        part = self._part(path)
        surface = self._object(label, part, (width, height, length))
        heading = self.scene.poses_of(part)[0, 2]
        for body in bodies:
            add_body(
                self.scene,
                self.light,
                body,
                surface,
                part,
                heading,
                self.texels * (1 if length < 6 else 0.6),
            )
        self.scene.add_shadow((width * 1.25, length * 1.08), self._shadow, part)
        return True

    def tram(self, path: Path, direction: int, modules: int) -> bool:
        """A tram of several rigid modules, one instance."""
        length = TRAM_MODULE.size[2]
        if not self.bookings.book(path.shifted((modules - 1) * length / 2, direction), length * modules, 2.4):
            return False
        paint = sample_paint(self.rng, vivid=True)
        body = Body(**{**TRAM_MODULE.__dict__, 'paint': paint, 'stripe': ((232, 228, 214), 2.65, 3.1)})
        instance = None
        for module in range(modules):
            part = self._part(path.shifted(module * length, direction))
            if instance is None:
                surface = self._object('train', part, (2.4, 3.4, length * modules))
                instance = self.scene.tracks[-1].instance_id
            else:
                surface = self.scene.add_surface(label_id('train'), instance, part)
            add_body(
                self.scene,
                self.light,
                body,
                surface,
                part,
                self.scene.poses_of(part)[0, 2],
                self.texels * 0.6,
            )
            self.scene.add_shadow((3.0, length * 1.05), self._shadow, part)
        return True

    def person(self, path: Path, speed: float) -> bool:
        rng = self.rng
        if not self.bookings.book(path, 0.5, 0.5, 0.15, 0.15):
            return False
        height = float(rng.normal(1.72, 0.09)) if rng.random() > 0.1 else float(rng.uniform(1.1, 1.45))
        part = self._part(path)
        surface = self._object('person', part, (0.6, height, 0.6))
        add_person(
            self.scene,
            sample_clothes(rng),
            height,
            surface,
            part,
            self.texels,
            self._flat_gain(),
            speed,
            float(rng.random()),
            path.crosswise,
        )
        self.scene.add_shadow((0.9, 0.9), self._shadow, part)
        return True

    def two_wheeler(self, path: Path, motor: bool, ridden: bool) -> bool:
        """A bicycle or motorcycle, with its rider as an instance of its own."""
        rng = self.rng
        length = 2.1 if motor else 1.75
        if not self.bookings.book(path, length, 0.7, 1.0):
            return False
        part = self._part(path)
        paint, gain = sample_paint(rng, vivid=rng.random() < 0.5), self._flat_gain()
        surface = self._object(
            'motorcycle' if motor else 'bicycle', part, (0.7 if motor else 0.5, 1.15, length)
        )
        add_cycle(self.scene, paint, motor, surface, part, self.texels, gain, path.crosswise)
        if ridden:
            surface = self._object('rider', part, (0.6, 1.85, 1.1))
            clothes = sample_clothes(rng)
            add_rider(self.scene, clothes, motor, surface, part, self.texels, gain, path.crosswise)
        self.scene.add_shadow((0.9, length), self._shadow, part)
        return True

    def _flat_gain(self) -> float:
        return 0.5 * (self.light.gain(0.0) + self.light.gain(np.pi)) * 1.05


def _overall(bodies: Sequence[Body]):
    z = np.concatenate([np.array(body.profile)[:, 0] for body in bodies])
    return (max(b.width for b in bodies), max(b.size[1] for b in bodies), float(z.max() - z.min()))


def _shadow_texture(light: Light) -> Texture:
    """A soft dark blot; white where it leaves the ground alone."""
    v, u = np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 32), indexing='ij')
    depth = np.clip((1 - np.maximum(np.abs(u), np.abs(v))) * 3, 0, 1)
    blot = 255 * (1 - (0.45 + 0.2 * light.direct) * depth)
    return Texture(np.dstack([blot, blot, blot, np.full_like(blot, 255)]).astype(np.uint8))


def sample_vehicle(rng: np.random.Generator, weights=(0.72, 0.15, 0.13)):
    """A (label, bodies) pair: car, truck or bus with these odds."""
    kind = rng.choice(['car', 'truck', 'bus'], p=weights)
    if kind == 'truck':
        return kind, truck_bodies(rng)
    if kind == 'bus':
        return kind, bus_bodies(rng)
    shape = CAR_SHAPES[rng.choice(len(CAR_SHAPES), p=[0.3, 0.2, 0.22, 0.18, 0.1])]
    return kind, [Body(**{**shape.__dict__, 'paint': sample_paint(rng)})]
