"""Optical flow as KITTI's 16-bit PNG (Menze and Geiger, CVPR 2015): (u, v) * 64 + 2**15, and validity."""

import numpy as np

__all__ = ['decode_flow', 'encode_flow']

_SCALE, _ZERO = 64.0, 2**15


def encode_flow(flow: np.ndarray) -> np.ndarray:
    """The uint16 picture (H, W, 3), in RGB order, of a flow (H, W, 2) in pixels.

    Vectors that are NaN or longer than 512 px along an axis are marked as not valid.
    """
    coded = np.round(np.nan_to_num(flow, nan=-np.inf) * _SCALE + _ZERO)
    valid = ((coded >= 0) & (coded <= 65535)).all(-1)
    return np.dstack([np.clip(coded, 0, 65535), valid]).astype(np.uint16)


def decode_flow(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flow (H, W, 2) float32 in pixels and validity (H, W) bool, from the uint16 picture in RGB order."""
    flow = (image[..., :2].astype(np.float32) - _ZERO) / _SCALE
    return flow, image[..., 2] > 0
