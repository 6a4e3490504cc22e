"""Files in the layout of MNIST, whole and hostile."""

import gzip
import struct

import numpy as np
import pytest

from mmforecast.creative.datasets import FashionMNISTDataset
from mmforecast.creative.datasets.idx_files import read_idx


def idx(array, shape=None):
    shape = shape or array.shape
    return bytes((0, 0, 8, len(shape))) + struct.pack(f'>{len(shape)}I', *shape) + array.tobytes()


@pytest.fixture
def root(tmp_path):
    images = np.random.randint(0, 256, (6, 28, 28), np.uint8)
    labels = np.array([9, 0, 3, 3, 1, 5], np.uint8)
    (tmp_path / 't10k-images-idx3-ubyte').write_bytes(idx(images))
    (tmp_path / 't10k-labels-idx1-ubyte.gz').write_bytes(gzip.compress(idx(labels)))
    return tmp_path


def test_images_and_labels(root):
    pipeline = [dict(type='FitToSquare', size=32), dict(type='PackCreativeInputs')]
    data = FashionMNISTDataset(str(root), split='test', pipeline=pipeline)
    assert len(data) == 6 and len(data.attributes['shape']) == 10
    assert data[0]['data_samples'].gt_labels == dict(shape=9)
    assert data[0]['inputs'].shape == (3, 32, 32)
    files = read_idx(str(root / 't10k-images-idx3-ubyte'), 3)
    plain = FashionMNISTDataset(str(root), split='test', invert=False)
    assert (plain[4]['img'] == files[4][..., None]).all()
    assert (FashionMNISTDataset(str(root), split='test')[4]['img'] == 255 - plain[4]['img']).all()


def test_subset(root):
    data = FashionMNISTDataset(str(root), split='test', indices=[1, 2])
    assert [entry['gt_labels']['shape'] for entry in data] == [0, 3]


def test_missing_file(root):
    with pytest.raises(FileNotFoundError, match=r'neither train-images-idx3-ubyte nor .*\.gz'):
        FashionMNISTDataset(str(root))
    with pytest.raises(ValueError, match="split must be one of 'train', 'test'"):
        FashionMNISTDataset(str(root), split='val')


def test_labels_of_another_split(root):
    (root / 't10k-labels-idx1-ubyte.gz').write_bytes(gzip.compress(idx(np.zeros(5, np.uint8))))
    with pytest.raises(ValueError, match='has 5 labels for 6 images'):
        FashionMNISTDataset(str(root), split='test')
    (root / 't10k-labels-idx1-ubyte.gz').write_bytes(gzip.compress(idx(np.full(6, 10, np.uint8))))
    with pytest.raises(ValueError, match='has the label 10, but there are 10 classes'):
        FashionMNISTDataset(str(root), split='test')


PIXELS = np.zeros((2, 3, 3), np.uint8)


@pytest.mark.parametrize(
    'content, sentence',
    [
        (b'', 'no IDX file'),
        (b'<html>404 not found</html>', r'no IDX file .*3c68746d.*error page'),
        (idx(np.zeros(5, np.uint8)), 'with 3 dimensions'),
        (idx(PIXELS)[:-1], 'ends early after 18 bytes'),
        (idx(PIXELS) + b'x', 'goes on after 18 bytes'),
        (idx(PIXELS, (2**32 - 1,) * 3), 'more than the 1073741824 allowed.*hostile'),
        (idx(PIXELS, (2**31, 2**31, 4)), 'more than the 1073741824 allowed'),  # 0 in 64 bits
    ],
)
@pytest.mark.parametrize('zipped', [False, True])
def test_bad_headers(tmp_path, content, sentence, zipped):
    path = tmp_path / ('images.gz' if zipped else 'images')
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(ValueError, match=sentence):
        read_idx(str(path), 3)


def test_gzip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / 'images.gz'
    path.write_bytes(gzip.compress(idx(PIXELS) + bytes(50_000_000)))
    with pytest.raises(ValueError, match='goes on after 18 bytes'):
        read_idx(str(path), 3)


@pytest.mark.parametrize('damage', [lambda data: data[:20], lambda data: b'no gzip at all'])
def test_damaged_gzip(tmp_path, damage):
    path = tmp_path / 'images.gz'
    path.write_bytes(damage(gzip.compress(idx(np.random.randint(0, 256, (4, 9, 9), np.uint8)))))
    with pytest.raises(ValueError, match='no whole gzip file'):
        read_idx(str(path), 3)
