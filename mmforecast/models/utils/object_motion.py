"""Objects that move as one piece: their parallax, and where their points and masks go."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmforecast.utils.flow import backward_warp

from .camera_motion import apply_homography, pixel_grid, rotation_homography
from .ego_motion import clamp_and_gain


def object_parallax(
    moved: Tensor, share: Tensor, mask: Tensor, strength: float = 4.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Parallax of an object that moves as one piece, see :func:`fit_pieces`.

    Args:
        moved: (2, H, W) parallax over the step in pixels, see :func:`parallax`.
        share: (1, H, W) ``q`` from the camera's translation.
        mask: (H, W) bool, not empty.
        strength: See :func:`fit_pieces`.

    Returns:
        ``a`` (2,) in pixels, the center ``c`` (2,) and ``q`` (scalar).
    """
    places = pixel_grid(moved[None])[0, :, mask]
    piece = torch.zeros(places.shape[1], dtype=torch.long, device=mask.device)
    mean, center, own = fit_pieces(places, moved[:, mask], piece, share[0, mask].median()[None], strength)
    return mean[:, 0], center[:, 0], own[0]


def fit_pieces(
    places: Tensor, values: Tensor, piece: Tensor, share: Tensor, strength: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Parallax of objects, each of which moves as one piece: ``v(p) = a + s * (p - c)``.

    A point at depth Z that approaches by V per step has ``v = (x V + U) / (Z + V)``: linear in the position x,
    with the slope ``s = q / (1 + q)``, whatever the object's own motion is. So its growth in the image tells
    its ``q``. The fit is robust; for small objects, whose growth is not seen, it stays near the slope of the
    camera's own parallax there.

    Args:
        places: (2, N) positions (x, y) of the pixels of all objects.
        values: (2, N) their parallax over the step in pixels.
        piece: (N,) the object of each pixel, in [0, P); every object has a pixel.
        share: (P,) ``q`` of each object from the camera's translation.
        strength: In px^2 per pixel: how strongly the slope stays near that of the camera's parallax.

    Returns:
        ``a`` (2, P) in pixels, the centers ``c`` (2, P) and ``q`` (P,).
    """

    def total(parts: Tensor) -> Tensor:
        return parts.new_zeros(*parts.shape[:-1], len(share)).index_add(-1, piece, parts)

    prior = share.clamp(-0.4, 0.6)
    prior = prior / (1 + prior)
    weight = torch.ones_like(values[0])
    for _ in range(5):
        weights = total(weight)
        center, mean = total(weight * places) / weights, total(weight * values) / weights
        away, rest = places - center[:, piece], values - mean[:, piece]
        slope = total((weight * rest * away).sum(dim=0)) + strength * weights * prior
        slope = slope / (total((weight * away * away).sum(dim=0)) + strength * weights)
        weight = 1 / (0.3 + (rest - slope[piece] * away).norm(dim=0))
    return mean, center, slope / (1 - slope.clamp(max=0.9))


def move_points(
    points: Tensor, motion: tuple[Tensor, Tensor, Tensor], turn: Tensor, camera: Tensor, steps: float
) -> Tensor:
    """Points (2, N) of an object in pixels, after a number of steps; arguments as of :func:`move_mask`."""
    mean, center, share = motion
    share, gain = clamp_and_gain(share, steps)
    slope = share / (1 + share)
    moved = points + gain * (mean[:, None] + slope * (points - center[:, None]))
    camera = camera.to(turn)
    rotate = rotation_homography(camera, turn[None])
    return apply_homography(rotate, moved[None, :, None])[0, :, 0]


def move_mask(
    mask: Tensor, motion: tuple[Tensor, Tensor, Tensor], turn: Tensor, camera: Tensor, steps: float
) -> Tensor:
    """The mask of an object after a number of steps.

    Args:
        mask: (H, W) bool.
        motion: ``a``, ``c`` and ``q`` of the object, see :func:`object_parallax`.
        turn: (3,) rotation vector of the camera over all steps.
        camera: (3, 3) intrinsics.
        steps: The way that the camera covers, in steps of its newest speed.

    Returns:
        (H, W) bool, sampled bilinearly and kept from 0.5 on.
    """
    mean, center, share = motion
    share, gain = clamp_and_gain(share, steps)
    growth = 1 + gain * share / (1 + share)
    camera = camera.to(turn)
    back = rotation_homography(camera, -turn[None])
    target = apply_homography(back, pixel_grid(mask[None, None].to(mean)))
    # p + gain * (a + s * (p - c)) = target, solved for p
    shape = (1, 2, 1, 1)
    source = (target - (gain * mean - (growth - 1) * center).view(shape)) / growth
    field = source - pixel_grid(source)
    outside = F.pad(mask[None, None].to(field), (1, 1, 1, 1))
    moved = backward_warp(outside, F.pad(field, (1, 1, 1, 1), mode='replicate'))
    return moved[0, 0, 1:-1, 1:-1] >= 0.5
