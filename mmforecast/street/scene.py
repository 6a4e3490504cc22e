"""The scene as the renderer sees it: textured faces, the rigid parts they ride on, and who owns
each pixel."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mmforecast.utils.checks import check_shape

from .labels import LABELS
from .textures import Texture, TextureCycle

__all__ = ['FaceTable', 'Scene', 'Surface', 'Track']

# Surfaces 0..255 are stuff and equal their labelId; owners with an instance id follow.
FIRST_INSTANCE_SURFACE = 256
_HAS_INSTANCES = {label.id: label.has_instances for label in LABELS}


@dataclass(frozen=True)
class Surface:
    """What a pixel belongs to: one label, one Cityscapes instance id, one rigid part that carries
    it."""

    label: int
    instance: int
    part: int


@dataclass
class Track:
    """One object over the whole sequence (T frames).

    ``size`` is (width, height, length) in meters, ``positions`` (T, 2) the world x and z of its
    foot point, ``headings`` (T,) in radians, ``distances`` (T,) from the camera in meters and
    ``pixels`` (T,) how many pixels show it.
    """

    instance_id: int
    label_id: int
    size: tuple[float, float, float]
    positions: np.ndarray
    headings: np.ndarray
    distances: np.ndarray = None
    pixels: np.ndarray = None


@dataclass
class FaceTable:
    """Faces as arrays: ``geometry`` (N, 3, 3) holds origin (top left), right edge and down edge in
    part axes.

    ``texture_size`` (N, 2) is the width and height of the textures, 0 until a face is first seen.
    """

    geometry: np.ndarray
    part: np.ndarray
    surface: np.ndarray
    two_sided: np.ndarray
    textures: list[Texture | TextureCycle]
    texture_size: np.ndarray

    def sizes(self, index: np.ndarray) -> np.ndarray:
        """Width and height (n, 2) of the textures of some faces."""
        for face in index[self.texture_size[index, 0] == 0]:
            texture = self.textures[face].at(0.0)
            self.texture_size[face] = texture.width, texture.height
        return self.texture_size[index]


@dataclass
class Scene:
    """Collects faces. Part 0 is the world; each further part has a pose per frame."""

    num_frames: int
    surfaces: list[Surface] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    _poses: list[np.ndarray] = field(default_factory=list)
    _faces: list = field(default_factory=list)
    _shadows: list = field(default_factory=list)
    _counts: dict = field(default_factory=dict)

    def __post_init__(self):
        self._poses.append(np.zeros((self.num_frames, 3)))

    def add_part(self, poses: np.ndarray) -> int:
        """A rigid part with world (x, z, heading) per frame, (T, 3); returns its index."""
        check_shape('Scene.add_part', (self.num_frames, 3), poses=poses)
        self._poses.append(np.asarray(poses, np.float64))
        return len(self._poses) - 1

    def poses_of(self, part: int) -> np.ndarray:
        """(T, 3): world x, z and heading of one part."""
        return self._poses[part]

    def new_instance(self, label: int) -> int:
        """The next free Cityscapes instance id of a label (labelId * 1000 + k)."""
        if not _HAS_INSTANCES[label]:
            raise ValueError(f'Scene.new_instance: label {label} has no instances in Cityscapes')
        count = self._counts.get(label, 0)
        if count >= 1000:
            raise ValueError(f'Scene.new_instance: more than 1000 objects of label {label}')
        self._counts[label] = count + 1
        return label * 1000 + count

    def add_surface(self, label: int, instance: int, part: int) -> int:
        """The owner of the faces of one object part; returns the surface index."""
        self.surfaces.append(Surface(label, instance, part))
        return FIRST_INSTANCE_SURFACE + len(self.surfaces) - 1

    def add_face(
        self,
        corners: Sequence,
        texture: Texture | TextureCycle,
        surface: int,
        part: int = 0,
        two_sided: bool = False,
    ):
        """A parallelogram given by its top left, top right and bottom left corner as seen from
        outside."""
        origin, right, down = (np.asarray(corner, np.float64) for corner in corners)
        self._faces.append(
            (np.stack([origin, right - origin, down - origin]), texture, surface, part, two_sided)
        )

    def add_wall(
        self,
        left: Sequence[float],
        right: Sequence[float],
        bottom: float,
        top: float,
        texture,
        surface: int,
        part: int = 0,
        two_sided: bool = False,
    ):
        """An upright face over the ground points ``left`` and ``right`` (x, z) as seen from
        outside."""
        (xl, zl), (xr, zr) = left, right
        self.add_face([(xl, -top, zl), (xr, -top, zr), (xl, -bottom, zl)], texture, surface, part, two_sided)

    def add_shadow(self, size: tuple[float, float], texture: Texture, part: int):
        """A dark blot of (width, length) meters on the ground under a part."""
        half_width, half_length = size[0] / 2, size[1] / 2
        corners = [
            (-half_width, 0, half_length),
            (half_width, 0, half_length),
            (-half_width, 0, -half_length),
        ]
        origin, right, down = (np.asarray(corner, np.float64) for corner in corners)
        self._shadows.append((np.stack([origin, right - origin, down - origin]), texture, 0, part, True))

    @property
    def faces(self) -> FaceTable:
        return _table(self._faces)

    @property
    def shadows(self) -> FaceTable:
        return _table(self._shadows)

    @property
    def poses(self) -> np.ndarray:
        """(parts, T, 3): world x, z and heading of every part."""
        return np.stack(self._poses)

    def lookup(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Label (uint8), instance id (uint16) and part (int32) of every surface index."""
        size = FIRST_INSTANCE_SURFACE + len(self.surfaces)
        label, instance, part = (
            np.zeros(size, np.uint8),
            np.zeros(size, np.uint16),
            np.zeros(size, np.int32),
        )
        label[:256] = instance[:256] = np.arange(256)
        for index, surface in enumerate(self.surfaces, FIRST_INSTANCE_SURFACE):
            label[index], instance[index], part[index] = (
                surface.label,
                surface.instance,
                surface.part,
            )
        return label, instance, part


def _table(rows: list) -> FaceTable:
    columns = zip(*rows) if rows else [[]] * 5
    geometry, textures, surface, part, two_sided = map(list, columns)
    return FaceTable(
        np.array(geometry, np.float64).reshape(-1, 3, 3),
        np.array(part, np.int64),
        np.array(surface, np.uint16),
        np.array(two_sided, bool),
        textures,
        np.zeros((len(rows), 2), np.int64),
    )
