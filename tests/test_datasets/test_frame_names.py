"""Names of frames in a folder: one series, its order, and its gaps."""

import pytest

from mmforecast.datasets.video import VideoError
from mmforecast.datasets.video.frame_names import arrange_frames, find_breaks, natural_key


def test_whole_numbers_sort_by_value():
    names = ['f10.png', 'f9.png', 'f1.png', 'F2.png']
    assert sorted(names, key=natural_key) == ['f1.png', 'F2.png', 'f9.png', 'f10.png']


def test_decimal_numbers_sort_by_value():
    found = arrange_frames(['t0.5.png', 't0.05.png', 't0.1.png', 't1.png', 't0.png'])
    assert found.decimal and found.names == ['t0.png', 't0.05.png', 't0.1.png', 't0.5.png', 't1.png']


def test_points_between_whole_numbers_are_no_decimal_points():
    names = [f'1.{number}.jpg' for number in (9, 10, 8, 11)]
    found = arrange_frames(names)
    assert not found.decimal and found.names == ['1.8.jpg', '1.9.jpg', '1.10.jpg', '1.11.jpg']


@pytest.mark.parametrize('other', ['flow_x_', 'mask_', 'seg-', 'depth.'])
def test_what_lies_beside_frames_is_left_out(other):
    frames = [f'img_{number:05d}.jpg' for number in range(4)]
    beside = [f'{other}{number:05d}.jpg' for number in range(4)]
    found = arrange_frames([*beside, *frames])
    assert found.names == frames and found.left_out == sorted(beside)


def test_single_images_beside_a_series_are_left_out():
    found = arrange_frames(['0001.png', '0002.png', '0003.png', '0004.png', 'cover.png'])
    assert found.left_out == ['cover.png'] and len(found.names) == 4


def test_two_cameras_are_refused():
    names = [f'{side}_{number}.png' for side in ('left', 'right') for number in range(3)]
    with pytest.raises(VideoError, match=r'several series of images \(left_\*.*, right_\*.*\), which are not'):
        arrange_frames(names)


@pytest.mark.parametrize(
    'numbers, breaks',
    [
        ([0, 1, 2, 3], []),
        ([7959, 7961, 7963], []),  # every second frame, throughout
        ([0, 1, 2, 9, 10], [3]),
        ([0, 2, 4, 10, 12, 20], [3, 5]),
        ([5], []),
    ],
)
def test_gaps(numbers, breaks):
    assert find_breaks([f'frame_{number:06d}.png' for number in numbers]) == breaks


def test_nanoseconds_carry_over_to_seconds():
    names = ['12_800000000.png', '12_900000000.png', '13_000000000.png', '13_100000000.png']
    assert find_breaks(names) == []
    assert find_breaks([*names[:2], '15_000000000.png', *['15_100000000.png']]) == [2]
