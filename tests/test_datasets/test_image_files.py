"""Image files of every kind that collections hold, good and bad."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mmforecast.datasets.image_files import BadImageError, decode_gray, decode_rgb


def encode(image, suffix='PNG', **options):
    buffer = io.BytesIO()
    image.save(buffer, suffix, **options)
    return buffer.getvalue()


def test_rgb_is_read_as_rgb():
    pixels = np.random.randint(0, 256, (5, 7, 3), np.uint8)
    assert (decode_rgb(encode(Image.fromarray(pixels)), 'a.png') == pixels).all()


def test_gray_becomes_three_equal_channels():
    gray = np.arange(35, dtype=np.uint8).reshape(5, 7)
    assert (decode_rgb(encode(Image.fromarray(gray)), 'a.png') == gray[..., None]).all()
    assert (decode_gray(encode(Image.fromarray(gray)), 'a.png') == gray).all()


@pytest.mark.parametrize('mode', ['RGBA', 'LA', 'P'])
def test_transparent_parts_show_white(mode):
    rgba = Image.fromarray(np.full((2, 2, 4), (0, 0, 0, 0), np.uint8), 'RGBA')
    rgba.putpixel((1, 1), (0, 0, 0, 255))
    data = encode(rgba.convert('LA') if mode == 'LA' else rgba)
    if mode == 'P':
        palette = Image.fromarray(np.array([[0, 0], [0, 1]], np.uint8), 'P')
        palette.putpalette([9, 9, 9, 0, 0, 0])
        data = encode(palette, transparency=0)
    assert decode_rgb(data, 'a.png')[..., 0].tolist() == [[255, 255], [255, 0]]


def test_sixteen_bit_keeps_its_tones():
    tones = np.array([[0, 257 * 100, 65535]], np.uint16)
    assert decode_rgb(encode(Image.fromarray(tones)), 'a.png')[0, :, 1].tolist() == [0, 100, 255]


def test_cmyk_photograph():
    data = encode(Image.new('CMYK', (8, 8), (0, 255, 255, 0)), 'JPEG', quality=95)
    red, green, blue = decode_rgb(data, 'a.jpg')[4, 4].tolist()
    assert red > 200 and green < 60 and blue < 60


@pytest.mark.parametrize('suffix', ['JPEG', 'PNG'])
def test_exif_turns_the_image_upright(suffix):
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8] = 255  # bright at the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    image = decode_rgb(encode(Image.fromarray(pixels), suffix, exif=exif), 'a.jpg')
    assert image.shape == (16, 8, 3)
    assert image[:6].min() > 200 and image[-6:].max() < 60  # left has become top


def test_first_frame_of_an_animation():
    frames = [Image.new('RGB', (4, 4), color) for color in ('red', 'blue')]
    data = encode(frames[0], 'GIF', save_all=True, append_images=frames[1:])
    assert decode_rgb(data, 'a.gif')[0, 0].tolist() == [255, 0, 0]


def photograph():
    return encode(Image.fromarray(np.random.randint(0, 256, (40, 40, 3), np.uint8)), 'JPEG')


@pytest.mark.parametrize(
    'data, sentence',
    [
        (b'', r'shirt\.jpg \(an empty file\) is no image .*restore or remove it'),
        (b'<html>404</html>', r'shirt\.jpg \(16 bytes\) is no image'),
        (photograph()[:900], r'shirt\.jpg is truncated or corrupt \(900 bytes'),
    ],
)
def test_bad_files(data, sentence):
    with pytest.raises(BadImageError, match=sentence) as error:
        decode_rgb(data, 'shirt.jpg')
    assert error.value.path == 'shirt.jpg'


@pytest.mark.parametrize(
    'side, sentence',
    [(10_000, r'10000x10000 pixels, more than .* max_pixels'), (60_000, r'says to be larger than')],
)
def test_decompression_bomb_is_refused_by_its_header(side, sentence):
    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    chunk = b'IHDR' + header
    data = b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + chunk
    data += struct.pack('>I', zlib.crc32(chunk)) + struct.pack('>I', 10) + b'IDAT' + bytes(10)
    for decode in (decode_rgb, decode_gray):
        with pytest.raises(BadImageError, match=sentence):
            decode(data, 'bomb.png')


def test_size_limit():
    small = encode(Image.new('RGB', (10, 10)))
    with pytest.raises(BadImageError, match='10x10 pixels, more than the 99 allowed'):
        decode_rgb(small, 'a.png', max_pixels=99)
