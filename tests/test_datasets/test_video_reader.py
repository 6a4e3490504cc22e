"""Frames of video files: any of them, in any order, are those of decoding from the start."""

import copy
import multiprocessing
import pickle
import sys

import av
import numpy as np
import pytest

from mmforecast.datasets.frame_cache import FrameCache
from mmforecast.datasets.video import (
    NumberedFrames,
    VideoError,
    VideoReader,
    index,
    index_video,
    opening,
    packets,
    split_frame_path,
)

FORMATS = {
    'h264.mp4': dict(codec='libx264'),
    'intra.mp4': dict(codec='libx264', g='1'),
    'h264.mkv': dict(codec='libx264'),
    'h264_b.avi': dict(codec='libx264'),
    'mpeg4.avi': dict(codec='mpeg4'),
    'mpeg4_b.avi': dict(codec='mpeg4', bf='2'),
    'mpeg4_b.mov': dict(codec='mpeg4', bf='2'),
    'vp8.webm': dict(codec='libvpx'),
    'mpeg1.mpg': dict(codec='mpeg1video'),
    'mpeg2_b.mpg': dict(codec='mpeg2video', bf='2'),
}
COUNTED = (
    'h264_b.avi',
    'mpeg4_b.avi',
    'mpeg1.mpg',
    'mpeg2_b.mpg',
)  # their time stamps are FFmpeg's guesses


@pytest.fixture(scope='module')
def files(tmp_path_factory, write_video):
    folder = tmp_path_factory.mktemp('formats')
    return {name: write_video(folder / name, **options) for name, options in FORMATS.items()}


def decode_all(path):
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)])


@pytest.mark.parametrize('name', FORMATS)
def test_any_frame_is_that_of_decoding_from_the_start(files, number_in, name):
    path = str(files[name])
    expected = decode_all(path)
    assert [number_in(frame) for frame in expected] == list(range(40))
    found = index_video(path)
    assert (found.num_frames, found.size, found.fps) == (40, (48, 64), 25)
    assert (found.stamps is None) == (name in COUNTED)
    np.testing.assert_allclose(found.times, np.arange(40) / 25, atol=1e-3)
    reader = VideoReader()
    rng = np.random.default_rng(0)
    for first in (39, *rng.integers(0, 35, 12), 0):  # forwards, backwards, over keyframes
        numbers = list(range(first, min(first + 6, 40)))
        np.testing.assert_array_equal(reader.read(path, numbers), expected[numbers])
    shuffled = rng.permutation(40)
    np.testing.assert_array_equal(VideoReader().read(path, shuffled), expected[shuffled])


def test_only_what_lies_between_is_decoded(files):
    reader = VideoReader()
    path = str(files['h264.mp4'])
    handle = reader._handle(path)
    decoded, number_of = [], handle._number_of
    handle._number_of = lambda frame: decoded.append(number_of(frame)) or decoded[-1]
    keyframe = handle.index.keyframe_before(26)
    assert 12 < keyframe < 26
    reader.read(path, range(26, 32))
    assert decoded == list(range(keyframe, 32))
    reader.read(path, range(27, 33))  # the window slides on by one frame
    assert decoded == list(range(keyframe, 33))


def test_seek_that_lands_behind_the_frame(files):
    """As in containers that seek by decoding time."""
    path = str(files['h264.mp4'])
    handle = VideoReader()._handle(path)
    container, times = handle.decoder.container, handle.index.stamps
    before, keyframe, after = handle.index.keyframes[1:4].tolist()
    seeks = []

    class Late:
        def __getattr__(self, name):
            return getattr(container, name)

        def seek(self, time, stream):
            seeks.append(time)
            container.seek(int(times[after]) if time == times[keyframe] else time, stream=stream)

    handle.decoder.container = Late()
    np.testing.assert_array_equal(handle[keyframe + 1], decode_all(path)[keyframe + 1])
    assert seeks == [times[keyframe], times[before]]


