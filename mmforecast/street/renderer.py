"""The renderer: ground by homography, backdrop at infinity, textured faces through a depth buffer.

Every face is a plane, so inverse depth is an affine function of the pixel and the texture
coordinate is a homography of it; both come from one 3x3 matrix per face. Perspective, occlusion and
clipping at the camera plane are therefore exact at each pixel, and depth is a by-product.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from .camera import Camera, CameraPose, heading_rotation
from .ground import Ground
from .scene import FaceTable

__all__ = ['Buffers', 'draw_backdrop', 'draw_faces', 'draw_ground', 'multiply_shadows']

NEAR = 0.05
_WARP_LINEAR = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
_WARP_NEAREST = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP


@dataclass
class Buffers:
    """What one frame is painted into: RGBA color, inverse depth (1/m, 0 at infinity), surface
    index."""

    color: np.ndarray
    inverse_depth: np.ndarray
    surface: np.ndarray

    @classmethod
    def empty(cls, camera: Camera) -> 'Buffers':
        shape = (camera.height, camera.width)
        return cls(np.zeros((*shape, 4), np.uint8), np.zeros(shape, np.float32), np.zeros(shape, np.uint16))


def draw_backdrop(
    buffers: Buffers,
    camera: Camera,
    pose: CameraPose,
    geometry: np.ndarray,
    colors: np.ndarray,
    surface: np.ndarray,
):
    """Fill the frame with a picture of directions: ``geometry`` holds direction vectors instead of
    points."""
    to_face = np.linalg.inv(camera.matrix @ (geometry @ pose.rotation().T)[[1, 2, 0]].T)
    to_texel = _texel_matrix(to_face, np.array(surface.shape[::-1]), -0.5, np.zeros(2))
    size = (camera.width, camera.height)
    cv2.warpPerspective(colors, to_texel, size, buffers.color, _WARP_LINEAR, cv2.BORDER_REPLICATE)
    buffers.surface[:] = cv2.warpPerspective(
        surface, to_texel, size, None, _WARP_NEAREST, cv2.BORDER_REPLICATE
    )
    buffers.inverse_depth[:] = 0


def draw_ground(buffers: Buffers, camera: Camera, pose: CameraPose, ground: Ground):
    """Paint the plane y = 0 below the horizon, taking coarser copies of its picture for farther
    rows."""
    geometry = ground.geometry.copy()
    geometry[0] -= pose.position
    to_face = np.linalg.inv(camera.matrix @ (geometry @ pose.rotation().T)[[1, 2, 0]].T)
    if pose.roll:
        _draw_rolled_ground(buffers, camera, pose, ground, to_face)
        return
    # Without roll, the inverse depth of the ground depends on the row alone.
    inverse_depth = to_face[2, 1] * np.arange(camera.height) + to_face[2, 2]
    top = int(np.searchsorted(inverse_depth, 1e-3))
    if top >= camera.height:
        return
    buffers.inverse_depth[top:] = inverse_depth[top:, None]
    levels = ground.levels()
    level_of_row = _ground_levels(inverse_depth[top:], camera, pose, ground)
    for level in np.unique(level_of_row):
        rows = top + np.flatnonzero(level_of_row == level)
        first, last = int(rows[0]), int(rows[-1]) + 1
        buffers.color[first:last] = _warp_rows(levels[level], to_face, camera.width, first, last, _WARP_LINEAR)
    buffers.surface[top:] = _warp_rows(ground.labels, to_face, camera.width, top, camera.height, _WARP_NEAREST)


def _ground_levels(inverse_depth: np.ndarray, camera: Camera, pose: CameraPose, ground: Ground) -> np.ndarray:
    """The copy of the ground's picture to take at points of some inverse depth, in 1/m."""
    # Meters per pixel: depth / f across the view and depth^2 / (f h) along it; the level follows
    # their mean.
    footprint = inverse_depth**-1.5 / (camera.focal * np.sqrt(pose.height)) * ground.scale
    return np.clip(np.floor(np.log2(footprint)), 0, len(ground.levels()) - 1).astype(int)


