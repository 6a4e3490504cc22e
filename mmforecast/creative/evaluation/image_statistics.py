"""Brightness statistics of images."""

import numpy as np

from mmforecast.utils.checks import check_shape

__all__ = ['STATISTICS', 'image_statistics', 'luminance']

STATISTICS = ('darkness', 'intensity', 'skewness')

_WHITE = 0.98  # from here on a pixel is taken for the white ground of a product photograph
_DARK = 0.25


def luminance(images: np.ndarray) -> np.ndarray:
    """``Y = 0.299 R + 0.587 G + 0.114 B``, in [0, 1].

    Args:
        images: (N, 3, H, W), RGB in [0, 255].

    Returns:
        float64 (N, H, W).

    Raises:
        ValueError: ``images`` are of another shape or range.
    """
    images = np.asarray(images)
    check_shape('luminance', ('N', 3, 'H', 'W'), images=images)
    if images.size and (images.min() < 0 or images.max() > 255):
        raise ValueError(f'images must lie in [0, 255], got [{images.min():g}, {images.max():g}]')
    return np.tensordot(images.astype(np.float64), (0.299, 0.587, 0.114), axes=(1, 0)) / 255


def image_statistics(images: np.ndarray, masks: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Darkness, average intensity and skewness of each image's luminance Y.

    - ``darkness``: share of pixels with Y < 0.25.
    - ``intensity``: mean Y.
    - ``skewness``: third standardised moment of Y, 0 where all pixels are alike. Glossy things are skewed
      to the right (Motoyoshi et al., "Image statistics and the perception of surface qualities", 2007).

    Args:
        images: (N, 3, H, W), RGB in [0, 255].
        masks: (N, H, W) bool, the garments. Without, what isn't white ground (Y < 0.98); of an image that
            is all white, all.

    Returns:
        By name in :data:`STATISTICS`, (N,) float64. NaN where a mask is empty.
    """
    y = luminance(images)
    if masks is None:
        masks = y < _WHITE
        masks |= ~masks.any(axis=(1, 2), keepdims=True)
    masks = np.asarray(masks, bool)
    check_shape('image_statistics', y.shape, masks=masks)
    found = np.array([_of_pixels(one[mask]) for one, mask in zip(y, masks)]).reshape(-1, 3)
    return dict(zip(STATISTICS, found.T))


def _of_pixels(y: np.ndarray) -> tuple[float, float, float]:
    if not y.size:
        return (np.nan,) * 3
    mean, deviation = y.mean(), y.std()
    skewness = np.mean(((y - mean) / deviation) ** 3) if deviation > 1e-6 else 0.0
    return float((y < _DARK).mean()), float(mean), float(skewness)
