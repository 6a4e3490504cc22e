"""One sequence of the synthetic street: builds the world, drives through it, returns arrays."""

import zlib
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mmforecast.utils.checks import check_integer, check_positive

from .camera import Camera, CameraPose
from .camera_variation import CameraVariation
from .greenery import paint_backdrop
from .ground import Ground, paint_ground
from .light import Sensor, sample_light
from .motion import Path
from .population import ego_path, populate
from .renderer import Buffers, draw_backdrop, draw_faces, draw_ground, multiply_shadows
from .road import sample_center_line, sample_layout
from .scene import FaceTable, Scene
from .scenery import Scenery
from .traffic import Traffic
from .true_flow import true_flow

__all__ = ['FPS', 'SequenceRenderer', 'generate_sequence']

FPS = 17
_MAX_SIDE = 2048


def check_size(height: int, width: int):
    """Refuse sizes other than 2:1 between 32x64 and 1024x2048."""
    if width != 2 * height or not 32 <= height <= _MAX_SIDE // 2:
        raise ValueError(
            f'size must be H x 2H with H from 32 to 1024 (for example 128x256), got {height}x{width}'
        )


@dataclass
class _World:
    scene: Scene
    ground: Ground
    backdrop: tuple
    sensor: Sensor
    camera_poses: list[CameraPose]


class SequenceRenderer:
    """The world of one sequence, and its pictures frame by frame.

    Args:
        seed, split, index: Name the sequence; the same three always give the same bytes.
        height, width: 2:1, up to 1024 x 2048.
        num_frames: length; the world is drawn anew for another length.
        vary_camera: Whether the sequence has a camera of its own, see ``CameraVariation``.
    """

    def __init__(
        self,
        seed: int,
        split: str,
        index: int,
        height: int,
        width: int,
        num_frames: int = 30,
        vary_camera: bool = False,
    ):
        check_size(height, width)
        check_positive('SequenceRenderer', num_frames=num_frames)
        check_integer('SequenceRenderer', 0, seed=seed, index=index)
        name = [seed, zlib.crc32(split.encode()), index]
        self._camera_rng = np.random.default_rng([*name, 1])  # a stream of its own: the world stays the same
        self._variation = CameraVariation.sample(self._camera_rng) if vary_camera else None
        self.camera = Camera.for_size(height, width)
        if self._variation is not None:
            self.camera = self._variation.camera(self.camera)
        self.num_frames = num_frames
        # One frame more than asked for, so that the last frame has a flow too.
        self._times = np.arange(num_frames + 1) / FPS
        # Small pictures are drawn twice as large and smoothed; labels take every second pixel,
        # unsmoothed.
        self._factor = 2 if height <= 512 else 1
        self._world = self._build(np.random.default_rng(name))
        self._faces: FaceTable = self._world.scene.faces
        self._shadows: FaceTable = self._world.scene.shadows
        self._parts = self._world.scene.poses
        self.labels_of, self.instances_of, self._part_of = self._world.scene.lookup()

    def _build(self, rng: np.random.Generator) -> _World:
        height, width = self.camera.height, self.camera.width
        detail = np.clip(height * self._factor / 256, 0.5, 4)
        texels = 40 * detail
        # Separate streams, so that a picture's size or noise never changes where things are.
        layout_rng, object_rng, sensor_rng, paint_rng = rng.spawn(4)
        scene = Scene(len(self._times))
        light = sample_light(layout_rng)
        line = sample_center_line(layout_rng)
        layout = sample_layout(layout_rng, line)
        ego = ego_path(layout_rng, self._times, line, layout)
        Scenery(object_rng.spawn(1)[0], scene, line, layout, light, texels).build()
        traffic = Traffic(object_rng, scene, line, layout, light, self._times, ego, texels)
        populate(traffic)
        ground = paint_ground(paint_rng, line, layout, float(np.clip(12 * detail, 8, 30)))
        backdrop = paint_backdrop(paint_rng, light, float(min(self.camera.focal, 800)))
        sensor = Sensor(sensor_rng, light, height, width)
        poses = _camera_poses(layout_rng, self._times, line, ego)
        if self._variation is not None:
            poses = self._variation.poses(poses, self._times, self._camera_rng)
        return _World(scene, ground, backdrop, sensor, poses)

    @property
    def tracks(self):
        """The objects' `Track`s, without pixel counts."""
        poses = self._world.camera_poses[: self.num_frames]
        eye = np.array([[pose.x, pose.z] for pose in poses])
        tracks = []
        for track in self._world.scene.tracks:
            positions = track.positions[: self.num_frames]
            distances = np.linalg.norm(positions - eye, axis=1)
            tracks.append(
                replace(
                    track,
                    positions=positions,
                    headings=track.headings[: self.num_frames],
                    distances=distances,
                )
            )
        return tracks

    def camera_pose(self, frame: int) -> CameraPose:
        return self._world.camera_poses[frame]

    def render(self, frame: int):
        """One frame.

        Returns:
            tuple: RGB (H, W, 3) uint8; surface indices (H, W) uint16, to look up in ``labels_of``
            and ``instances_of``; inverse depth (H, W) float32 in 1/m, 0 at the sky.
        """
        world, pose, time = self._world, self._world.camera_poses[frame], float(self._times[frame])
        camera = self.camera.supersampled(self._factor)
        buffers = Buffers.empty(camera)
        parts = self._parts[:, frame]
        draw_backdrop(buffers, camera, pose, *world.backdrop)
        draw_ground(buffers, camera, pose, world.ground)
        multiply_shadows(buffers, camera, pose, self._shadows, parts)
        draw_faces(buffers, camera, pose, self._faces, parts, time)
        color, surface, inverse_depth = buffers.color, buffers.surface, buffers.inverse_depth
        if self._factor == 2:
            color = cv2.GaussianBlur(color, (3, 3), 0)[::2, ::2]
            surface, inverse_depth = surface[::2, ::2], inverse_depth[::2, ::2]
        rgb = world.sensor.expose(np.ascontiguousarray(color[..., :3]), inverse_depth, frame, time)
        return rgb, np.ascontiguousarray(surface), np.ascontiguousarray(inverse_depth)

    def flow(self, frame: int, surface: np.ndarray, inverse_depth: np.ndarray) -> np.ndarray:
        """True forward flow (H, W, 2) in pixels (right, down) to the next frame.

        Objects move as rigid bodies; the swing of walking legs is not in it. The sky moves with
        the camera's rotation. NaN where the point has gone behind the camera.
        """
        now, then = self._world.camera_poses[frame], self._world.camera_poses[frame + 1]
        return true_flow(
            self.camera,
            now,
            then,
            inverse_depth,
            self._part_of[surface],
            self._parts[:, frame],
            self._parts[:, frame + 1],
        )


