"""RGB in [0, 255], as data has it, and in [-1, 1], as networks do."""

from torch import Tensor


def rgb_to_unit(frames: Tensor) -> Tensor:
    """[0, 255] to [-1, 1]."""
    return frames / 127.5 - 1


def unit_to_rgb(frames: Tensor) -> Tensor:
    """[-1, 1] to [0, 255], clipped."""
    return ((frames + 1) * 127.5).clamp(0, 255)
