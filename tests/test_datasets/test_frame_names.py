"""Folders of images: the frames of one video, their order and their gaps."""

import numpy as np
import pytest
from PIL import Image

from mmforecast.datasets import VideoFolderDataset
from mmforecast.datasets.video import VideoError
from mmforecast.datasets.video.frame_names import arrange_frames, find_breaks, natural_key

SECONDS = [f't{number * 0.05:.2f}'.rstrip('0').rstrip('.') + '.png' for number in range(31)]


@pytest.mark.parametrize(
    'names',
    [
        SECONDS,
        ['t0.5.png', 't0.55.png', 't0.6.png', 't1.png', 't1.05.png'],
        ['v0.9.png', 'v0.10.png', 'v0.11.png'],  # counted, not measured
        ['v1.98.png', 'v1.99.png', 'v1.100.png'],
        ['1305031102.175304.png', '1305031102.211214.png', '1305031103.043227.png'],
        ['cam.0009.png', 'cam.0010.png', 'cam.0100.png'],
        ['frame8.JPG', 'Frame9.jpg', 'frame10.jpeg'],
        ['b.png', 'c.png', 'd.png'],
        ['bild_ä9.png', 'bild_ä10.png'],
        [f'aachen_000000_{number:06d}_leftImg8bit.png' for number in range(5)],
    ],
)
def test_order(names):
    shuffled = [names[number] for number in np.random.default_rng(0).permutation(len(names))]
    arranged = arrange_frames(shuffled)
    assert arranged.names == names and not arranged.left_out


def test_decimal_key():
    assert natural_key('t0.05', decimal=True) < natural_key('t0.1', decimal=True)
    assert natural_key('t0.5') < natural_key('t0.05x') < natural_key('t0.10')


def series(pattern, numbers=range(8)):
    return [pattern.format(number) for number in numbers]


@pytest.mark.parametrize(
    'frames, others',
    [
        ('img_{:05d}.jpg', ['flow_x_{:05d}.jpg', 'flow_y_{:05d}.jpg']),
        ('{:05d}.jpg', ['{:05d}_mask.png']),
        ('image{}.png', ['depth{}.png', 'Label{}.png', 'seg-{}.png']),
        ('a_{}_leftImg8bit.png', ['a_{}_gtFine_labelIds.png', 'a_{}_gtFine_instanceIds.png']),
    ],
)
def test_what_lies_beside_frames_is_left_out(frames, others):
    beside = [name for pattern in others for name in series(pattern)]
    arranged = arrange_frames([*beside, *series(frames), 'cover.png'])
    assert arranged.names == series(frames)
    assert arranged.left_out == sorted([*beside, 'cover.png'])


@pytest.mark.parametrize(
    'patterns, sentence',
    [
        (('left_{}.png', 'right_{}.png'), r'left_\*, right_\*'),
        (('left{}.png', 'right{}.png', 'flow{}.png'), r'flow\*, left\*, right\*'),
        (('flow_x_{}.png', 'flow_y_{}.png'), r'flow_x_\*, flow_y_\*'),
        (('{}.jpg', '{}.png'), r'\*.jpg, \*.png'),  # images and labels of one name
        (('a{}.png', 'b{}_x.png'), r'a\*, b\*_x'),
    ],
)
def test_several_series_are_refused(patterns, sentence):
    names = [name for pattern in patterns for name in series(pattern)]
    with pytest.raises(VideoError, match=f'several series of images .{sentence}.*folder of its own'):
        arrange_frames(names)


@pytest.mark.parametrize(
    'names, breaks',
    [
        (series('{}.png', [1, 2, 3, 7, 8, 9]), [3]),
        (series('a7_{:04d}.png', [0, 2, 4, 6, 10, 12]), [4]),
        (series('{}_leftImg8bit.png', [5, 6, 7, 9]), [3]),
        (SECONDS, []),
        ([name for name in SECONDS if name != 't0.35.png'], [7]),
        (['a.png', 'b.png', 'd.png'], []),
        (series('{}.png', [100, 203, 299, 401, 602, 700]), [4]),  # time stamps waver
        ([f'cam{c}_{n}.png' for c in (0, 1) for n in range(5)], [5]),
        ([f'frame_{n}_t{n * 40}.png' for n in (0, 1, 2, 5, 6)], [3]),
        (['7_800.png', '7_900.png', '8_000.png', '8_100.png'], []),  # carried over
        (['7_700.png', '7_800.png', '8_300.png', '8_400.png'], [2]),
        (['12_800000000.png', '12_900000000.png', '13_000000000.png', '13_100000000.png'], []),  # ns
        (['12-58-57.png', '12-58-58.png', '12-58-59.png', '12-59-00.png', '12-59-01.png'], []),
        (series('{}.png', [3, 9]), []),
        (series('{}.png', [*range(4), *range(10, 14), *range(20, 24)]), [4, 8]),
    ],
)
def test_missing_frames(names, breaks):
    arranged = arrange_frames(names)
    assert arranged.names == names
    assert find_breaks(names, arranged.decimal) == breaks


