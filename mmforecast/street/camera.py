"""The pinhole camera: intrinsics in proportion to Cityscapes', and its pose on the moving car.

Axes everywhere: x right, y down, z forward. The ground is the plane y = 0, so a camera at height h
sits at y = -h. Yaw is positive to the right, pitch positive downwards, roll positive clockwise. Pixel
(column 0, row 0) has its *center* at (0.0, 0.0).
"""

from dataclasses import dataclass

import numpy as np

__all__ = ['Camera', 'CameraPose', 'heading_rotation']

# Cityscapes: 2262 px focal length for frames 2048 px wide.
FOCAL_PER_WIDTH = 2262 / 2048


@dataclass(frozen=True)
class Camera:
    """Intrinsics in pixels of a ``height`` x ``width`` image."""

    height: int
    width: int
    focal: float
    cx: float
    cy: float

    @classmethod
    def for_size(cls, height: int, width: int) -> 'Camera':
        """The camera with Cityscapes' field of view; its principal point is the image center."""
        return cls(height, width, FOCAL_PER_WIDTH * width, (width - 1) / 2, (height - 1) / 2)

    def supersampled(self, factor: int) -> 'Camera':
        """The camera whose pixel (factor * u, factor * v) looks exactly where this one's (u, v)
        does."""
        return Camera(
            self.height * factor,
            self.width * factor,
            self.focal * factor,
            self.cx * factor,
            self.cy * factor,
        )

    @property
    def matrix(self) -> np.ndarray:
        return np.array([[self.focal, 0, self.cx], [0, self.focal, self.cy], [0, 0, 1]])

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixel coordinates (..., 2) and depths (...) in meters of points (..., 3) in camera
        axes."""
        depth = points[..., 2]
        uv = points[..., :2] / depth[..., None] * self.focal + np.array([self.cx, self.cy])
        return uv, depth

    def rays(self) -> np.ndarray:
        """Directions (height, width, 3) through the pixel centers in camera axes, scaled to depth
        1."""
        u = (np.arange(self.width) - self.cx) / self.focal
        v = (np.arange(self.height) - self.cy) / self.focal
        return np.dstack([*np.meshgrid(u, v), np.ones((self.height, self.width))])


@dataclass(frozen=True)
class CameraPose:
    """Where the camera is (meters) and looks (radians)."""

    x: float
    z: float
    height: float
    yaw: float
    pitch: float = 0.0
    roll: float = 0.0

    @property
    def position(self) -> np.ndarray:
        return np.array([self.x, -self.height, self.z])

    def rotation(self) -> np.ndarray:
        """(3, 3) matrix R with camera = R @ (world - position); its rows are right, down and
        forward."""
        right = np.array([np.cos(self.yaw), 0.0, -np.sin(self.yaw)])
        forward = np.array(
            [
                np.sin(self.yaw) * np.cos(self.pitch),
                np.sin(self.pitch),
                np.cos(self.yaw) * np.cos(self.pitch),
            ]
        )
        down = np.cross(forward, right)
        if self.roll:
            cos, sin = np.cos(self.roll), np.sin(self.roll)
            right, down = cos * right + sin * down, cos * down - sin * right
        return np.stack([right, down, forward])

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) in camera axes."""
        return (points - self.position) @ self.rotation().T

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Camera points (..., 3) in world axes."""
        return points @ self.rotation() + self.position


def heading_rotation(yaw: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) that turn local vectors (x right, z ahead of the object) into world
    vectors."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    zero, one = np.zeros_like(cos), np.ones_like(cos)
    rows = [[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]]
    return np.stack([np.stack(row, -1) for row in rows], -2)
