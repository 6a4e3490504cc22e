"""The synthetic street's camera, renderer and flow against hand values."""

import numpy as np
import pytest

from mmforecast.street.camera import Camera, CameraPose, heading_rotation
from mmforecast.street.ground import Ground
from mmforecast.street.motion import Bookings, Path, traveled
from mmforecast.street.renderer import Buffers, draw_faces, draw_ground
from mmforecast.street.road import CenterLine
from mmforecast.street.scene import Scene
from mmforecast.street.textures import Canvas
from mmforecast.street.true_flow import true_flow

CAR, BUILDING = 26, 11
WORLD = np.zeros((1, 3))


@pytest.fixture
def camera():
    return Camera.for_size(128, 256)


def texture(color=(200, 100, 50)):
    return Canvas(1.0, 1.0, 16, color).texture()


def draw(camera, scene, pose=None, frame=0):
    buffers = Buffers.empty(camera)
    pose = pose or CameraPose(0.0, 0.0, 1.2, 0.0)
    draw_faces(buffers, camera, pose, scene.faces, scene.poses[:, frame], 0.0)
    return buffers


def test_ground_point_lands_at_row_cy_plus_f_h_over_z(camera):
    pose = CameraPose(3.0, 7.0, 1.2, 0.3)
    for depth in (4.0, 10.0, 50.0):
        ahead = np.array([3.0 + depth * np.sin(0.3), 0.0, 7.0 + depth * np.cos(0.3)])
        (u, v), z = camera.project(pose.to_camera(ahead))
        assert z == pytest.approx(depth)
        assert u == pytest.approx(camera.cx)
        assert v == pytest.approx(camera.cy + camera.focal * 1.2 / depth)


def test_signs_of_yaw_and_pitch(camera):
    point = np.array([0.0, -1.2, 20.0])
    (u, _), _ = camera.project(CameraPose(0, 0, 1.2, 0.1).to_camera(point))
    assert u < camera.cx  # looking to the right moves things to the left
    (_, v), _ = camera.project(CameraPose(0, 0, 1.2, 0.0, pitch=0.1).to_camera(point))
    assert v < camera.cy  # looking down moves things up


def test_to_world_inverts_to_camera():
    pose = CameraPose(1.0, -2.0, 1.3, 0.7, 0.05)
    points = np.random.default_rng(0).normal(size=(10, 3))
    np.testing.assert_allclose(pose.to_world(pose.to_camera(points)), points, atol=1e-12)


def test_focal_length_is_that_of_cityscapes_and_scales_with_the_size():
    assert Camera.for_size(1024, 2048).focal == pytest.approx(2262)
    assert Camera.for_size(128, 256).focal == pytest.approx(2262 / 8)
    fine, coarse = Camera.for_size(64, 128).supersampled(2), Camera.for_size(64, 128)
    point = np.array([1.0, 0.5, 9.0])
    np.testing.assert_allclose(fine.project(point)[0], 2 * coarse.project(point)[0])


def test_depth_of_the_ground_is_f_h_over_row(camera):
    ground = Ground((-30, 30), (-5, 100), 4)
    ground.colors[:] = 90
    buffers = Buffers.empty(camera)
    draw_ground(buffers, camera, CameraPose(0, 0, 1.2, 0.2), ground)
    rows = np.arange(70, 128)
    expected = camera.focal * 1.2 / (rows - camera.cy)
    np.testing.assert_allclose(1 / buffers.inverse_depth[rows, 33], expected, rtol=1e-4)
    assert (buffers.inverse_depth[:63] == 0).all()
    assert (buffers.surface[70:] == 22).all()


def test_ground_picture_is_anchored_to_the_world(camera):
    ground = Ground((-30, 30), (-5, 100), 10)
    ground.fill(np.array([[1.0, 10.0], [2.0, 10.0], [2.0, 12.0], [1.0, 12.0]]), (255, 255, 255), 7)
    pose = CameraPose(0.5, 1.0, 1.2, 0.1)
    buffers = Buffers.empty(camera)
    draw_ground(buffers, camera, pose, ground)
    for x, z, inside in (
        (1.5, 11.0, True),
        (0.6, 11.0, False),
        (1.5, 9.2, False),
        (1.5, 13.2, False),
    ):
        (u, v), _ = camera.project(pose.to_camera(np.array([x, 0.0, z])))
        assert (buffers.surface[round(v), round(u)] == 7) == inside


