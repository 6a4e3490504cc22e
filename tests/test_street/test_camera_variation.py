"""Cameras that rock, turn and differ from sequence to sequence."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmforecast.street import SequenceRenderer
from mmforecast.street.camera import Camera, CameraPose
from mmforecast.street.camera_variation import CameraVariation
from mmforecast.street.renderer import Buffers, draw_ground


def test_world_stays_the_same_without_variation():
    plain = SequenceRenderer(0, 'val', 3, 64, 128).render(5)[0]
    again = SequenceRenderer(0, 'val', 3, 64, 128, vary_camera=False).render(5)[0]
    varied = SequenceRenderer(0, 'val', 3, 64, 128, vary_camera=True).render(5)[0]
    assert np.array_equal(plain, again) and not np.array_equal(plain, varied)


def test_roll_turns_the_frame_about_its_center():
    pose = CameraPose(1.0, -2.0, 1.3, 0.7, 0.05)
    points = np.array([[2.0, -1.0, 9.0], [4.0, 0.0, 20.0]])
    angle = 0.03
    level = pose.to_camera(points)
    rolled = replace(pose, roll=angle).to_camera(points)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    assert rolled == pytest.approx(level @ turn.T)


def test_rolled_ground_has_the_depth_of_the_plane():
    renderer = SequenceRenderer(0, 'val', 0, 64, 128)
    camera, pose = Camera.for_size(64, 128), CameraPose(0, 0, 1.2, 0.2, 0.02, roll=0.05)
    buffers = Buffers.empty(camera)
    draw_ground(buffers, camera, pose, renderer._world.ground)
    seen = buffers.inverse_depth > 0
    points = pose.to_world(camera.rays() / np.where(seen, buffers.inverse_depth, 1)[..., None])
    assert seen.any() and points[seen][:, 1] == pytest.approx(0, abs=1e-3)


def test_true_flow_of_a_rocking_camera_fits_its_frames():
    renderer = SequenceRenderer(5, 'train', 2, 128, 256, num_frames=4, vary_camera=True)
    pose = replace(renderer.camera_pose(1), pitch=renderer.camera_pose(1).pitch + 0.01, roll=0.02)
    renderer._world.camera_poses[1] = pose
    (first, surface, near), (second, _, _) = renderer.render(0), renderer.render(1)
    flow = renderer.flow(0, surface, near)
    x, y = np.meshgrid(np.arange(256, dtype=np.float32), np.arange(128, dtype=np.float32))
    carried = cv2.remap(second, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
    inside = (
        (x + flow[..., 0] > 0) & (x + flow[..., 0] < 255) & (y + flow[..., 1] > 0) & (y + flow[..., 1] < 127)
    )
    error = np.abs(carried.astype(float) - first)[inside].mean()
    unmoved = np.abs(second.astype(float) - first)[inside].mean()
    assert error < 0.5 * unmoved


def test_rocking_has_no_memory_but_steering_has():
    times = np.arange(400) / 17
    standard = [CameraPose(0, 0, 1.2, 0.0)] * len(times)
    camera = CameraVariation(0.8, 1.4, 0.0, pitch_noise=0.005, roll_noise=0.003, yaw_noise=0.05)
    poses = camera.poses(standard, times, np.random.default_rng(0))

    def memory(values):
        """Correlation of the change over 4 frames with that of the 4 frames before."""
        change = np.diff(np.asarray(values)[::4])
        return np.corrcoef(change[1:], change[:-1])[0, 1]

    assert np.std([pose.pitch for pose in poses]) == pytest.approx(0.005, rel=0.25)
    assert memory([pose.pitch for pose in poses]) < 0
    assert memory([pose.roll for pose in poses]) < 0
    assert memory([pose.yaw for pose in poses]) > 0.8
