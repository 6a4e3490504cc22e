"""Parallax of a moving camera from optical flow, and its extrapolation.

Between two frames, dense flow determines the camera's rotation and the direction of its translation. What is
left of a pixel's motion without the rotation is parallax ``v``, along the line through the epipole. Its
length gives ``q = V / Z``, the share of the pixel's depth that the camera covers in one step. If the camera
keeps its speed, the parallax after k steps is ``v * k * (1 + q) / (1 - k * q)``: image motion accelerates as
things come near.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from .camera_motion import CameraMotion, apply_homography, pixel_grid, rotation_homography

# Parallax across the line through the epipole, squared, counts so much against that along it, from so many
# px^2 on: flow is no more exact than a pixel.
_CROSSING, _NOISE = 4.0, 1.0
# Of the squared error of an observed acceleration: what flow is wrong by, in px^2, and as a share of the
# motion's square; its mean is taken over windows of a thirtieth of the width; so much smaller may that of
# constant velocity be by chance.
_ERROR, _ERROR_SHARE, _WINDOW, _CHANCE = 0.5, 0.04, 60, 0.7
# The camera's speed is told by parallax of more than a pixel and of more than the smallest three tenths, of at
# least so many pixels; its error is taken to be so large a share of the spread of what single pixels tell.
_SMALLEST, _LEAST_PIXELS, _SPREAD_SHARE = 0.3, 50, 0.5
_MAX_SPEED_CHANGE = 0.3


@dataclass
class ObservedMotion:
    """What the newest step of observed frames says of the motion to come.

    Attributes:
        moved: (B, 2, h, w) parallax of each pixel over the step, in pixels, see :func:`parallax`.
        share: (B, 1, h, w) share of the depth that the camera covered.
        camera: The camera's motion over the step.
        yaw_change: (B,) change of yaw per step against the step before, in radians; 0 where either is unknown.
        speed_change: (B,) change of the camera's speed per step, see :func:`speed_change`; 0 likewise.
        fields: What predictors have made of it, see ``EgoMotion.forecast_field``.
    """

    moved: Tensor
    share: Tensor
    camera: CameraMotion
    yaw_change: Tensor
    speed_change: Tensor
    fields: dict[tuple[int, int], tuple[Tensor, Tensor]] = field(default_factory=dict, init=False, repr=False)


def without_rotation(backward: Tensor, rotation: Tensor, camera: Tensor) -> Tensor:
    """The parallax ``v`` (B, 2, H, W) in pixels alone; arguments as of :func:`parallax`, rotation (B, 3)."""
    grid = pixel_grid(backward)
    return grid - apply_homography(rotation_homography(camera, rotation), grid + backward)


def parallax(backward: Tensor, motion: CameraMotion, camera: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of the flow without the camera's rotation.

    Args:
        backward: (B, 2, H, W) flow from the later frame to the earlier one, in pixels.
        motion: Of the same step.
        camera: (3, 3) intrinsics.

    Returns:
        ``v`` (B, 2, H, W), the parallax over the step in pixels, on the later frame's grid; and ``q`` (B, 1,
        H, W), the share of the depth that the camera covered, 0 where the translation is not known. What
        crosses the lines through the epipole moves by itself, and its parallax says little of its depth:
        there ``q`` is smaller by the factor ``a^2 / (a^2 + 4 c^2)``, with the parallax ``a`` along the line
        and ``c`` across it.
    """
    camera = camera.to(backward.device)
    moved = without_rotation(backward, motion.rotation, camera)
    turned = pixel_grid(backward) - moved  # the earlier position, seen by the turned camera
    epipole = motion.translation @ camera.T
    known = epipole[:, 2].abs() > 0
    depth = torch.where(known, epipole[:, 2], torch.ones_like(epipole[:, 2]))
    ray = turned - (epipole[:, :2] / depth[:, None]).to(turned)[:, :, None, None]
    along = (moved * ray).sum(dim=1, keepdim=True)
    # the least-squares ratio of v and the ray; 25 px^2 keep it small where the ray has no length
    share = along / ((ray * ray).sum(dim=1, keepdim=True) + 25)
    share = median_filter(share) * known.to(share)[:, None, None, None]
    along = along.square() / (ray * ray).sum(dim=1, keepdim=True).clamp(min=1e-6)
    across = (moved * moved).sum(dim=1, keepdim=True) - along
    return moved, share * along / (along + _CROSSING * (across - _NOISE).clamp(min=0) + 1e-6)


