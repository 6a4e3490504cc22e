"""Regions of one class that move as one piece."""

import cv2
import numpy as np
import torch
from torch import Tensor

from .ego_motion import object_parallax, pixel_grid

# A region of fewer pixels has no motion of its own to tell.
_LEAST_PIXELS = 12
# px^2 per pixel: how strongly a region's growth stays near that of the camera's own parallax.
_STRENGTH = 20.0
# A region is one piece where four fifths of its pixels move as the fit, to this error in pixels plus a share
# of their motion.
_ERROR, _ERROR_PER_PIXEL = 0.5, 0.2
# Each pixel keeps its own q in a region that reaches deep, as its spread tells, and in one of a smaller share
# of the frame, whose growth is too little to be seen.
_DEEP, _LEAST_SHARE = 0.03, 0.004


def move_regions(moved: Tensor, share: Tensor, labels: Tensor, largest: float) -> tuple[Tensor, Tensor]:
    """Give every small region of one class the motion of one piece, where it has one.

    The parallax of a small region is fitted by :func:`object_parallax`, away from its rim, where flow mixes
    two motions. A region whose pixels differ from the fit keeps them: a row of parked cars is not one piece.

    Args:
        moved, share: (B, 2, H, W) and (B, 1, H, W), see :func:`parallax`.
        labels: (B, H, W) integer classes of the same pixels.
        largest: Share of the frame up to which a region is small, in (0, 1].

    Returns:
        Both maps anew.
    """
    moved, share = moved.clone(), share.clone()
    for clip, map_ in enumerate(labels.to(torch.uint8).cpu().numpy()):
        for mask, (rows, columns) in _small_regions(map_, largest * map_.size):
            window = (clip, slice(None), rows, columns)
            inside = torch.from_numpy(mask).to(moved.device)
            large = mask.sum() >= _LEAST_SHARE * map_.size
            fit = _as_one_piece(moved[window], share[window], mask, inside, large)
            if fit is not None:
                moved[window] = torch.where(inside, fit[0], moved[window])
                share[window] = torch.where(inside, fit[1], share[window])
    return moved, share


def _small_regions(labels: np.ndarray, most: float):
    """Mask of each connected region of ``_LEAST_PIXELS`` to ``most`` pixels, and the window around it."""
    for number in np.unique(labels):
        count, index, boxes, _ = cv2.connectedComponentsWithStats((labels == number).astype(np.uint8))
        for region in range(1, count):
            left, top, width, height, pixels = boxes[region]
            if _LEAST_PIXELS <= pixels <= most:
                window = slice(top, top + height), slice(left, left + width)
                yield index[window] == region, window


def _as_one_piece(
    moved: Tensor, share: Tensor, mask: np.ndarray, inside: Tensor, large: bool
) -> tuple[Tensor, Tensor] | None:
    """The fitted motion (2, h, w) and ``q`` (1, h, w) of a window; None where the region is not one piece."""
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0).astype(bool)
    core = torch.from_numpy(core).to(inside.device) if core.sum() >= _LEAST_PIXELS else inside
    mean, center, own = object_parallax(moved, share, core, _STRENGTH)
    slope = own / (1 + own)
    fit = mean[:, None, None] + slope * (pixel_grid(moved[None])[0] - center[:, None, None])
    error = (moved - fit).norm(dim=0)[core]
    if error.quantile(0.8) > _ERROR * (1 + _ERROR_PER_PIXEL * mean.norm()):
        return None
    low, high = share[0, inside].quantile(share.new_tensor([0.2, 0.8]))
    flat = high - low <= _DEEP
    return fit, own.clamp(-0.4, 0.6).expand_as(share) if large and flat else share
