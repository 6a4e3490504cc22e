"""The camera's motion from optical flow, by two-view geometry."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

# Rotations of more than this, in radians per step, are taken for a failed estimate.
_MAX_ROTATION = 0.2
# Least share of points that must agree with the essential matrix for it to be used.
_MIN_INLIERS = 0.3
# Median share of the longer parallax that may lie across the lines through the epipole: at most 0.06 in
# driving video, about 0.2 where people move before a hand-held camera.
_MAX_DEVIATION = 0.1
# Share of points that a rotation alone must explain to be taken for a turn in place.
_PURE_TURN = 0.95
# Points that choose among the poses of an essential matrix, where there are so many.
_VOTERS = 500
# Cosine between the translations of two successive steps from which on one confirms the other: reached in
# every step of two real drives, seldom where people move before a hand-held camera.
_CONFIRMED = 0.95
# Part of a translation along the optical axis that makes it a car's, where the step before tells nothing.
_ALONG_AXIS = 0.95
# Mean motion, in pixels, below which the camera is taken to stand still.
_STANDING = 0.3


@dataclass
class CameraMotion:
    """The camera's motion from an earlier to a later frame, for a batch.

    Attributes:
        rotation: (B, 3) rotation vector in radians: pitch, yaw, roll. It takes points of the earlier camera
            to the later one.
        translation: (B, 3) unit vector, or zeros where it is not known (the camera stands, turns in place, or
            the flow fits no rigid scene).
    """

    rotation: Tensor
    translation: Tensor


def intrinsics(size: Sequence[int], focal: float) -> Tensor:
    """(3, 3) pinhole camera matrix.

    Args:
        size: (H, W) of the frames.
        focal: Focal length in widths of the frame.
    """
    height, width = size
    pixels = focal * width
    return torch.tensor(
        [[pixels, 0.0, width / 2], [0.0, pixels, height / 2], [0.0, 0.0, 1.0]], dtype=torch.float64
    )


def estimate_camera_motion(backward: Tensor, camera: Tensor) -> CameraMotion:
    """Camera motion by a robust essential matrix (OpenCV's LO-RANSAC) over a grid of flow vectors.

    Args:
        backward: (B, 2, H, W) flow from the later frame to the earlier one, in pixels.
        camera: (3, 3) intrinsics.

    Returns:
        In float64. Where the estimate fails, no rotation and no translation: the camera moves sideways, few
        points agree, or the parallax does not point away from the epipole, as in a scene that is not rigid.
    """
    poses = [_pose(flow, camera.numpy()) for flow in backward.detach().cpu().double().numpy()]
    rotation, translation = (torch.from_numpy(np.stack(part)).to(backward.device) for part in zip(*poses))
    return CameraMotion(rotation, translation)


def confirmed(motion: CameraMotion, before: CameraMotion) -> CameraMotion:
    """The motion of a step, where the step before bears it out; else no motion.

    A camera keeps its direction from step to step. A translation in another one was found in a scene that is
    not rigid. Where nothing is known of the step before, a translation along the optical axis is believed.
    Turns in place are kept as they are.
    """
    now, then = motion.translation, before.translation
    alone = ~then.any(dim=1)
    believed = (now * then).sum(dim=1).abs() > _CONFIRMED  # forwards or backwards: far points hardly tell
    believed |= alone & (now[:, 2].abs() > _ALONG_AXIS) | ~now.any(dim=1)
    return CameraMotion(motion.rotation * believed[:, None], now * believed[:, None])


def _pose(flow: np.ndarray, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation vector and translation of one flow field (2, H, W)."""
    nothing = np.zeros(3), np.zeros(3)
    height, width = flow.shape[1:]
    gap = max(3, width // 80)
    y, x = (axis.ravel() for axis in np.mgrid[gap : height - gap : gap, gap : width - gap : gap])
    motion = flow[:, y, x].T
    if len(x) < 8 or not np.isfinite(motion).all() or np.median(np.linalg.norm(motion, axis=1)) < _STANDING:
        return nothing
    later = np.stack([x, y], axis=1).astype(np.float64)
    earlier = later + motion
    threshold = max(0.3, width / 1000)
    # A turn in place leaves the essential matrix undetermined.
    turn, error = _turn(earlier, later, camera)
    if (error < threshold).mean() > _PURE_TURN and np.linalg.norm(turn) < _MAX_ROTATION:
        return turn, np.zeros(3)
    # With local optimization: the best of minimal samples (cv2.RANSAC) errs in yaw by a tenth of a degree,
    # which extrapolation multiplies. It draws the same samples for the same flow.
    essential, inliers = cv2.findEssentialMat(
        earlier, later, camera, cv2.USAC_DEFAULT, prob=0.999, threshold=threshold
    )
    if essential is None or essential.shape != (3, 3):
        return nothing
    # of its four poses, the one that puts most points before both cameras: some points are enough to tell
    some = slice(None, None, max(1, len(x) // _VOTERS))
    _, matrix, direction, _ = cv2.recoverPose(
        essential, earlier[some], later[some], camera, mask=inliers[some].copy()
    )
    rotation = cv2.Rodrigues(matrix)[0].ravel()
    direction = direction.ravel()
    # sideways translation leaves the epipole far outside the frame, where parallax says little of depth
    along_axis = abs(direction[2]) > 0.5
    if not along_axis or inliers.mean() < _MIN_INLIERS or np.linalg.norm(rotation) >= _MAX_ROTATION:
        return nothing
    turned = (np.c_[earlier, np.ones(len(x))] @ np.linalg.inv(camera).T) @ matrix.T @ camera.T
    if _deviation(turned[:, :2] / turned[:, 2:], later, camera @ direction) > _MAX_DEVIATION:
        return nothing
    return rotation, direction


def _deviation(turned: np.ndarray, later: np.ndarray, epipole: np.ndarray) -> float:
    """Median share of the longer parallax (N, 2) across the line through the epipole; 0 if nothing moves."""
    moved = later - turned
    length = np.linalg.norm(moved, axis=1)
    seen = length > max(0.5, np.median(length))
    if not seen.any():
        return 0.0
    ray = turned - epipole[:2] / epipole[2]
    ray /= np.linalg.norm(ray, axis=1, keepdims=True) + 1e-9
    across = np.abs(moved[:, 0] * ray[:, 1] - moved[:, 1] * ray[:, 0])
    return float(np.median(across[seen] / length[seen]))


def _turn(earlier: np.ndarray, later: np.ndarray, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotation vector that takes most points (N, 2) to their later place, and the error (N,) in pixels.

    Kabsch's solution on the rays of the points, reweighted by their error.
    """
    inverse = np.linalg.inv(camera).T
    before, after = (np.c_[points, np.ones(len(points))] @ inverse for points in (earlier, later))
    before, after = (points / np.linalg.norm(points, axis=1, keepdims=True) for points in (before, after))
    weight = np.ones(len(before))
    for _ in range(5):
        u, _, vh = np.linalg.svd((after * weight[:, None]).T @ before)
        matrix = u @ np.diag([1, 1, np.linalg.det(u @ vh)]) @ vh
        turned = before @ matrix.T @ camera.T
        error = np.linalg.norm(turned[:, :2] / turned[:, 2:] - later, axis=1)
        weight = 1 / (0.1 + error) ** 2
    return cv2.Rodrigues(matrix)[0].ravel(), error


def rotation_matrix(vectors: Tensor) -> Tensor:
    """(B, 3) rotation vectors to (B, 3, 3) matrices (Rodrigues' formula)."""
    x, y, z = vectors.unbind(dim=-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    turns = (vectors.norm(dim=-1) / torch.pi)[:, None, None]
    # sin(t) / t and (1 - cos(t)) / t^2, which have values at 0 too
    first, second = torch.sinc(turns), torch.sinc(turns / 2).square() / 2
    return torch.eye(3).to(cross) + first * cross + second * (cross @ cross)


def rotation_homography(camera: Tensor, vectors: Tensor) -> Tensor:
    """(B, 3, 3): how a camera of :func:`intrinsics` that turns by rotation vectors (B, 3) moves pixels."""
    camera = camera.to(vectors.device)
    (pixels, _, x), (_, _, y) = camera[0], camera[1]
    zero, one = torch.zeros_like(pixels), torch.ones_like(pixels)
    inverse = torch.stack([one, zero, -x, zero, one, -y, zero, zero, pixels]).view(3, 3) / pixels
    return camera @ rotation_matrix(vectors) @ inverse


def apply_homography(matrix: Tensor, points: Tensor) -> Tensor:
    """Points (B, 2, H, W) in pixels, moved by homographies (B, 3, 3)."""
    matrix = matrix.to(points)[:, :, :, None, None]
    x, y = points[:, 0], points[:, 1]
    moved = matrix[:, :, 0] * x[:, None] + matrix[:, :, 1] * y[:, None] + matrix[:, :, 2]
    return moved[:, :2] / moved[:, 2:]


def pixel_grid(flow: Tensor) -> Tensor:
    """(1, 2, H, W) coordinates (x, y) of the pixels of a field (B, 2, H, W)."""
    height, width = flow.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=flow.dtype),
        torch.arange(width, device=flow.device, dtype=flow.dtype),
        indexing='ij',
    )
    return torch.stack([x, y])[None]
