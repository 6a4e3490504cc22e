"""Display matrices and shapes of pixels: frames are read as a player shows them.

Sources: opencv#15499, opencv#26876 (orientation), mpv#16078 (mirroring), opencv#4921 (pixel aspect).
"""

import itertools
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from mmforecast.datasets.video import VideoError, VideoReader, index_video

ONE = 1 << 16
# The matrix ((a, b), (c, d)) of each orientation, and what a player makes of a picture by it.
ORIENTATIONS = {
    'as it is': ((ONE, 0, 0, ONE), lambda a: a),
    'mirrored': ((-ONE, 0, 0, ONE), lambda a: a[:, ::-1]),
    'upside down': ((ONE, 0, 0, -ONE), lambda a: a[::-1]),
    'half a turn': ((-ONE, 0, 0, -ONE), lambda a: a[::-1, ::-1]),
    'clockwise': ((0, ONE, -ONE, 0), lambda a: np.rot90(a, -1)),
    'counter-clockwise': ((0, -ONE, ONE, 0), lambda a: np.rot90(a)),
    'transposed': ((0, ONE, ONE, 0), lambda a: a.swapaxes(0, 1)),
    'transversed': ((0, -ONE, -ONE, 0), lambda a: a[::-1, ::-1].swapaxes(0, 1)),
}


def set_matrix(path, a, b, c, d):
    """Put a display matrix into the track header of an MP4 file."""
    data = bytearray(path.read_bytes())
    start = data.index(b'tkhd') + 4 + 40
    assert data[start : start + 4] == struct.pack('>i', ONE)
    struct.pack_into('>9i', data, start, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def quarters(size=(48, 64)):
    """A picture with a color in each quarter."""
    shown = np.zeros((*size, 3), np.uint8)
    colors = [(200, 30, 30), (30, 180, 30), (30, 30, 200), (210, 200, 30)]
    for (row, column), color in zip(itertools.product((0, 1), (0, 1)), colors):
        height, width = size[0] // 2, size[1] // 2
        shown[row * height :, column * width :][:height, :width] = color
    return shown


@pytest.mark.parametrize('name', ORIENTATIONS)
def test_all_eight_orientations(tmp_path, write_video, name):
    matrix, expected = ORIENTATIONS[name]
    path = write_video(tmp_path / 'a.mp4', [quarters()] * 3)
    set_matrix(path, *matrix)
    (frame,) = VideoReader().read(str(path), [1])
    shown = expected(quarters())
    assert frame.shape == shown.shape and index_video(str(path)).size == shown.shape[:2]
    assert np.abs(frame.astype(int) - shown).mean() < 8


def disc(height, width, aspect):
    """A disc on the screen, stored with pixels of this aspect."""
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) * aspect) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
    return (np.stack([inside] * 3, -1) * 255).astype(np.uint8)


def write_with_aspect(path, frames, aspect):
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=25, options=dict(crf='1'))
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], 'yuv420p'
        stream.codec_context.sample_aspect_ratio = aspect
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    'aspect, size', [('64/45', (96, 171)), ('1/2', (192, 120)), ('2/1', (96, 240)), ('200/199', (96, 120))]
)
@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
def test_pixels_become_square(tmp_path, aspect, size, suffix):
    ratio = Fraction(aspect)
    path = write_with_aspect(tmp_path / f'a.{suffix}', [disc(96, 120, float(ratio))] * 3, ratio)
    (frame,) = VideoReader().read(str(path), [2])
    assert frame.shape[:2] == index_video(str(path)).size == size
    rows, columns = np.nonzero(frame[..., 0] > 127)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert abs(width / height - 1) < 0.06


def test_turned_and_not_square(tmp_path):
    """The aspect is that of stored pixels, before the turn."""
    path = write_with_aspect(tmp_path / 'a.mp4', [disc(96, 120, 2)] * 2, Fraction(2))
    set_matrix(path, 0, ONE, -ONE, 0)
    assert VideoReader().read(str(path), [0])[0].shape[:2] == index_video(str(path)).size == (240, 96)


def test_aspect_of_a_wrong_header(tmp_path):
    path = write_with_aspect(tmp_path / 'a.mp4', [disc(96, 120, 1)] * 2, Fraction(16))
    with pytest.raises(VideoError, match='has pixels of 16:1: its header is wrong.*setsar=1'):
        index_video(str(path))
