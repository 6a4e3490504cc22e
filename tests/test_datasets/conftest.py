"""Small videos, written here, whose frames tell their number."""

import logging
from fractions import Fraction

import av
import numpy as np
import pytest
from mmengine.logging import MMLogger

BITS, CELL = 8, 8  # a frame's number stands in its first rows, in cells of 8x8 pixels


def draw_picture(number, size=(48, 64)):
    """A frame of (height, width) with its number in black and white cells, above noise."""
    frame = np.random.default_rng(number).integers(0, 256, (*size, 3)).astype(np.uint8)
    for bit in range(BITS):
        frame[:CELL, bit * CELL : (bit + 1) * CELL] = 255 * (number >> bit & 1)
    return frame


def read_number(frame):
    """The number in a picture, through any lossy codec."""
    cells = frame[:CELL, : BITS * CELL].reshape(CELL, BITS, CELL, 3).mean((0, 2, 3)) > 127
    return sum(int(cell) << bit for bit, cell in enumerate(cells))


def encode(path, frames=40, codec='libx264', rate=25, pix_fmt='yuv420p', rotation=0, **options):
    """Write a video of so many pictures, or of these, with a keyframe every 12.

    Options are the codec's; ``container`` holds those of the container.
    """
    if isinstance(frames, int):
        frames = [draw_picture(number) for number in range(frames)]
    container_options = options.pop('container', {})
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w', options=container_options) as container:
        stream = container.add_stream(codec, rate=rate, options=dict(g='12') | options)
        stream.height, stream.width = frames[0].shape[:2] if frames else (48, 64)
        stream.pix_fmt = pix_fmt
        if rotation:
            stream.set_display_rotation(rotation)
        container.start_encoding()  # writes the header, even where no frame follows
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode())
    return path


def encode_at(path, ticks):
    """A video of one frame at each of these multiples of 10 ms."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=25, options=dict(g='12'))
        stream.height, stream.width, stream.pix_fmt = 48, 64, 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 100)
        for number, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), format='rgb24')
            frame.pts, frame.time_base = tick, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope='session')
def picture():
    return draw_picture


@pytest.fixture(scope='session')
def number_in():
    return read_number


@pytest.fixture(scope='session')
def write_video():
    return encode


@pytest.fixture(scope='session')
def write_at():
    return encode_at


@pytest.fixture
def log(caplog):
    """What the library logs, from warnings on."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.WARNING)
    yield caplog
    logger.removeHandler(caplog.handler)
