"""PSNR, SSIM and sharpness as the authors of "Deep multi-scale video prediction" compute them.

Mathieu, Couprie, LeCun, ICLR 2016 (arXiv 1511.05440); their evaluation code differs from the standard
definitions and from the paper's text. All scores are of one frame, (3, H, W) RGB in [0, 255], taken to [-1, 1]
first, and need a mask of moving pixels, (H, W) bool:

- ``mask_mode='fill'``, the authors': both frames are -1 where nothing moves, and scored whole. So still pixels
  count as forecast without error, and a score depends on how much moves.
- ``mask_mode='select'``: of the moving pixels alone; NaN where there is none.

A clip enters the authors' averages where its PSNR, 'fill', is below :data:`ICLR16_GATE`.
"""

import numpy as np
import scipy

from mmforecast.utils.checks import check_choice

from .image_quality import SSIM_MARGIN, checked_pair, gradients, require_window

# dB; clips with more hardly move.
ICLR16_GATE = 50.0
MASK_MODES = ('fill', 'select')

_SCALE = 128.0**2  # the standard, in [-1, 1], would be 127.5^2
_FLOOR = 1e-4
_LUMA = np.array([0.299, 0.587, 0.114])
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr_iclr16(pred: np.ndarray, target: np.ndarray, mask: np.ndarray, mask_mode: str = 'fill') -> float:
    """10 log10(255^2 / mse) dB with mse = 128^2 mean (a - b)^2 of a, b in [-1, 1], at least 1e-4.

    With all pixels moving, 20 log10(128 / 127.5) = 0.034 dB below the standard.
    """
    pred, target = _unit_pair(pred, target, mask, mask_mode)
    error = (pred - target) ** 2
    return _decibels(error if mask_mode == 'fill' else error[:, mask])


def ssim_iclr16(pred: np.ndarray, target: np.ndarray, mask: np.ndarray, mask_mode: str = 'fill') -> float:
    """SSIM of luminances in [0, 255], constants and Gaussian as in the standard, convolutions 'full'.

    The frames are continued with zeros, and the map (H + 10, W + 10) reaches as far as the window meets them;
    'fill' averages all of it, 'select' the moving pixels.
    """
    pred, target = _unit_pair(pred, target, mask, mask_mode)
    require_window(target)
    scores = _full_ssim_map(*((np.tensordot(_LUMA, x, 1) + 1) * 127.5 for x in (pred, target)))
    if mask_mode == 'fill':
        return float(scores.mean())
    inside = slice(SSIM_MARGIN, -SSIM_MARGIN)
    moving = scores[inside, inside][mask]
    return float(moving.mean()) if moving.size else float('nan')


def sharpness_iclr16(pred: np.ndarray, target: np.ndarray, mask: np.ndarray, mask_mode: str = 'fill') -> float:
    """10 log10(255^2 / (128^2 m)) = 5.99 - 10 log10(m) dB, 128^2 m at least 1e-4.

    m is the mean of | |dy a| - |dy b| | + | |dx a| - |dx b| | of a, b in [-1, 1]; the paper adds dy and dx
    before it takes the difference. 'fill' sums over the pixels with one above and one on the left, and divides
    by the number of all; 'select' averages over the moving ones among them.
    """
    pred, target = _unit_pair(pred, target, mask, mask_mode)
    error = sum(np.abs(a - b) for a, b in zip(gradients(pred), gradients(target), strict=True))
    if mask_mode == 'select':
        return _decibels(error[:, mask[1:, 1:]])
    return _decibels(error, count=pred.size)


def _unit_pair(pred: np.ndarray, target: np.ndarray, mask: np.ndarray, mask_mode: str) -> tuple:
    """Both frames in [-1, 1], with -1 outside of the mask if ``mask_mode`` is 'fill'."""
    check_choice('image_quality_iclr16', MASK_MODES, mask_mode=mask_mode)
    pair = checked_pair(pred, target, mask)
    pair = tuple(frame / 127.5 - 1 for frame in pair)
    return tuple(np.where(mask, frame, -1.0) for frame in pair) if mask_mode == 'fill' else pair


def _decibels(error: np.ndarray, count: int | None = None) -> float:
    if not error.size:
        return float('nan')
    mean = error.sum() / (count or error.size)
    return float(10 * np.log10(255**2 / max(_SCALE * mean, _FLOOR)))


def _full_ssim_map(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(H + 10, W + 10) of two maps (H, W) in [0, 255]."""
    offsets = np.arange(-SSIM_MARGIN, SSIM_MARGIN + 1)
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(values: np.ndarray) -> np.ndarray:
        values = np.pad(values, SSIM_MARGIN)
        for axis in (0, 1):
            values = scipy.ndimage.convolve1d(values, window, axis=axis, mode='constant')
        return values

    mean_a, mean_b = blur(pred), blur(target)
    var_a, var_b = blur(pred**2) - mean_a**2, blur(target**2) - mean_b**2
    covariance = blur(pred * target) - mean_a * mean_b
    return ((2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)) / (
        (mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2)
    )