def test_front_face_covers_its_projection_exactly(camera):
    scene = Scene(1)
    scene.add_wall((-1.0, 10.0), (1.0, 10.0), 0.0, 1.0, texture(), BUILDING)
    covered = draw(camera, scene).surface == BUILDING
    half = camera.focal * 1.0 / 10
    u, v = np.meshgrid(np.arange(256), np.arange(128))
    expected = (
        (np.abs(u - camera.cx) < half)
        & (v > camera.cy + camera.focal * 0.2 / 10)
        & (v < camera.cy + camera.focal * 1.2 / 10)
    )
    np.testing.assert_array_equal(covered, expected)


def test_faces_behind_the_camera_and_turned_away_are_not_drawn(camera):
    scene = Scene(1)
    scene.add_wall((-1.0, -10.0), (1.0, -10.0), 0.0, 3.0, texture(), BUILDING, two_sided=True)
    scene.add_wall((1.0, 10.0), (-1.0, 10.0), 0.0, 3.0, texture(), BUILDING)
    assert (draw(camera, scene).surface == 0).all()


@pytest.mark.parametrize('side', [-1, 1])
def test_wall_passing_beside_the_camera_is_clipped_at_the_camera_plane(camera, side):
    """A wall from 5 m behind to 20 m ahead: its depth is f x / (u - cx) wherever it shows."""
    scene, x = Scene(1), side * 1.5
    ends = [(x, 20.0), (x, -5.0)][::side]
    scene.add_wall(*ends, 0.0, 3.0, texture(), BUILDING)
    buffers = draw(camera, scene)
    covered = buffers.surface == BUILDING
    u = np.arange(256) - camera.cx
    columns = side * u > camera.focal * 1.5 / 20 + 0.5
    row = 64  # just below the horizon: inside the wall at every depth
    np.testing.assert_array_equal(covered[row], side * u > camera.focal * 1.5 / 20)
    np.testing.assert_allclose(buffers.inverse_depth[row, columns], u[columns] / (camera.focal * x), rtol=1e-4)


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_the_nearer_face_hides_the_farther_in_any_order(camera, order):
    scene = Scene(1)
    for index in order:
        label, z = ((BUILDING, 20.0), (12, 8.0))[index]
        scene.add_wall((-1.0, z), (1.0, z), 0.0, 1.0, texture(), label)
    surface = draw(camera, scene).surface
    u = round(camera.cx)
    assert surface[round(camera.cy + camera.focal * 0.7 / 8), u] == 12
    assert surface[round(camera.cy + camera.focal * 0.5 / 20 - 2), u] == BUILDING


def test_intersecting_faces_split_at_their_line_of_intersection(camera):
    scene = Scene(1)
    scene.add_wall((-2.0, 8.0), (2.0, 12.0), 0.0, 2.0, texture(), BUILDING, two_sided=True)
    scene.add_wall((-2.0, 12.0), (2.0, 8.0), 0.0, 2.0, texture(), 12, two_sided=True)
    row = draw(camera, scene).surface[70]
    half = camera.focal * 1.5 / 10
    left = row[int(camera.cx - half) : int(camera.cx)]
    right = row[int(camera.cx) + 2 : int(camera.cx + half)]
    assert (left == BUILDING).all() and (right == 12).all()


def test_moving_object_is_seen_where_its_velocity_takes_it(camera):
    scene, speed, fps, depth = Scene(10), 4.0, 17, 12.0
    poses = np.zeros((10, 3))
    poses[:, 0], poses[:, 1] = -2 + speed * np.arange(10) / fps, depth
    part = scene.add_part(poses)
    surface = scene.add_surface(CAR, scene.new_instance(CAR), part)
    scene.add_wall((-0.5, 0.0), (0.5, 0.0), 0.0, 1.0, texture(), surface, part)
    centers = [np.nonzero(draw(camera, scene, frame=t).surface == surface)[1].mean() for t in (0, 9)]
    assert centers[1] - centers[0] == pytest.approx(camera.focal * speed * 9 / fps / depth, abs=0.6)


def test_an_alpha_hole_shows_what_is_behind(camera):
    scene, canvas = Scene(1), Canvas(2.0, 2.0, 32, (10, 20, 30))
    canvas.clear([(0, 0), (1.0, 0), (1.0, 2.0), (0, 2.0)])
    scene.add_wall((-1.0, 10.0), (1.0, 10.0), 0.0, 2.0, canvas.texture(), 12)
    scene.add_wall((-1.0, 15.0), (1.0, 15.0), 0.0, 2.0, texture(), BUILDING)
    row = draw(camera, scene).surface[70]
    assert row[int(camera.cx) - 8] == BUILDING and row[int(camera.cx) + 8] == 12


