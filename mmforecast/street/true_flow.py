"""True optical flow from depth and the rigid motion of every part."""

import numpy as np

from .camera import Camera, CameraPose, heading_rotation
from .renderer import NEAR

__all__ = ['true_flow']


def true_flow(
    camera: Camera,
    now: CameraPose,
    then: CameraPose,
    inverse_depth: np.ndarray,
    part: np.ndarray,
    parts_now: np.ndarray,
    parts_then: np.ndarray,
) -> np.ndarray:
    """Where every pixel's point is seen from the next pose.

    Args:
        inverse_depth: (H, W) in 1/m, 0 at infinity.
        part: (H, W) int, the rigid part that each pixel shows; 0 is the world.
        parts_now, parts_then: (parts, 3) world x, z and heading at both times.

    Returns:
        (H, W, 2) float32 pixels (right, down). NaN where the point has gone behind the camera.
    """
    rays = camera.rays()
    far = inverse_depth <= 0
    points = now.to_world(rays / np.where(far, 1, inverse_depth)[..., None])
    for moving in np.unique(part[part > 0]):
        mask = part == moving
        before, after = parts_now[moving], parts_then[moving]
        turn = heading_rotation(after[2] - before[2])
        foot = np.array([before[0], 0, before[1]])
        points[mask] = (points[mask] - foot) @ turn.T + np.array([after[0], 0, after[1]])
    seen = then.to_camera(points)
    seen[far] = (rays[far] @ now.rotation()) @ then.rotation().T
    seen[seen[..., 2] <= NEAR] = np.nan
    uv, _ = camera.project(seen)
    here = np.dstack(np.meshgrid(np.arange(camera.width), np.arange(camera.height)))
    return (uv - here).astype(np.float32)
