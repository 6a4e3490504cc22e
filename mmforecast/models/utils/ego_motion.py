"""Camera motion and parallax from optical flow, and their extrapolation.

Between two frames, dense flow determines the camera's rotation and the direction of its translation. What is
left of a pixel's motion without the rotation is parallax ``v``, along the line through the epipole. Its
length gives ``q = V / Z``, the share of the pixel's depth that the camera covers in one step. If the camera
keeps its speed, the parallax after k steps is ``v * k * (1 + q) / (1 - k * q)``: image motion accelerates as
things come near.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmforecast.utils.flow import backward_warp

# Rotations of more than this, in radians per step, are taken for a failed estimate.
_MAX_ROTATION = 0.2
# Least share of points that must agree with the essential matrix for it to be used.
_MIN_INLIERS = 0.3
# Median share of the longer parallax that may lie across the lines through the epipole: at most 0.06 in
# driving video, about 0.2 where people move before a hand-held camera.
_MAX_DEVIATION = 0.1
# Share of points that a rotation alone must explain to be taken for a turn in place.
_PURE_TURN = 0.95
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


@dataclass
class ObservedMotion:
    """What the newest step of observed frames says of the motion to come.

    Attributes:
        moved: (B, 2, h, w) parallax of each pixel over the step, in pixels, see :func:`parallax`.
        share: (B, 1, h, w) share of the depth that the camera covered.
        camera: The camera's motion over the step.
        yaw_change: (B,) change of yaw per step against the step before, in radians.
    """

    moved: Tensor
    share: Tensor
    camera: CameraMotion
    yaw_change: Tensor


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
    """Camera motion by a robust essential matrix (OpenCV's RANSAC) over a grid of flow vectors.

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
    cv2.setRNGSeed(0)  # the same flow gives the same motion
    essential, inliers = cv2.findEssentialMat(
        earlier, later, camera, cv2.RANSAC, prob=0.999, threshold=threshold
    )
    if essential is None or essential.shape != (3, 3):
        return nothing
    _, matrix, direction, _ = cv2.recoverPose(essential, earlier, later, camera, mask=inliers.copy())
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
    return torch.linalg.matrix_exp(cross)


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


def parallax(backward: Tensor, motion: CameraMotion, camera: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of the flow without the camera's rotation.

    Args:
        backward: (B, 2, H, W) flow from the later frame to the earlier one, in pixels.
        motion: Of the same step.
        camera: (3, 3) intrinsics.

    Returns:
        ``v`` (B, 2, H, W), the parallax over the step in pixels, on the later frame's grid; and ``q`` (B, 1,
        H, W), the share of the depth that the camera covered, 0 where the translation is not known.
    """
    camera = camera.to(backward.device)
    grid = pixel_grid(backward)
    rotate = camera @ rotation_matrix(motion.rotation) @ torch.linalg.inv(camera)
    turned = apply_homography(rotate, grid + backward)  # the earlier position, seen by the turned camera
    moved = grid - turned
    epipole = motion.translation @ camera.T
    known = epipole[:, 2].abs() > 0
    depth = torch.where(known, epipole[:, 2], torch.ones_like(epipole[:, 2]))
    ray = turned - (epipole[:, :2] / depth[:, None]).to(turned)[:, :, None, None]
    # the least-squares ratio of v and the ray; 25 px^2 keep it small where the ray has no length
    share = (moved * ray).sum(dim=1, keepdim=True) / ((ray * ray).sum(dim=1, keepdim=True) + 25)
    return moved, median_filter(share) * known.to(share)[:, None, None, None]


def extrapolate(
    moved: Tensor,
    share: Tensor,
    turn: Tensor,
    camera: Tensor,
    steps: int,
    perspective: bool = True,
) -> tuple[Tensor, Tensor]:
    """Displacement of every pixel of the newest frame after a number of steps.

    Args:
        moved, share: ``v`` and ``q`` of the newest step, see :func:`parallax`.
        turn: (B, 3) rotation vector of the camera over all steps.
        camera: (3, 3) intrinsics.
        steps: k, at least 1.
        perspective: Whether parallax grows as things come near; without it, it is ``k * v``.

    Returns:
        The displacement (B, 2, H, W) in pixels, and the share (B, 1, H, W) that it was computed with,
        clamped so that nothing passes the camera.
    """
    share, gain = _clamp_and_gain(share, steps)
    if not perspective:
        gain = float(steps)
    camera = camera.to(moved.device)
    rotate = camera @ rotation_matrix(turn) @ torch.linalg.inv(camera)
    grid = pixel_grid(moved)
    return apply_homography(rotate, grid + moved * gain) - grid, share


def _clamp_and_gain(share: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """``q``, so that nothing passes the camera, and the factor of parallax from one step to ``steps``."""
    share = share.clamp(-0.4, 0.6 / steps)
    return share, steps * (1 + share) / (1 - steps * share)


def invert_displacement(displacement: Tensor, nearness: Tensor) -> tuple[Tensor, Tensor]:
    """A forward displacement seen from the future frame.

    Every pixel goes to the nearest pixel of its target, the nearest to the camera in front; holes are filled
    from around; single outliers are removed by a median.

    Args:
        displacement: (B, 2, H, W) of the newest frame's pixels.
        nearness: (B, 1, H, W), larger is nearer.

    Returns:
        The backward field (B, 2, H, W): a pixel p of the future frame was at p + field(p) in the newest
        frame; and (B, 1, H, W) bool, True where a pixel landed (False: the newest frame did not show it).
    """
    batch, _, height, width = displacement.shape
    target = (pixel_grid(displacement) + displacement).round()
    x, y = target[:, 0], target[:, 1]
    inside = ((x >= 0) & (x < width) & (y >= 0) & (y < height)).flatten(1)
    # one cell more takes what leaves the frame
    index = torch.where(inside, (y * width + x).flatten(1), float(height * width)).long()
    near = nearness.flatten(1)
    front = near.new_full((batch, height * width + 1), -torch.inf)
    front = front.scatter_reduce(1, index, near, 'amax')
    wins = (near == front.gather(1, index)) & inside
    index = torch.where(wins, index, height * width)
    values = torch.cat([displacement, torch.ones_like(nearness)], dim=1).flatten(2)
    landed = values.new_zeros(batch, 3, height * width + 1)
    landed = landed.scatter_reduce(2, index[:, None].expand(-1, 3, -1), values, 'mean', include_self=False)
    landed = landed[..., :-1].unflatten(2, (height, width))
    field, known = landed[:, :2], landed[:, 2:] > 0
    return -median_filter(fill_holes(field, known)), known


def fill_holes(field: Tensor, known: Tensor) -> Tensor:
    """Fill the unknown part of a field (B, C, H, W) from around, by averages over ever coarser cells."""
    weight = known.to(field)
    levels = [(field * weight, weight)]
    while max(levels[-1][0].shape[-2:]) > 1 and not bool(levels[-1][1].gt(0).all()):
        levels.append(
            tuple(F.avg_pool2d(part, 2, ceil_mode=True, count_include_pad=False) for part in levels[-1])
        )
    filled = levels[-1][0] / levels[-1][1].clamp(min=1e-12)
    for total, share in levels[-2::-1]:
        coarse = F.interpolate(filled, size=total.shape[-2:], mode='bilinear', align_corners=False)
        filled = torch.where(share > 0, total / share.clamp(min=1e-12), coarse)
    return filled


def median_filter(field: Tensor) -> Tensor:
    """Median over 5 neighbors along rows, then along columns, of (B, C, H, W); borders are repeated."""
    padded = F.pad(field, (2, 2, 0, 0), mode='replicate')
    field = _median_of_5(*(padded[..., i : i + field.shape[-1]] for i in range(5)))
    padded = F.pad(field, (0, 0, 2, 2), mode='replicate')
    return _median_of_5(*(padded[..., i : i + field.shape[-2], :] for i in range(5)))


def _median_of_5(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor) -> Tensor:
    """The element-wise median of five tensors, by comparisons."""
    low, high = (
        torch.maximum(torch.minimum(a, b), torch.minimum(c, d)),
        torch.minimum(torch.maximum(a, b), torch.maximum(c, d)),
    )
    # the median of five is that of e and the two middle candidates
    return torch.maximum(torch.minimum(low, high), torch.minimum(torch.maximum(low, high), e))


def object_parallax(
    moved: Tensor, share: Tensor, mask: Tensor, strength: float = 4.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Parallax of an object that moves as one piece: ``v(p) = a + s * (p - c)``.

    A point at depth Z that approaches by V per step has ``v = (x V + U) / (Z + V)``: linear in the position x,
    with the slope ``s = q / (1 + q)``, whatever the object's own motion is. So its growth in the image tells
    its ``q``. The fit is robust; for small objects, whose growth is not seen, it stays near the slope of the
    camera's own parallax there.

    Args:
        moved: (2, H, W) parallax over the step in pixels, see :func:`parallax`.
        share: (1, H, W) ``q`` from the camera's translation.
        mask: (H, W) bool, not empty.
        strength: In px^2 per pixel: how strongly the slope stays near that of the camera's parallax.

    Returns:
        ``a`` (2,) in pixels, the center ``c`` (2,) and ``q`` (scalar).
    """
    places = pixel_grid(moved[None])[0, :, mask]
    values = moved[:, mask]
    prior = share[0, mask].median().clamp(-0.4, 0.6)
    slope = prior / (1 + prior)
    weight = torch.ones_like(values[:1])
    for _ in range(5):
        total = weight.sum()
        center = (weight * places).sum(dim=1, keepdim=True) / total
        mean = (weight * values).sum(dim=1, keepdim=True) / total
        away = places - center
        hold = strength * total
        slope = (weight * (values - mean) * away).sum() + hold * prior / (1 + prior)
        slope = slope / ((weight * away * away).sum() + hold)
        error = (values - mean - slope * away).norm(dim=0, keepdim=True)
        weight = 1 / (0.3 + error)
    return mean[:, 0], center[:, 0], slope / (1 - slope.clamp(max=0.9))


def move_points(
    points: Tensor, motion: tuple[Tensor, Tensor, Tensor], turn: Tensor, camera: Tensor, steps: int
) -> Tensor:
    """Points (2, N) of an object in pixels, after a number of steps; arguments as of :func:`move_mask`."""
    mean, center, share = motion
    share, gain = _clamp_and_gain(share, steps)
    slope = share / (1 + share)
    moved = points + gain * (mean[:, None] + slope * (points - center[:, None]))
    camera = camera.to(turn)
    rotate = camera @ rotation_matrix(turn[None]) @ torch.linalg.inv(camera)
    return apply_homography(rotate, moved[None, :, None])[0, :, 0]


def move_mask(
    mask: Tensor, motion: tuple[Tensor, Tensor, Tensor], turn: Tensor, camera: Tensor, steps: int
) -> Tensor:
    """The mask of an object after a number of steps.

    Args:
        mask: (H, W) bool.
        motion: ``a``, ``c`` and ``q`` of the object, see :func:`object_parallax`.
        turn: (3,) rotation vector of the camera over all steps.
        camera: (3, 3) intrinsics.
        steps: At least 1.

    Returns:
        (H, W) bool, sampled bilinearly and kept from 0.5 on.
    """
    mean, center, share = motion
    share, gain = _clamp_and_gain(share, steps)
    growth = 1 + gain * share / (1 + share)
    camera = camera.to(turn)
    back = camera @ rotation_matrix(-turn[None]) @ torch.linalg.inv(camera)
    target = apply_homography(back, pixel_grid(mask[None, None].to(mean)))
    # p + gain * (a + s * (p - c)) = target, solved for p
    shape = (1, 2, 1, 1)
    source = (target - (gain * mean - (growth - 1) * center).view(shape)) / growth
    field = source - pixel_grid(source)
    outside = F.pad(mask[None, None].to(field), (1, 1, 1, 1))
    moved = backward_warp(outside, F.pad(field, (1, 1, 1, 1), mode='replicate'))
    return moved[0, 0, 1:-1, 1:-1] >= 0.5