@pytest.mark.parametrize('degrees', [90, 180, 270])
def test_portrait_video_is_turned(tmp_path, write_video, picture, degrees):
    shown = np.zeros((64, 48, 3), np.uint8) if degrees != 180 else np.zeros((48, 64, 3), np.uint8)
    shown[:20, :10, 0] = 255  # red in the upper left corner
    stored = np.ascontiguousarray(np.rot90(shown, -degrees // 90))
    path = write_video(tmp_path / 'phone.mp4', [stored] * 3, rotation=degrees)
    (frame,) = VideoReader().read(str(path), [1])
    assert index_video(str(path)).size == frame.shape[:2] == shown.shape[:2]
    assert np.abs(frame.astype(int) - shown).mean() < 8


def test_gray_video_is_rgb(tmp_path, write_video, picture):
    gray = [picture(number).mean(-1, keepdims=True).repeat(3, -1) for number in range(4)]
    path = write_video(
        tmp_path / 'gray.avi',
        [frame.astype(np.uint8) for frame in gray],
        codec='ffv1',
        pix_fmt='gray',
    )
    (frame,) = VideoReader().read(str(path), [2])
    assert frame.shape == (48, 64, 3) and (frame == frame[..., :1]).all()
    assert np.abs(frame[..., 0] - gray[2][..., 0]).max() < 3


def test_cache_keeps_whole_videos_that_fit(files, monkeypatch):
    size = 40 * 48 * 64 * 3
    cache = FrameCache(1.5 * size / 2**20)
    reader = VideoReader(cache)
    first, second = str(files['h264.mp4']), str(files['mpeg4.avi'])
    for path in (first, second, first):
        np.testing.assert_array_equal(reader.read(path, [3, 30]), decode_all(path)[[3, 30]])
    assert cache.get(first).nbytes == size and cache.get(second) is None
    monkeypatch.setattr(reader, '_handle', None)  # no file is asked again
    np.testing.assert_array_equal(reader.read(first, range(40)), decode_all(first))


def test_what_is_open_or_kept_stays_in_its_process(files):
    path = str(files['h264.mp4'])
    reader = VideoReader(FrameCache(1))
    reader.read(path, [0])
    for other in (pickle.loads(pickle.dumps(reader)), copy.deepcopy(reader)):
        assert not other._handles and other.cache.get(path) is None
        assert other.cache.megabytes == 1
        np.testing.assert_array_equal(other.read(path, [7]), reader.read(path, [7]))


def _read_in_child(reader, path, pipe):
    pipe.send(reader.read(path, [20, 5, 37]))


def test_forked_processes_share_no_file_position(files):
    path = str(files['h264.mp4'])
    reader = VideoReader()
    reader.read(path, [0])
    context = multiprocessing.get_context('fork')
    pipes, children = [], []
    for _ in range(2):
        here, there = context.Pipe()
        children.append(context.Process(target=_read_in_child, args=(reader, path, there)))
        children[-1].start()
        pipes.append(here)
    expected = decode_all(path)
    for pipe in pipes:
        np.testing.assert_array_equal(pipe.recv(), expected[[20, 5, 37]])
    np.testing.assert_array_equal(reader.read(path, [1, 2]), expected[1:3])
    for child in children:
        child.join()


def test_frame_that_is_not_there(files):
    with pytest.raises(VideoError, match=r'has 40 frames, none of number 40 \(0-based\)'):
        VideoReader().read(str(files['h264.mp4']), [39, 40])


def test_numbered_frames():
    paths = NumberedFrames(range(3, 13), 'a#b/clip.mp4#')
    assert len(paths) == 10 and paths[1] == 'a#b/clip.mp4#4' and paths[-1] == 'a#b/clip.mp4#12'
    assert list(paths[2:4]) == ['a#b/clip.mp4#5', 'a#b/clip.mp4#6']
    assert split_frame_path(paths[1]) == ('a#b/clip.mp4', 4)
    assert NumberedFrames([7], digits=6)[0] == '000007'
    assert all(split_frame_path(path) is None for path in ('a.png', 'a.mp4', 'a.png#3', 'a.mp4#x'))


def test_index_is_made_once_and_anew_for_another_file(tmp_path, write_video):
    path = write_video(tmp_path / 'a.mp4', 5)
    assert index_video(str(path)) is index_video(str(path))
    write_video(path, 7)
    assert index_video(str(path)).num_frames == 7


def test_missing_library(monkeypatch, files):
    monkeypatch.setitem(sys.modules, 'av', None)
    monkeypatch.setattr(index, '_index_video', index._index_video.__wrapped__)
    with pytest.raises(ImportError, match='pip install av'):
        index_video(str(files['h264.mp4']))
    with pytest.raises(ImportError, match='pip install av'):
        VideoReader().read(str(files['h264.mp4']), [0])


def patch(path, target, old, new):
    """A copy of a file with the first ``old`` bytes replaced."""
    data = path.read_bytes()
    assert old in data
    target.write_bytes(data.replace(old, new, 1))
    return str(target)


def test_header_that_claims_more_frames(files, tmp_path):
    stated = (40).to_bytes(4, 'little')
    data = bytearray(files['mpeg4.avi'].read_bytes())
    for start in (data.index(b'avih') + 24, data.index(b'strh') + 40):  # total frames, length
        assert data[start : start + 4] == stated
        data[start : start + 4] = (2**31 - 1).to_bytes(4, 'little')
    path = tmp_path / 'lies.avi'
    path.write_bytes(data)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 2**31 - 1
    assert index_video(str(path)).num_frames == 40


def test_header_that_claims_huge_frames(tmp_path, write_video):
    data = bytearray(write_video(tmp_path / 'a.avi', 3, codec='ffv1').read_bytes())
    start = data.index(b'strf') + 12  # width and height
    assert data[start : start + 8] == (64).to_bytes(4, 'little') + (48).to_bytes(4, 'little')
    data[start : start + 8] = (16_000).to_bytes(4, 'little') * 2
    path = tmp_path / 'huge.avi'
    path.write_bytes(data)
    with pytest.raises(VideoError, match='has frames of 16000x16000, more than .*scale it down'):
        index_video(str(path))


def test_limits(files, monkeypatch):
    path = str(files['h264.mp4'])
    gap = int(np.diff(index_video(path).keyframes).max())
    monkeypatch.setattr(index, '_index_video', index._index_video.__wrapped__)
    monkeypatch.setattr(index, 'MAX_KEYFRAME_GAP', gap - 1)
    with pytest.raises(VideoError, match=f'{gap} frames or more to be decoded .*ffmpeg -i'):
        index_video(path)
    with pytest.raises(VideoError, match='40 frames or more'):
        index_video(str(files['mpeg4_b.avi']))
    monkeypatch.setattr(packets, 'MAX_FRAMES', 39)
    with pytest.raises(VideoError, match='more than 39 frames: cut it'):
        index_video(path)
    monkeypatch.setattr(opening, 'MAX_PIXELS', 48 * 64 - 1)
    with pytest.raises(VideoError, match='has frames of 48x64, more than 3071 pixels'):
        index_video(path)


@pytest.mark.parametrize(
    'content, reason',
    [
        (b'', 'cannot be opened'),
        (b'<html>404 not found</html>', 'cannot be opened'),
        (b'#EXTM3U\n#EXTINF:10,\n/etc/hostname\n#EXT-X-ENDLIST\n', 'cannot be opened'),
        (b"ffconcat version 1.0\nfile 'a.mp4'\n", 'cannot be opened'),
    ],
)
def test_file_that_is_no_video(tmp_path, content, reason):
    path = tmp_path / 'a.mp4'
    path.write_bytes(content)
    with pytest.raises(VideoError, match=reason):
        index_video(str(path))


def cut(path, target):
    """The first 60 % of a file's bytes."""
    data = path.read_bytes()
    target.write_bytes(data[: len(data) * 6 // 10])
    return str(target)


@pytest.mark.parametrize('name', ['h264.mp4', 'faststart.mp4', 'mpeg4.avi', 'mpeg4_b.avi'])
def test_truncated_video(files, tmp_path, write_video, name):
    container = dict(movflags='faststart')  # the index first
    path = files.get(name) or write_video(tmp_path / 'whole.mp4', container=container)
    with pytest.raises(VideoError, match='cannot be opened|is truncated or damaged after'):
        index_video(cut(path, tmp_path / name))


@pytest.mark.parametrize('name', ['h264.mkv', 'mpeg1.mpg'])
def test_truncated_stream_is_a_shorter_video(files, tmp_path, number_in, name):
    """These formats have no mark of their end."""
    path = cut(files[name], tmp_path / name)
    length = index_video(path).num_frames
    assert 15 < length < 30
    assert number_in(VideoReader().read(path, [length - 2])[0]) == length - 2


@pytest.mark.parametrize('name, codec', [('a.avi', 'mpeg4'), ('a.mp4', 'libx264')])
def test_video_without_a_frame(tmp_path, write_video, name, codec):
    path = write_video(tmp_path / name, [], codec=codec)
    assert path.stat().st_size > 0
    with pytest.raises(VideoError, match='has no (frame|video stream)'):
        index_video(str(path))


@pytest.mark.parametrize('name', ['h264.mp4', 'h264.mkv', 'mpeg4_b.avi', 'vp8.webm', 'mpeg2_b.mpg'])
def test_random_damage_never_raises_anything_else(files, tmp_path, name):
    rng = np.random.default_rng(0)
    whole = files[name].read_bytes()
    errors = 0
    for number in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data) if number % 2 else 2000, rng.integers(1, 30)):
            data[place] = rng.integers(256)
        path = tmp_path / f'{number}.{name}'
        path.write_bytes(data)
        try:
            last = index_video(str(path)).num_frames - 1
            VideoReader().read(str(path), [0, last // 2, last])
        except VideoError:
            errors += 1
    assert errors > 0


def test_damage_in_the_middle_spares_the_rest(files, tmp_path, number_in):
    with av.open(str(files['mpeg4_b.mov'])) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        places = [(packet.pos, packet.size, packet.is_keyframe) for packet in packets]
    keyframe = [number for number, place in enumerate(places) if place[2]][1]
    position, size, _ = places[keyframe]
    data = bytearray(files['mpeg4_b.mov'].read_bytes())
    data[position : position + size] = bytes(size)
    path = tmp_path / 'damaged.mov'
    path.write_bytes(data)
    reader = VideoReader(FrameCache(1))
    for number in (keyframe, 14, 20):
        with pytest.raises(VideoError, match='frame'):
            reader.read(str(path), [number])
    for number in (0, 5, 39):
        assert number_in(reader.read(str(path), [number])[0]) == number
    assert reader.cache.get(str(path)) is None