def write(folder, numbers, size=(16, 12)):
    folder.mkdir()
    for number in numbers:
        Image.new('RGB', size, (number, 0, 0)).save(folder / f'frame{number}.png')


OPTIONS = dict(num_past=2, num_future=1)


def test_no_clip_goes_over_a_gap(tmp_path, log):
    write(tmp_path / 'a', [*range(6), *range(9, 15)])
    clips = VideoFolderDataset(str(tmp_path), **OPTIONS)
    spans = [clips[index]['frame_names'] for index in range(len(clips))]
    assert len(clips) == 4 + 4 and ['frame4.png', 'frame5.png', 'frame9.png'] not in spans
    assert 'a lacks frames in 1 places, first between frame5.png and frame9.png' in log.text
    parts = [
        VideoFolderDataset(str(tmp_path), split=split, val_fraction=0.25, **OPTIONS)
        for split in ('train', 'val')
    ]
    assert [len(part) for part in parts] == [4 + 1, 1]
    wide = VideoFolderDataset(str(tmp_path), stride=(1, 2), sampling='video', **OPTIONS)
    for _ in range(40):
        frames = wide[0]['frame_names']
        numbers = [int(name[5:-4]) for name in frames]
        assert numbers[2] < 6 or numbers[0] > 8


def test_only_gaps(tmp_path):
    write(tmp_path / 'a', [0, 1, 10, 11, 20, 21])
    with pytest.raises(ValueError, match='no clip fits.* has 6 in 3 parts, between which frames are missing'):
        VideoFolderDataset(str(tmp_path), **OPTIONS).full_init()


@pytest.mark.parametrize('suffix', ['bmp', 'tif', 'TIFF', 'webp', 'JPG'])
def test_kinds_of_images(tmp_path, suffix):
    (tmp_path / 'a').mkdir()
    for number in range(4):
        Image.new('RGB', (16, 12), (40 * number, 9, 0)).save(tmp_path / 'a' / f'{number}.{suffix}')
    pipeline = [dict(type='LoadClipFrames')]
    (item, _) = VideoFolderDataset(str(tmp_path), pipeline=pipeline, **OPTIONS)
    assert item['frames'].shape == (3, 12, 16, 3)
    assert np.abs(item['frames'].mean((1, 2))[:, 0] - [0, 40, 80]).max() < 4


def test_several_pictures_in_a_file(tmp_path):
    (tmp_path / 'a').mkdir()
    pages = [Image.new('RGB', (16, 12), (number, 0, 0)) for number in range(5)]
    for number in range(3):
        pages[0].save(tmp_path / 'a' / f'{number}.tif', save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match='has a file of 5 pictures, 0.tif: save each as a file of its own'):
        VideoFolderDataset(str(tmp_path), **OPTIONS).full_init()


def test_folder_above_the_frames(tmp_path, log):
    (tmp_path / 'a').mkdir()
    write(tmp_path / 'a' / 'b', range(4))
    write(tmp_path / 'c', range(4))
    VideoFolderDataset(str(tmp_path), videos=['a', 'c'], **OPTIONS).full_init()
    assert f'a has no frame; the folders in it have: give one of them, {tmp_path / "a" / "b"}' in log.text


def test_times_of_clips(tmp_path, write_at, log):
    write_at(tmp_path / 'a.mp4', [*range(0, 20, 4), *range(116, 600, 100)])
    clips = VideoFolderDataset(str(tmp_path), **OPTIONS)
    np.testing.assert_allclose(clips[0]['frame_times'], [0, 0.04, 0.08], atol=1e-3)
    np.testing.assert_allclose(clips[5]['frame_times'], [1.16, 2.16, 3.16], atol=1e-3)
    assert 'a.mp4 has a variable frame rate: its frames are 0.04 to 1 s apart; strides count' in log.text
    second = VideoFolderDataset(str(tmp_path), split='val', val_fraction=0.4, **OPTIONS)
    np.testing.assert_allclose(second[0]['frame_times'], clips[6]['frame_times'])