def _draw_rolled_ground(
    buffers: Buffers, camera: Camera, pose: CameraPose, ground: Ground, to_face: np.ndarray
):
    """The ground under a tilted horizon: depth depends on the column too."""
    rows, columns = np.arange(camera.height), np.arange(camera.width)
    inverse_depth = to_face[2, 0] * columns + (to_face[2, 1] * rows + to_face[2, 2])[:, None]
    below = inverse_depth > 1e-3
    if not below.any():
        return
    buffers.inverse_depth[below] = inverse_depth[below]
    level = _ground_levels(inverse_depth[below], camera, pose, ground)
    for index in np.unique(level):
        here = np.zeros_like(below)
        here[below] = level == index
        painted = _warp_rows(ground.levels()[index], to_face, camera.width, 0, camera.height, _WARP_LINEAR)
        buffers.color[here] = painted[here]
    painted = _warp_rows(ground.labels, to_face, camera.width, 0, camera.height, _WARP_NEAREST)
    buffers.surface[below] = painted[below]


def _warp_rows(picture, to_face, width, first, last, flags) -> np.ndarray:
    size, corner = np.array(picture.shape[1::-1]), np.array([0, first])
    return cv2.warpPerspective(
        picture,
        _texel_matrix(to_face, size, -0.5, corner),
        (width, last - first),
        None,
        flags,
        cv2.BORDER_REPLICATE,
    )


class _Visible(NamedTuple):
    """The faces of one frame that can be seen, nearest first.

    ``face`` (n,) indices, ``region`` (n, 4) pixel boxes x0, y0, x1, y1, ``plane`` (n, 3) float32 so
    that inverse depth is plane . (u, v, 1), ``level`` (n, 2) of the texture, ``to_texel`` (n, 3, 3)
    from pixels of the region to texels of that level.
    """

    face: list
    region: list
    plane: np.ndarray
    level: list
    to_texel: np.ndarray


def draw_faces(
    buffers: Buffers,
    camera: Camera,
    pose: CameraPose,
    table: FaceTable,
    part_poses: np.ndarray,
    time: float,
):
    """Draw every visible face through the depth buffer, nearest first.

    Args:
        part_poses: (parts, 3) world x, z and heading of each part at this frame; part 0 is the
            world.
        time: Seconds since the sequence's start (for animated textures).
    """
    u = np.arange(camera.width, dtype=np.float32)
    v = np.arange(camera.height, dtype=np.float32)[:, None]
    for face, (x0, y0, x1, y1), (a, b, c), level, to_texel in zip(
        *_find_visible(camera, pose, table, part_poses)
    ):
        candidate = a * u[x0:x1] + (b * v[y0:y1] + c)
        nearest = buffers.inverse_depth[y0:y1, x0:x1]
        mask = candidate > nearest
        if not mask.any():
            continue
        painted = cv2.warpPerspective(
            table.textures[face].at(time).level(*level),
            to_texel,
            (x1 - x0, y1 - y0),
            None,
            _WARP_LINEAR,
        )
        mask &= painted[..., 3] > 127
        mask_bytes = mask.view(np.uint8)
        cv2.copyTo(painted, mask_bytes, buffers.color[y0:y1, x0:x1])
        np.copyto(nearest, candidate, where=mask)
        np.copyto(buffers.surface[y0:y1, x0:x1], table.surface[face], where=mask)


def multiply_shadows(
    buffers: Buffers, camera: Camera, pose: CameraPose, table: FaceTable, part_poses: np.ndarray
):
    """Darken the ground under parts; to be called between the ground and the faces. Labels don't
    change."""
    for face, (x0, y0, x1, y1), _, level, to_texel in zip(*_find_visible(camera, pose, table, part_poses)):
        gain = cv2.warpPerspective(
            table.textures[face].level(*level),
            to_texel,
            (x1 - x0, y1 - y0),
            None,
            _WARP_LINEAR,
            cv2.BORDER_CONSTANT,
            (255, 255, 255, 255),
        )
        target = buffers.color[y0:y1, x0:x1]
        np.copyto(target, cv2.multiply(target, gain, scale=1 / 255))


