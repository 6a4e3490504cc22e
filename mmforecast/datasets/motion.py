"""Measures of motion in a picture."""

import numpy as np

__all__ = ['color_flow_mask', 'squared_motion']


def squared_motion(before: np.ndarray, after: np.ndarray) -> float:
    """Mean squared difference of two uint8 images of one shape, of values scaled to [-1, 1]."""
    return float(np.square(np.subtract(after, before, dtype=np.float32)).mean()) / 127.5**2


def color_flow_mask(flow: np.ndarray, threshold: float = 0.2) -> np.ndarray:
    """Where a color-coded flow picture shows motion: (H, W) bool.

    The stiller a pixel, the whiter it is; it moves if any of its red, green and blue is below the
    threshold. Source: the released code of arXiv 1511.05440. The pictures are scaled one by one, so
    that the threshold is no speed in pixels.

    Args:
        flow: (H, W, 3) uint8, channels in any order.
        threshold: In [0, 1], of values scaled to [0, 1].
    """
    return (flow < threshold * 255).any(axis=-1)