def acceleration_seen(moved: Tensor, share: Tensor, earlier: Tensor, change: Tensor) -> Tensor:
    """How well two steps bear out that parallax accelerates as ``q`` says.

    The parallax of a point of a rigid scene a step earlier is :func:`earlier_parallax`; that of something at
    constant velocity, as a car ahead that turns as the camera does, was ``v``.

    Args:
        moved, share: ``v`` and ``q`` of the newest step, see :func:`parallax`.
        earlier: (B, 2, H, W) parallax of the same points over the step before.
        change: (B,) of the camera's speed, see :func:`speed_change`.

    Returns:
        (B, 1, H, W) factors for ``q``: 1 where the scene may be rigid, down to 0 where constant velocity fits
        better.
    """
    rigid = earlier_parallax(moved, share.clamp(-0.4, 0.6), change)
    rigid = (earlier - rigid).square().sum(dim=1, keepdim=True)
    constant = (earlier - moved).square().sum(dim=1, keepdim=True)
    length = moved.square().sum(dim=1, keepdim=True)
    means = _window_mean(torch.cat([rigid, constant, length], dim=1), moved.shape[-1] // _WINDOW)
    rigid, constant, length = means.split(1, dim=1)
    wrong = _ERROR + _ERROR_SHARE * length
    return ((constant + wrong) / (rigid + wrong) / _CHANCE).clamp(max=1).square()


def speed_change(moved: Tensor, share: Tensor, earlier: Tensor) -> Tensor:
    """How much faster the camera became from one step to the next, as a share of its newest speed.

    In a rigid scene the step before tells how far the camera went in it, see :func:`earlier_parallax`. The
    median pixel counts, and the change is drawn towards 0 where pixels disagree.

    Args:
        moved, share: ``v`` and ``q`` of the newest step, see :func:`parallax`.
        earlier: (B, 2, H, W) parallax of the same points over the step before.

    Returns:
        (B,) in [-0.3, 0.3].
    """
    moved, share, earlier = (maps[..., ::4, ::4] for maps in (moved, share[:, 0], earlier))
    squares = moved.square().sum(dim=1)
    ratio = (earlier * moved).sum(dim=1) / squares.clamp(min=1e-6)
    before = ratio * (1 + share) / (1 - ratio * share)
    return torch.stack([_typical_change(*clip) for clip in zip(squares.sqrt(), share, 1 - before)])


def _typical_change(length: Tensor, share: Tensor, change: Tensor) -> Tensor:
    """The median change (scalar) of a clip's pixels (H, W), less where they disagree."""
    smallest = length.flatten().sort().values[int(_SMALLEST * length.numel())].clamp(min=1)
    change = change[(length > smallest) & (share.abs() < 0.4)].sort().values
    if len(change) < _LEAST_PIXELS:
        return change.new_zeros(())
    low, middle, high = (change[int(part * len(change))] for part in (0.25, 0.5, 0.75))
    error = _SPREAD_SHARE * (high - low)
    middle = middle.clamp(-_MAX_SPEED_CHANGE, _MAX_SPEED_CHANGE)
    signal, noise = middle**4, error**4
    return middle * signal / (signal + noise + 1e-12)


def earlier_parallax(moved: Tensor, share: Tensor, change: Tensor) -> Tensor:
    """The parallax of a rigid scene over the step before: ``v s / (1 + q + q s)``, with ``s = 1 - change``.

    ``s`` is how far the camera went then, in steps of its newest speed; other arguments as of
    :func:`speed_change`, ``change`` (B,).
    """
    before = (1 - change).to(moved).view(-1, 1, 1, 1)
    return moved * before / (1 + share + share * before)


def _window_mean(maps: Tensor, radius: int) -> Tensor:
    """Mean over square windows within the frame, by running sums: as fast for large windows as for small."""
    means = maps.double()
    for dim in (-2, -1):
        length = means.shape[dim]
        ends = (0, 0, 1, 0) if dim == -2 else (1, 0, 0, 0)
        over = (0, 0, radius, radius) if dim == -2 else (radius, radius, 0, 0)
        # sums[i] is that of everything before i - radius, or of nothing or all beyond the frame
        sums = F.pad(F.pad(means.cumsum(dim), ends), over, mode='replicate')
        index = torch.arange(length, device=maps.device)
        count = (index + radius).clamp(max=length - 1) - (index - radius).clamp(min=0) + 1
        window = sums.narrow(dim, 2 * radius + 1, length) - sums.narrow(dim, 0, length)
        means = window / count.view(-1, *[1] * (-1 - dim))
    return means.to(maps)


def extrapolate(
    moved: Tensor,
    share: Tensor,
    turn: Tensor,
    camera: Tensor,
    steps: float | Tensor,
    perspective: bool = True,
) -> tuple[Tensor, Tensor]:
    """Displacement of every pixel of the newest frame after a number of steps.

    Args:
        moved, share: ``v`` and ``q`` of the newest step, see :func:`parallax`.
        turn: (B, 3) rotation vector of the camera over all steps.
        camera: (3, 3) intrinsics.
        steps: k, the way that the camera covers in steps of its newest speed; a number, or (B, 1, 1, 1).
        perspective: Whether parallax grows as things come near; without it, it is ``k * v``.

    Returns:
        The displacement (B, 2, H, W) in pixels, and the share (B, 1, H, W) that it was computed with,
        clamped so that nothing passes the camera.
    """
    share, gain = clamp_and_gain(share, steps)
    if not perspective:
        gain = steps
    grid = pixel_grid(moved)
    return apply_homography(rotation_homography(camera, turn), grid + moved * gain) - grid, share


def clamp_and_gain(share: Tensor, steps: float | Tensor) -> tuple[Tensor, Tensor]:
    """``q``, so that nothing passes the camera, and the factor of parallax from one step to ``steps``."""
    most = 0.6 / torch.as_tensor(steps, device=share.device).clamp(min=1)
    share = torch.minimum(share.clamp(min=-0.4), most.to(share))
    return share, steps * (1 + share) / (1 - steps * share)


def unlike_most(moved: Tensor) -> Tensor:
    """How much the motion (B, 2, H, W) of each pixel differs from the frame's median: (B, 1, H, W), in px^2.

    Where no depth is known, what moves by itself is taken to be in front of what stands.
    """
    some = moved[..., ::4, ::4].flatten(2).sort(dim=2).values  # torch.median has no ONNX operator
    most = some[..., some.shape[2] // 2]
    return (moved - most[..., None, None]).square().sum(dim=1, keepdim=True)


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
    landed = landed.scatter_add(2, index[:, None].expand(-1, 3, -1), values)
    landed = landed[..., :-1].unflatten(2, (height, width))
    count = landed[:, 2:]
    field, known = landed[:, :2] / count.clamp(min=1), count > 0
    return -median_filter(fill_holes(field, known)), known


def fill_holes(field: Tensor, known: Tensor) -> Tensor:
    """Fill the unknown part of a field (B, C, H, W) from around, by averages over ever coarser cells."""
    weight = known.to(field)
    levels = [(field * weight, weight)]
    while max(levels[-1][0].shape[-2:]) > 1:
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
