"""Label maps of every depth and kind: the stored values are the class indices.

Sources: mmsegmentation#1335 and #1400 (indices and palettes), #1858 and #2486 (colored label maps).
"""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mmforecast.datasets import CamVidSequenceDataset, CityscapesSequenceDataset
from mmforecast.datasets.image_files import stored_values

PIPELINE = [dict(type='LoadClipFrames'), dict(type='LoadClipSemSeg')]


def encoded(suffix, image, **options):
    buffer = io.BytesIO()
    image.save(buffer, suffix, **options)
    return buffer.getvalue()


def write_png(values, bits, kind):
    """A PNG of this depth, gray or with a palette."""

    def chunk(name, data):
        content = name + data
        return struct.pack('>I', len(data)) + content + struct.pack('>I', zlib.crc32(content))

    height, width = values.shape
    samples = (values[..., None] >> np.arange(bits)[::-1] & 1).reshape(height, -1).astype(np.uint8)
    rows = np.packbits(samples, axis=1)
    raw = b''.join(b'\0' + row.tobytes() for row in rows)
    palette = np.random.default_rng(0).integers(0, 256, (2 ** min(bits, 8), 3)).astype(np.uint8)
    parts = [chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, kind, 0, 0, 0))]
    if kind == 3:
        parts.append(chunk(b'PLTE', palette.tobytes()))
    parts += [chunk(b'IDAT', zlib.compress(raw)), chunk(b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(parts)


DEPTHS = [*((bits, 0) for bits in (1, 2, 4, 8, 16)), *((bits, 3) for bits in (1, 2, 4, 8))]


@pytest.mark.parametrize('bits, kind', DEPTHS)
def test_values_of_a_png(bits, kind):
    values = np.arange(13 * 7).reshape(7, 13) % min(2**bits, 256)
    data = write_png(values, bits, kind)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored_values(data, image), values)


@pytest.mark.parametrize('suffix', ['BMP', 'TIFF', 'GIF'])
def test_palettes_of_other_formats(suffix):
    values = (np.arange(48).reshape(6, 8) % 11).astype(np.uint8)
    picture = Image.fromarray(values)
    picture.putpalette(np.random.default_rng(0).permutation(768).astype(np.uint8).tolist())
    data = encoded(suffix, picture)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored_values(data, image), values)


def camvid(root, write_label, name='0016E5_{:05d}.png'):
    for folder in ('images', 'labels'):
        (root / folder).mkdir()
    for number in range(4):
        cv2.imwrite(str(root / 'images' / f'0016E5_{number:05d}.png'), np.zeros((8, 11, 3), np.uint8))
        write_label(root / 'labels' / name.format(number))
    options = dict(split='all', num_past=2, num_future=1, stride=1, test_mode=True)
    return CamVidSequenceDataset(root, pipeline=PIPELINE, **options)


VALUES = np.tile(np.arange(11), (8, 1))


@pytest.mark.parametrize('bits, kind', [(4, 0), (8, 0), (16, 0), (4, 3), (8, 3)])
def test_clip_of_any_depth(tmp_path, bits, kind):
    data = write_png(VALUES, bits, kind)
    item = camvid(tmp_path, lambda path: path.write_bytes(data))[0]
    np.testing.assert_array_equal(item['gt_sem_seg'], np.stack([VALUES] * 3))


@pytest.mark.parametrize('name', ['0016E5_{:05d}_L.png', '0016E5_{:05d}.PNG', '0016E5_{:05d}_L.PNG'])
def test_names_of_the_original_release(tmp_path, name):
    data = write_png(VALUES, 8, 0)
    item = camvid(tmp_path, lambda path: path.write_bytes(data), name)[0]
    assert item['labelled'] == [True] * 3


def test_labels_of_other_frames(tmp_path):
    data = write_png(VALUES, 8, 0)
    with pytest.raises(ValueError, match='none of the 4 label maps .* belongs to a frame .*00000_gt.png'):
        camvid(tmp_path, lambda path: path.write_bytes(data), '0016E5_{:05d}_gt.png')


@pytest.mark.parametrize(
    'write, sentence',
    [
        (lambda path: Image.new('RGB', (11, 8), (64, 0, 128)).save(path), 'not a label map: .*color'),
        (lambda path: Image.new('RGBA', (11, 8)).save(path), 'not a label map: .*color'),
        (
            lambda path: path.write_bytes(write_png(VALUES * 3000, 16, 0)),
            'not a label map: .*uint16',
        ),
        (lambda path: Image.new('L', (11, 8)).save(path, 'JPEG'), 'is a JPEG, .*write label maps as PNG'),
    ],
)
def test_what_is_no_label_map(tmp_path, write, sentence):
    with pytest.raises(ValueError, match=sentence):
        camvid(tmp_path, write)[0]


@pytest.mark.parametrize('bits', [1, 2, 4])
def test_shallow_train_ids_of_cityscapes(tmp_path, bits):
    values = np.arange(24).reshape(4, 6) % 2**bits
    frames, labels = (tmp_path / name / 'train/aachen' for name in ('leftImg8bit_sequence', 'gtFine'))
    frames.mkdir(parents=True)
    labels.mkdir(parents=True)
    for number in range(30):
        name = frames / f'aachen_000000_{number:06d}_leftImg8bit.png'
        cv2.imwrite(str(name), np.zeros((4, 6, 3), np.uint8))
    path = labels / 'aachen_000000_000019_gtFine_labelTrainIds.png'
    path.write_bytes(write_png(values, bits, 0))
    item = CityscapesSequenceDataset(tmp_path, pipeline=PIPELINE)[0]
    np.testing.assert_array_equal(item['gt_sem_seg'][-1], values)
