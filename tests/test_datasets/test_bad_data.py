"""Bad files in an otherwise good dataset: each says what, where and what to do."""

import zipfile

import cv2
import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from mmforecast.datasets import CamVidSequenceDataset, CorruptFrameError
from mmforecast.datasets.file_access import FileReader

PIPELINE = (
    dict(type='LoadClipFrames'),
    dict(type='LoadClipSemSeg'),
    dict(type='PackForecastInputs'),
)


def dataset(root, **options):
    defaults = dict(split='all', num_past=2, num_future=1, stride=1, pipeline=PIPELINE)
    return CamVidSequenceDataset(root, **{**defaults, **options})


@pytest.fixture
def root(tmp_path):
    """Twelve frames of noise, so that a PNG has many bytes to lose."""
    rng = np.random.default_rng(0)
    for folder, shape, high in (('images', (24, 32, 3), 256), ('labels', (24, 32), 12)):
        (tmp_path / folder).mkdir()
        for number in range(12):
            image = rng.integers(0, high, shape).astype(np.uint8)
            assert cv2.imwrite(str(tmp_path / folder / f'0016E5_{number:05d}.png'), image)
    return tmp_path


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b'')


def overwrite(path):
    path.write_bytes(b'<html>404 not found</html>')


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(bytes(data))


DAMAGES = [truncate, empty, overwrite, flip_a_byte, lambda path: path.unlink()]


@pytest.mark.parametrize('folder', ['images', 'labels'])
@pytest.mark.parametrize('damage', DAMAGES)
def test_file_that_cannot_be_read(root, folder, damage):
    whole = dataset(root, test_mode=True)
    bad = root / folder / '0016E5_00005.png'
    damage(bad)
    good = [clip for clip in range(len(whole)) if clip not in (3, 4, 5)]
    for clip in good:
        whole[clip]
    for clip in (3, 4, 5):
        with pytest.raises(CorruptFrameError) as error:
            whole[clip]
        assert str(bad) in str(error.value)
        assert 'sequence 0016E5_00000' in str(error.value)
        assert 'restore the file' in str(error.value)


@pytest.mark.parametrize('workers', [0, 2])
def test_training_goes_on_without_the_bad_file(root, workers):
    train = dataset(root)
    truncate(root / 'images' / '0016E5_00005.png')
    loader = DataLoader(train, batch_size=2, num_workers=workers, collate_fn=pseudo_collate)
    samples = [sample for batch in loader for sample in batch['data_samples']]
    assert len(samples) == len(train) == 10
    assert all('0016E5_00005' not in sample.frame_names for sample in samples)


def test_error_of_a_worker_still_names_the_file(root):
    bad = root / 'images' / '0016E5_00005.png'
    test = dataset(root, test_mode=True)
    truncate(bad)
    loader = DataLoader(test, sampler=[4], num_workers=1, collate_fn=pseudo_collate)
    clips = iter(loader)
    with pytest.raises(CorruptFrameError, match='0016E5_00005'):
        next(clips)
    assert not list(clips)  # ends the worker; abandoning it takes torch five seconds


def test_frames_of_two_sizes(root):
    bad = root / 'images' / '0016E5_00005.png'
    cv2.imwrite(str(bad), np.zeros((20, 32, 3), np.uint8))
    # An error of the whole dataset, not of one file: training stops as well.
    with pytest.raises(ValueError, match=r'00005\.png is 20x32 pixels, but .* 24x32') as error:
        dataset(root)[4]
    assert not isinstance(error.value, CorruptFrameError)


@pytest.mark.parametrize('pipeline', [PIPELINE, (PIPELINE[1], PIPELINE[0], PIPELINE[2])])
def test_labels_of_another_size_than_the_frames(root, pipeline):
    for path in (root / 'labels').iterdir():
        cv2.imwrite(str(path), np.zeros((48, 64), np.uint8))
    with pytest.raises(ValueError, match='24x32') as error:
        dataset(root, pipeline=pipeline)[0]
    assert '48x64' in str(error.value)
    assert 'nearest neighbor' in str(error.value)
    assert 'sequence 0016E5_00000' in str(error.value)


def test_color_image_for_a_label_map(root):
    path = root / 'labels' / '0016E5_00000.png'
    cv2.imwrite(str(path), np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(ValueError, match=r'00000\.png .* is not a label map'):
        dataset(root)[0]


def test_label_that_the_table_does_not_know(root):
    path = root / 'labels' / '0016E5_00000.png'
    cv2.imwrite(str(path), np.full((24, 32), 26, np.uint8))
    with pytest.raises(ValueError, match=r'00000\.png holds label 26'):
        dataset(root)[0]


def test_horizon_longer_than_the_data(root):
    with pytest.raises(ValueError, match=r'num_future=20, stride=1 needs 22 frames.* has 12'):
        dataset(root, num_future=20)


def test_archive_that_is_damaged(tmp_path):
    path = tmp_path / 'frames.zip'
    content = bytes(range(256)) * 8
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('val/a.png', content)
    reader = FileReader()
    assert reader.read(f'{path}/val/a.png') == content
    with pytest.raises(FileNotFoundError, match='no member val/b.png'):
        reader.read(f'{path}/val/b.png')
    data = bytearray(path.read_bytes())
    data[data.index(content) + 100] ^= 255
    path.write_bytes(bytes(data))
    with pytest.raises(OSError, match='CRC'):
        FileReader().read(f'{path}/val/a.png')
