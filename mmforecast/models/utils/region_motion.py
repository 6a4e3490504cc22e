"""Regions of one class that move as one piece."""

import cv2
import numpy as np
import torch
from torch import Tensor

from .camera_motion import pixel_grid
from .object_motion import fit_pieces

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

    The parallax of a small region is fitted by :func:`fit_pieces`, away from its rim, where flow mixes two
    motions. A region whose pixels differ from the fit keeps them: a row of parked cars is not one piece.

    Args:
        moved, share: (B, 2, H, W) and (B, 1, H, W), see :func:`parallax`.
        labels: (B, H, W) integer classes of the same pixels.
        largest: Share of the frame up to which a region is small, in (0, 1].

    Returns:
        Both maps anew.
    """
    moved, share = moved.clone(), share.clone()
    for clip, map_ in enumerate(labels.to(torch.uint8).cpu().numpy()):
        regions, count = _small_regions(map_, largest * map_.size)
        if count:
            regions, core = (
                torch.from_numpy(part).to(moved.device) for part in (regions, _core(regions, count))
            )
            _move_as_pieces(moved[clip], share[clip], regions, core, count)
    return moved, share


def _small_regions(labels: np.ndarray, most: float) -> tuple[np.ndarray, int]:
    """(H, W) numbers of the small connected regions, of at most ``most`` pixels, else -1; and their count."""
    numbers, count = np.full(labels.shape, -1, np.int64), 0
    for label in np.flatnonzero(np.bincount(labels.ravel())):
        _, index, boxes, _ = cv2.connectedComponentsWithStats((labels == label).astype(np.uint8))
        pixels = boxes[:, cv2.CC_STAT_AREA]
        small = (pixels >= _LEAST_PIXELS) & (pixels <= most)
        small[0] = False  # what is not of the class
        renamed = np.where(small, count + np.cumsum(small) - 1, -1)[index]
        numbers = np.maximum(numbers, renamed)
        count += int(small.sum())
    return numbers, count


def _core(regions: np.ndarray, count: int) -> np.ndarray:
    """(H, W) bool: the pixels whose eight neighbors are of their region, all of it where they are few."""
    padded = np.pad(regions, 1, constant_values=-1).astype(np.float32)
    square = np.ones((3, 3), np.uint8)
    inner = (cv2.erode(padded, square) == cv2.dilate(padded, square))[1:-1, 1:-1] & (regions >= 0)
    few = np.bincount(regions[inner], minlength=count) < _LEAST_PIXELS
    return inner | ((regions >= 0) & few[regions])


def _move_as_pieces(moved: Tensor, share: Tensor, regions: Tensor, core: Tensor, count: int) -> None:
    """Fit every region of a clip and write the motion of those that are one piece into both maps."""
    piece, places = regions[core], pixel_grid(moved[None])[0]
    prior = _quantile(share[0][core], piece, count, 0.5)
    mean, center, own = fit_pieces(places[:, core], moved[:, core], piece, prior, _STRENGTH)
    slope = own / (1 + own)

    inside = regions >= 0
    region = regions[inside]
    fit = mean[:, region] + slope[region] * (places[:, inside] - center[:, region])
    error = _quantile((moved[:, inside] - fit).norm(dim=0)[core[inside]], piece, count, 0.8)
    one_piece = error <= _ERROR * (1 + _ERROR_PER_PIXEL * mean.norm(dim=0))
    moved[:, inside] = torch.where(one_piece[region], fit, moved[:, inside])

    depths = share[0][inside]
    flat = _quantile(depths, region, count, 0.8) - _quantile(depths, region, count, 0.2) <= _DEEP
    large = region.bincount(minlength=count) >= _LEAST_SHARE * regions.numel()
    share[0, inside] = torch.where((one_piece & flat & large)[region], own.clamp(-0.4, 0.6)[region], depths)


def _quantile(values: Tensor, piece: Tensor, count: int, part: float) -> Tensor:
    """(P,) quantile of the values (N,) of each piece, interpolated linearly as by ``torch.quantile``."""
    order = values.argsort()
    order = order[piece[order].argsort(stable=True)]
    sizes = piece.bincount(minlength=count)
    place = part * (sizes - 1)
    low = place.floor().long()
    first = sizes.cumsum(0) - sizes
    ranked = values[order]
    below, above = ranked[first + low], ranked[first + torch.minimum(low + 1, sizes - 1)]
    return torch.lerp(below, above, (place - low).to(values))
