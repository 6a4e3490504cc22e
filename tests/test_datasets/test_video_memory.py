"""What reading of a video leaves in memory."""

import gc
import threading

import numpy as np
import pytest

from mmforecast.apis.inferencers.opening import open_frames
from mmforecast.apis.inferencers.read_ahead import read_ahead
from mmforecast.visualization import write_video

av = pytest.importorskip('av')


@pytest.fixture
def video(tmp_path):
    path = tmp_path / 'a.mp4'
    write_video(path, list(np.zeros((8, 32, 48, 3), np.uint8)), 10, hold_last=0)
    return str(path)


def read_all(video):
    """Read a video ahead; the threads that frames were decoded in."""
    source, threads = open_frames(video), set()

    def numbers():
        for number in range(source.num_frames):
            threads.add(threading.get_ident())
            yield number

    with read_ahead(source, numbers()) as frames:
        for number in range(source.num_frames):
            frames.read([number])
    return threads


def test_frames_are_freed_without_the_garbage_collector(video):
    read_all(video)
    gc.collect()
    gc.disable()
    try:
        source = open_frames(video)
        for number in range(source.num_frames):
            source.read([number])
        frames = [one for one in gc.get_objects() if type(one) is av.VideoFrame and one.format]
        alive = [frame.format.name for frame in frames]
        assert alive.count('yuv420p') <= 1  # the last one; those converted to RGB are kept for another read
    finally:
        gc.enable()


def test_videos_one_after_another_are_decoded_in_one_thread(video):
    first = read_all(video)
    assert len(first) == 1 and threading.get_ident() not in first
    assert all(read_all(video) == first for _ in range(3))


def test_two_videos_at_once_have_a_thread_each(video):
    one, other = open_frames(video), open_frames(video)
    with read_ahead(one, iter(range(8))) as a, read_ahead(other, iter(range(8))) as b:
        for number in range(8):
            assert (a.read([number]) == b.read([number])).all()


def test_a_single_video_is_opened_in_the_calling_thread(video, monkeypatch):
    def refuse(thread):
        raise AssertionError('a thread was started')

    monkeypatch.setattr(threading.Thread, 'start', refuse)
    assert open_frames(video).num_frames == 8
