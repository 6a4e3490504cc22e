"""Decoding of single photographs, of whatever kind users have, into RGB."""

import io
import struct
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .corrupt_files import CorruptFileError

__all__ = [
    'BadImageError',
    'IMAGE_SUFFIXES',
    'MAX_PIXELS',
    'claimed_size',
    'decode_gray',
    'decode_rgb',
    'stored_values',
]

_PNG = b'\x89PNG\r\n\x1a\n'
_PNG_GREY, _PNG_PALETTE = 0, 3  # of the color type in its header

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.gif')

# A 64 megapixel photograph takes 200 MB as RGB; what claims to be larger is refused unread.
MAX_PIXELS = 64_000_000


class BadImageError(CorruptFileError):
    """One image can't be used."""


def decode_rgb(data: bytes, path: str, fill: int = 255, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an image file to 8-bit RGB, upright as its EXIF entry says.

    Gray, palette, CMYK and 16-bit files are converted; what is transparent shows ``fill``. Of an
    animation, the first frame is taken.

    Args:
        data: The file's content.
        path: Its name, for the messages.
        fill: Gray level in [0, 255] behind transparent pixels.
        max_pixels: Larger images are refused before they are decoded.

    Returns:
        uint8 (H, W, 3).

    Raises:
        BadImageError: The file is empty, truncated, corrupt, of no known format, or too large.
    """
    return np.asarray(_to_rgb(_open(data, path, max_pixels), fill))


def decode_gray(data: bytes, path: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """As :func:`decode_rgb`, to one channel: uint8 (H, W). For masks."""
    return np.asarray(_to_rgb(_open(data, path, max_pixels), fill=0).convert('L'))


def claimed_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) that an image file's header claims, without decoding it; None where it has none."""
    if data.startswith(_PNG) and len(data) >= 24:
        width, height = struct.unpack('>II', data[16:24])
        return height, width
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            with Image.open(io.BytesIO(data)) as image:
                return image.height, image.width
    except Image.DecompressionBombError:
        side = int(2 * Image.MAX_IMAGE_PIXELS) + 1
        return 1, side  # what it claims exactly, Pillow doesn't say
    except Exception:  # as many kinds as there are formats
        return None


def stored_values(data: bytes, image: np.ndarray) -> np.ndarray:
    """The values that a decoded image file stores in each pixel, where they are indices and no colors.

    Decoders show the colors of a palette, and stretch gray levels of 1, 2 and 4 bits to 8.

    Args:
        data: The file's content.
        image: As ``cv2.IMREAD_UNCHANGED`` decodes it.
    """
    if data.startswith(_PNG) and len(data) > 25:
        bits, kind = data[24], data[25]  # of the header, IHDR
        if kind == _PNG_PALETTE:
            return _palette_indices(data)
        if kind == _PNG_GREY and bits < 8:
            return image // (255 // (2**bits - 1))
        return image
    if data.startswith((b'BM', b'GIF8', b'II*\0', b'MM\0*')):
        with Image.open(io.BytesIO(data)) as picture:
            if picture.mode == 'P':
                return _palette_indices(data)
    return image


def _palette_indices(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture)


def _open(data: bytes, path: str, max_pixels: int) -> Image.Image:
    """The decoded, upright image in its own mode."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # Pillow's own limit lies higher; broken EXIF entries
            image = Image.open(io.BytesIO(data))
            if image.width * image.height > max_pixels:
                raise BadImageError(
                    f'{path} says to be {image.width}x{image.height} pixels, more than the '
                    f'{max_pixels} allowed: make it smaller, or raise max_pixels if it is genuine.',
                    path,
                )
            image.load()
            return ImageOps.exif_transpose(image)
    except BadImageError:
        raise
    except Image.DecompressionBombError as error:  # more than twice Pillow's own limit
        raise BadImageError(
            f'{path} says to be larger than {2 * Image.MAX_IMAGE_PIXELS} pixels: make it smaller.',
            path,
        ) from error
    except UnidentifiedImageError as error:
        what = f'{len(data)} bytes' if data else 'an empty file'
        raise BadImageError(
            f'{path} ({what}) is no image that Pillow can read: restore or remove it.', path
        ) from error
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error, ...
        raise BadImageError(
            f'{path} is truncated or corrupt ({len(data)} bytes; {error}): restore or remove it.',
            path,
        ) from error


def _to_rgb(image: Image.Image, fill: int) -> Image.Image:
    if image.mode in ('I', 'F') or image.mode.startswith('I;16'):
        image = Image.fromarray(_to_eight_bits(np.asarray(image)))
    if image.mode in ('RGBA', 'LA', 'PA', 'RGBa', 'La') or 'transparency' in image.info:
        image = image.convert('RGBA')
        ground = Image.new('RGBA', image.size, (fill, fill, fill, 255))
        image = Image.alpha_composite(ground, image)
    return image.convert('RGB')


def _to_eight_bits(values: np.ndarray) -> np.ndarray:
    """16-bit gray levels in [0, 65535] to [0, 255]; float levels are taken as [0, 255]."""
    if values.dtype.kind != 'f':
        values = values.astype(np.float64) / 257
    return np.clip(np.rint(np.nan_to_num(values)), 0, 255).astype(np.uint8)