def test_unknown_instances_are_refused():
    with pytest.raises(ValueError, match='no instances'):
        Scene(1).new_instance(BUILDING)


def test_flow_of_the_ground_under_straight_driving(camera):
    """A ground point at depth Z comes to Z - dz: v moves by f h (1/(Z-dz) - 1/Z)."""
    rows = np.arange(128) - camera.cy
    inverse = np.where(rows > 0, rows / (camera.focal * 1.2), 0)[:, None] * np.ones((1, 256))
    step = 0.5
    flow = true_flow(
        camera,
        CameraPose(0, 0, 1.2, 0),
        CameraPose(0, step, 1.2, 0),
        inverse,
        np.zeros((128, 256), int),
        WORLD,
        WORLD,
    )
    for row in (80, 100, 127):
        depth = 1 / inverse[row, 0]
        expected = camera.focal * 1.2 * (1 / (depth - step) - 1 / depth)
        np.testing.assert_allclose(flow[row, :, 1], expected, atol=1e-4)
        u = np.arange(256) - camera.cx
        np.testing.assert_allclose(flow[row, :, 0], u * (depth / (depth - step) - 1), atol=1e-4)
    np.testing.assert_allclose(flow[:60], 0, atol=1e-4)  # the sky stays


def test_flow_of_the_sky_under_turning(camera):
    angle = 0.02
    flow = true_flow(
        camera,
        CameraPose(0, 0, 1.2, 0),
        CameraPose(0, 3, 1.2, angle),
        np.zeros((128, 256)),
        np.zeros((128, 256), int),
        WORLD,
        WORLD,
    )
    u = np.arange(256) - camera.cx
    expected = camera.focal * np.tan(np.arctan(u / camera.focal) - angle) - u
    np.testing.assert_allclose(flow[64, :, 0], expected, atol=1e-3)


def test_flow_of_a_moving_part_and_of_what_goes_behind(camera):
    inverse, part = np.full((128, 256), 1 / 10.0), np.ones((128, 256), int)
    now, then = np.array([[0, 0, 0], [0, 10.0, 0]]), np.array([[0, 0, 0], [0.3, 10.0, 0]])
    pose = CameraPose(0, 0, 1.2, 0)
    flow = true_flow(camera, pose, pose, inverse, part, now, then)
    np.testing.assert_allclose(flow[..., 0], camera.focal * 0.3 / 10, rtol=1e-5)
    near = np.full((128, 256), 1 / 0.4)
    gone = true_flow(camera, pose, CameraPose(0, 0.5, 1.2, 0), near, part * 0, now, now)
    assert np.isnan(gone).all()


def test_heading_turns_ahead_to_the_right():
    np.testing.assert_allclose(heading_rotation(np.pi / 2) @ [0, 0, 1.0], [1, 0, 0], atol=1e-12)


def test_center_line_of_constant_curvature_is_a_circle():
    s = np.arange(0, 60, 0.1)
    line = CenterLine(s, np.full(len(s), 1 / 40))
    points = line.place(s, 0.0)
    np.testing.assert_allclose(np.hypot(points[:, 0] - 40, points[:, 1]), 40, atol=0.1)
    inner = line.place(30.0, 5.0)
    assert np.hypot(inner[0] - 40, inner[1]) == pytest.approx(35, abs=0.1)


def test_distance_traveled():
    times = np.array([0.0, 1.0, 3.0])
    np.testing.assert_allclose(traveled(times, 5, 0), [0, 5, 15])
    np.testing.assert_allclose(traveled(times, 5, -2.5), [0, 3.75, 5])  # stops after 2 s and stays
    np.testing.assert_allclose(traveled(times, 10, 2.0, top_speed=12), [0, 11, 35])


def test_bookings_refuse_only_what_would_collide():
    times, bookings = np.arange(30) / 17, Bookings()
    assert bookings.book(Path.along(times, 0, 1.6, 10), 4.5, 1.8)
    assert not bookings.book(Path.along(times, 10, 1.6, 2), 4.5, 1.8)  # would be run into
    assert bookings.book(Path.along(times, 10, 1.6, 10), 4.5, 1.8)
    assert bookings.book(Path.along(times, 10, -1.6, 10, direction=-1), 4.5, 1.8)
    assert not bookings.book(Path.across(times, 16.0, -5, 3), 4.5, 1.8)
