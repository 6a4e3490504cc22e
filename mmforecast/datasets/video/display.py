"""The way from a stored frame to the one that a player shows: square pixels, upright, not mirrored."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmforecast.utils.pyav import side_data_class

from .opening import VideoError

__all__ = ['Orientation', 'pixel_aspect', 'shown_size', 'square_size']

# Pixels within 1 % of a square are left as they are; encoders round.
_SQUARE_TOLERANCE = 0.01
# Wider or narrower pixels occur in damaged headers only. Anamorphic film has 2:1.
_MAX_ASPECT = 8


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to lay a picture on the axes; flips come after the transposition.

    Attributes:
        transposed: Whether rows become columns.
        flip_y: Whether the top becomes the bottom.
        flip_x: Whether left becomes right.
    """

    transposed: bool = False
    flip_y: bool = False
    flip_x: bool = False

    @classmethod
    def of_frame(cls, frame: Any) -> 'Orientation':
        """Read a decoded frame's display matrix; angles between are rounded to quarter turns.

        The matrix ((a, b, u), (c, d, v), (x, y, w)) maps a stored pixel (p, q) to
        (a p + c q + x, b p + d q + y), x to the right and y down (ISO/IEC 14496-12, 8.3.2).
        """
        # frame.side_data would keep the frame in a cycle, and its memory until the next garbage collection
        matrix = side_data_class()(frame).get('DISPLAYMATRIX')
        if matrix is None:
            return cls()
        a, b, _, c, d = struct.unpack('=5i', bytes(matrix)[:20])
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(flip_y=d < 0, flip_x=a < 0)
        return cls(transposed=True, flip_y=b < 0, flip_x=c < 0)

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Lay an (H, W, ...) array as it is to be shown."""
        if self.transposed:
            array = array.swapaxes(0, 1)
        return array[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


def pixel_aspect(stream: Any) -> float:
    """Width of a video stream's pixels over their height; 1 where the file doesn't say.

    Raises:
        VideoError: The header claims an aspect that no camera has.
    """
    ratio = stream.sample_aspect_ratio
    if not ratio:
        return 1.0
    aspect = float(ratio)
    if not 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT:
        raise VideoError(
            f'has pixels of {ratio.numerator}:{ratio.denominator}: its header is wrong; write it again '
            'with square pixels (ffmpeg -i IN -vf setsar=1 OUT.mp4)'
        )
    return 1.0 if abs(aspect - 1) <= _SQUARE_TOLERANCE else aspect


def square_size(height: int, width: int, aspect: float) -> tuple[int, int]:
    """(height, width) of a stored frame with square pixels: the side with larger pixels grows."""
    if aspect >= 1:
        return height, round(width * aspect)
    return round(height / aspect), width


def shown_size(frame: Any, aspect: float) -> tuple[int, int]:
    """(height, width) of a decoded frame as it is to be shown."""
    size = square_size(frame.height, frame.width, aspect)
    return size[::-1] if Orientation.of_frame(frame).transposed else size
