"""MP4 files are whole or not there, and hold the pictures that were added."""

from fractions import Fraction

import numpy as np
import pytest

from mmforecast.visualization import video_file, write_video
from mmforecast.visualization.video_file import picture_rate

av = pytest.importorskip('av')


def pictures(count, size=(34, 51)):
    """Flat colors, which a lossy codec keeps."""
    return [np.full((*size, 3), 20 * number, np.uint8) for number in range(count)]


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / 'new/folder/a.mp4'
    write_video(path, pictures(5), fps=4, hold_last=0.5)
    with av.open(str(path)) as video:
        assert video.streams.video[0].average_rate == 4
        frames = [frame.to_ndarray(format='rgb24') for frame in video.decode(video=0)]
    assert len(frames) == 6  # the last one twice
    assert frames[0].shape == (34, 50, 3)  # H.264 has even sides
    for frame, level in zip(frames, (0, 20, 40, 60, 80, 80), strict=True):
        assert abs(frame.astype(int) - level).max() <= 4


@pytest.mark.parametrize('error', [KeyboardInterrupt, ZeroDivisionError])
def test_interrupted_files_are_not_there(tmp_path, error):
    path = tmp_path / 'a.mp4'
    path.write_bytes(b'before')
    with pytest.raises(error), video_file(path) as file:
        for picture in 16 * pictures(5):  # until the encoder gives something away
            file.add(picture)
        assert len(list(tmp_path.iterdir())) == 2
        raise error
    assert path.read_bytes() == b'before' and list(tmp_path.iterdir()) == [path]


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match=r"must be named .mp4, got '.*a.avi'"):
        write_video(tmp_path / 'a.avi', pictures(1))
    with pytest.raises(ValueError, match=r'fps must lie in \[1e-05, 1000\], got 0'):
        write_video(tmp_path / 'a.mp4', pictures(1), fps=0)
    with (
        pytest.raises(ValueError, match='a.mp4 has no picture to write'),
        video_file(tmp_path / 'a.mp4'),
    ):
        pass
    with pytest.raises(ValueError, match='picture 1 of .*a.mp4 is 8x8, but the first was 34x50'):
        write_video(tmp_path / 'a.mp4', [*pictures(1), *pictures(1, (8, 8))])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('folder', ['2024-05-01T12:30', 'http:', 'data:x', '-o', 'a b#c?d%d'])
def test_a_path_is_no_address(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    write_video(f'{folder}/12:30:05.mp4', pictures(2))
    assert (tmp_path / folder / '12:30:05.mp4').stat().st_size > 500


@pytest.mark.parametrize(
    'fps, rate',
    [
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (np.float32(25), 25),
        (np.int64(4), 4),
        (23.976023976023978, Fraction(24000, 1001)),
        (0.0001, Fraction(1, 10000)),  # a time-lapse
        (1 / 3, Fraction(1, 3)),
    ],
)
def test_rates_are_exact(tmp_path, fps, rate):
    write_video(tmp_path / 'a.mp4', pictures(3), fps, hold_last=0)
    with av.open(str(tmp_path / 'a.mp4')) as video:
        assert video.streams.video[0].average_rate == rate
        assert [frame.time for frame in video.decode(video=0)] == pytest.approx([0, 1 / rate, 2 / rate])


@pytest.mark.parametrize('fps', [0, -1, float('nan'), float('inf'), 1e-9, 1e9, True, '25', None])
def test_rates_that_are_none(fps):
    with pytest.raises(ValueError, match='fps must lie in'):
        picture_rate(fps)