def _camera_poses(rng: np.random.Generator, times: np.ndarray, line, ego: Path) -> list[CameraPose]:
    """The camera on the car: a steady mount on springs."""
    height, pitch = float(rng.uniform(1.16, 1.26)), float(rng.normal(0.004, 0.004))
    bounce, frequency, phase = (
        float(rng.uniform(0.0002, 0.0012)),
        float(rng.uniform(6, 10)),
        float(rng.uniform(0, 6)),
    )
    places = line.place(ego.s, ego.d)
    headings = line.heading_at(ego.s) + ego.heading
    pitches = pitch + bounce * np.sin(phase + frequency * times)
    return [
        CameraPose(float(x), float(z), height, float(yaw), float(tilt))
        for (x, z), yaw, tilt in zip(places, headings, pitches)
    ]


def generate_sequence(
    seed: int,
    split: str,
    index: int,
    height: int,
    width: int,
    num_frames: int = 30,
    depth: bool = False,
    flow: bool = False,
    vary_camera: bool = False,
) -> dict:
    """Render one sequence.

    Args:
        seed, split, index: Name the sequence; the same three always give the same bytes.
        height, width: 2:1, from 32x64 to 1024x2048.
        num_frames: Frames at 17 per second.
        depth, flow: Also return true depth and flow.
        vary_camera: See ``SequenceRenderer``.

    Returns:
        dict: ``frames`` (T, H, W, 3) uint8 RGB; ``label_ids`` (T, H, W) uint8 Cityscapes labelIds;
        ``instance_ids`` (T, H, W) uint16 as Cityscapes' instanceIds; ``tracks`` list of `Track`;
        ``camera`` and ``camera_poses``; on request ``depth`` (T, H, W) float32 meters along the
        optical axis (inf at the sky) and ``flow`` (T, H, W, 2) float32 pixels to the next frame.
    """
    renderer = SequenceRenderer(seed, split, index, height, width, num_frames, vary_camera)
    out = {key: [] for key in ('frames', 'label_ids', 'instance_ids', 'depth', 'flow')}
    for frame in range(num_frames):
        rgb, surface, inverse_depth = renderer.render(frame)
        out['frames'].append(rgb)
        out['label_ids'].append(renderer.labels_of[surface])
        out['instance_ids'].append(renderer.instances_of[surface])
        if depth:
            with np.errstate(divide='ignore'):
                out['depth'].append(1 / inverse_depth)
        if flow:
            out['flow'].append(renderer.flow(frame, surface, inverse_depth))
    result = {key: np.stack(value) for key, value in out.items() if value}
    counts = np.stack([np.bincount(ids.ravel(), minlength=65536) for ids in result['instance_ids']])
    result['tracks'] = [replace(track, pixels=counts[:, track.instance_id]) for track in renderer.tracks]
    result['camera'] = renderer.camera
    result['camera_poses'] = [renderer.camera_pose(frame) for frame in range(num_frames)]
    return result