def _find_visible(camera, pose, table, part_poses) -> _Visible:
    """Transform all faces, drop those outside the frustum, turned away or edge-on, and find their
    regions."""
    rotation = heading_rotation(part_poses[:, 2])[table.part]
    world = table.geometry @ rotation.transpose(0, 2, 1)
    world[:, 0, 0] += part_poses[table.part, 0]
    world[:, 0, 2] += part_poses[table.part, 1]
    world[:, 0] -= pose.position
    faces = world @ pose.rotation().T  # (N, 3 vectors, 3 camera axes)
    origin, right, down = faces[:, 0], faces[:, 1], faces[:, 2]
    corners = np.stack([origin, origin + right, origin + right + down, origin + down], 1)
    x, y, z = (corners[..., axis] for axis in range(3))
    inside = (z > NEAR).any(1)
    for coordinate, center, size in ((x, camera.cx, camera.width), (y, camera.cy, camera.height)):
        inside &= (camera.focal * coordinate + (center + 0.5) * z > 0).any(1)
        inside &= (camera.focal * coordinate + (center + 0.5 - size) * z < 0).any(1)
    volume = np.linalg.det(faces[:, [1, 2, 0]])
    scale = np.linalg.norm(right, axis=1) * np.linalg.norm(down, axis=1) * np.linalg.norm(origin, axis=1)
    inside &= np.where(table.two_sided, np.abs(volume), volume) > 1e-5 * scale
    index = np.flatnonzero(inside)
    region, extent = _regions(camera, corners[index])
    keep = (region[:, 2] > region[:, 0]) & (region[:, 3] > region[:, 1])
    order = np.argsort(z[index].mean(1), kind='stable')
    order = order[keep[order]]
    index, region, extent = index[order], region[order], extent[order]
    to_face = np.linalg.inv(camera.matrix @ faces[index][:, [1, 2, 0]].transpose(0, 2, 1))
    # A level has at least as many texels as the face has pixels.
    size = table.sizes(index)
    level = np.floor(np.log2(np.maximum(size / np.maximum(extent, 0.5), 1)))
    level = np.minimum(level, np.floor(np.log2(size))).astype(int)
    to_texel = _texel_matrix(to_face, np.maximum(size >> level, 1), 0.5, region[:, :2])
    return _Visible(
        index.tolist(), region.tolist(), to_face[:, 2].astype(np.float32), level.tolist(), to_texel
    )


def _texel_matrix(to_face: np.ndarray, size: np.ndarray, offset: float, corner: np.ndarray) -> np.ndarray:
    """Maps (..., 3, 3) from pixels of regions to texels.

    Args:
        to_face: (..., 3, 3) from pixels of the frame to face coordinates in [0, 1].
        size: (..., 2) width and height of the textures in texels.
        offset: Texel coordinate of the face's left and upper edge.
        corner: (..., 2) column and row of the region's first pixel.
    """
    matrix = to_face.copy()
    matrix[..., :2, :] *= size[..., None]
    matrix[..., :2, :] += offset * to_face[..., 2:, :]
    matrix[..., 2] += (matrix[..., :2] * corner[..., None, :]).sum(-1)
    return matrix


def _regions(camera: Camera, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integer pixel boxes (N, 4) that hold the faces, and the pixel lengths (N, 2) of their longer
    edges.

    A face that reaches behind the camera is clipped at the near plane first; its edges count as
    very long.
    """
    in_front = corners[..., 2].min(1) > NEAR
    uv, _ = camera.project(np.where(in_front[:, None, None], corners, 1.0))
    low, high = uv.min(1), uv.max(1)
    edges = np.linalg.norm(np.roll(uv, -1, 1) - uv, axis=2)
    extent = np.stack([edges[:, ::2].max(1), edges[:, 1::2].max(1)], -1)
    for i in np.flatnonzero(~in_front):
        clipped, _ = camera.project(_clip_near(corners[i]))
        low[i], high[i] = clipped.min(0), clipped.max(0)
        extent[i] = np.inf
    limit = np.array([camera.width, camera.height])
    first = np.clip(np.ceil(low), 0, limit)
    last = np.clip(np.floor(high) + 1, 0, limit)
    return np.concatenate([first, last], 1).astype(int), extent


def _clip_near(polygon: np.ndarray) -> np.ndarray:
    """The part of a polygon (N, 3) with z >= NEAR (Sutherland-Hodgman against one plane)."""
    kept = []
    for start, end in zip(polygon, np.roll(polygon, -1, 0)):
        if start[2] >= NEAR:
            kept.append(start)
        if (start[2] >= NEAR) != (end[2] >= NEAR):
            kept.append(start + (end - start) * (NEAR - start[2]) / (end[2] - start[2]))
    return np.array(kept)
