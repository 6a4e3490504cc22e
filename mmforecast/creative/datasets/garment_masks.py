"""Masks of the garment on product photographs, made without any training.

They are for photographs of one garment on a ground of about one color. On other grounds they often fail:
look at what you get.
"""

import warnings

import cv2
import numpy as np
from scipy import ndimage

from mmforecast.utils.checks import check_choice

__all__ = ['METHODS', 'garment_mask', 'is_plausible']

METHODS = ('threshold', 'random_walker', 'grabcut')

_SIDE = 256  # larger photographs are segmented at this size
# A pixel further from the ground's color than this multiple of what the border has is garment.
_CLEAN = 1.5
_FAINT = 3.0
_BETA = 10_000  # how hard an edge is for the random walker to cross
_BORDER = 0.04  # share of the side that is taken for ground


def garment_mask(image: np.ndarray, method: str = 'grabcut') -> np.ndarray:
    """Where the garment is.

    - 'threshold': what differs in color from the border of the photograph, by Otsu's threshold. Fails on
      white
      clothes before white.
    - 'random_walker': Grady's random walker (2006, the method that DeSIGN's bibliography has), from seeds
      of sure
      garment and sure ground; it follows weak edges, such as those of white clothes. Needs scikit-image.
    - 'grabcut': OpenCV's GrabCut, which learns the colors of garment and ground.

    Of all three, the largest component is kept, and its holes are filled.

    Args:
        image: uint8 (H, W, 3), RGB.
        method: One of :data:`METHODS`.

    Returns:
        bool (H, W).

    Raises:
        ValueError: Unknown ``method``, or ``image`` is no such array or smaller than 8 pixels.
        ImportError: scikit-image is missing.
    """
    check_choice('garment_mask', METHODS, method=method)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape[:2]) < 8:
        raise ValueError(
            f'image must be uint8 (H, W, 3) of at least 8x8 pixels, got {image.dtype} {image.shape}'
        )
    height, width = image.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    segment = dict(threshold=_threshold, random_walker=_random_walker, grabcut=_grabcut)[method]
    # where nothing differs from the border, nothing can be found
    mask = _one_piece(segment(small) if _threshold(small).any() else np.zeros(size[::-1], bool))
    gray = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return gray > 0.5


def is_plausible(mask: np.ndarray) -> bool:
    """Whether a mask may be a garment's: of 4 to 85 % of the photograph, and not along its border."""
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(0.04 <= mask.mean() <= 0.85 and border.mean() < 0.35)


def _difference(image: np.ndarray) -> np.ndarray:
    """How far each pixel's color is from the border's, in CIELAB, float32 (H, W)."""
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 1.0), cv2.COLOR_RGB2LAB).astype(np.float32)
    ground = lab[_border(image.shape[:2])]
    middle = np.median(ground, axis=0)
    # a ground that varies in light counts less by it
    spread = np.maximum(np.abs(ground - middle).mean(axis=0), 2.0)
    return np.linalg.norm((lab - middle) / spread, axis=2)


def _border(shape: tuple[int, int]) -> np.ndarray:
    width = max(1, round(_BORDER * min(shape)))
    border = np.ones(shape, bool)
    border[width:-width, width:-width] = False
    return border


def _threshold(image: np.ndarray) -> np.ndarray:
    difference = _difference(image)
    top = max(float(np.quantile(difference, 0.99)), 1e-6)
    levels = np.clip(difference / top * 255, 0, 255).astype(np.uint8)
    otsu = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0] / 255 * top
    # Before a clean ground, what is lighter than the garment's middle tones belongs to it, too.
    noise = _CLEAN * max(_FAINT, float(np.quantile(difference[_border(image.shape[:2])], 0.98)))
    return difference > min(otsu, noise)


def _seeds(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that are surely garment, and surely ground."""
    shape = image.shape[:2]
    rough = _one_piece(_threshold(image))
    core = cv2.erode(
        rough.astype(np.uint8), np.ones((3, 3)), iterations=max(1, max(shape) // 24), borderValue=0
    )
    garment, ground = core > 0, _border(shape)
    if not is_plausible(rough) or not garment.any():
        middle = [slice(round(0.45 * side), round(0.55 * side)) for side in shape]
        garment[tuple(middle)] = True
    return garment & ~ground, ground


def _random_walker(image: np.ndarray) -> np.ndarray:
    try:
        from skimage.segmentation import random_walker
    except ImportError as error:
        raise ImportError(
            "method='random_walker' needs scikit-image, which is not installed: pip install scikit-image"
        ) from error
    garment, ground = _seeds(image)
    labels = np.zeros(image.shape[:2], np.int32)
    labels[garment], labels[ground] = 1, 2
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float64) / 255
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of probabilities that miss [0, 1] by little
        return random_walker(lab, labels, beta=_BETA, mode='cg_j', tol=1e-4, channel_axis=2) == 1


def _grabcut(image: np.ndarray) -> np.ndarray:
    garment, ground = _seeds(image)
    mask = np.where(_threshold(image), cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[garment], mask[ground] = cv2.GC_PR_FGD, cv2.GC_BGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(np.ascontiguousarray(image[..., ::-1]), mask, None, *models, 4, cv2.GC_INIT_WITH_MASK)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)


def _one_piece(mask: np.ndarray) -> np.ndarray:
    """The largest component, with its holes filled and thin threads taken off."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, components, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, bool)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return ndimage.binary_fill_holes(components == largest)
