"""MP4 files are whole or not there, and hold the pictures that were added."""

import numpy as np
import pytest

from mmforecast.visualization import video_file, write_video

av = pytest.importorskip('av')


def pictures(count, size=(34, 51)):
    """Flat colours, which a lossy codec keeps."""
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
    with pytest.raises(ValueError, match=r"has to be named .mp4, got '.*a.avi'"):
        write_video(tmp_path / 'a.avi', pictures(1))
    with pytest.raises(ValueError, match='fps must be above 0, got 0'):
        write_video(tmp_path / 'a.mp4', pictures(1), fps=0)
    with (
        pytest.raises(ValueError, match='a.mp4 has no picture to write'),
        video_file(tmp_path / 'a.mp4'),
    ):
        pass
    with pytest.raises(ValueError, match='picture 1 of .*a.mp4 is 8x8, but the first was 34x50'):
        write_video(tmp_path / 'a.mp4', [*pictures(1), *pictures(1, (8, 8))])
    assert not list(tmp_path.iterdir())
