"""Times, keyframes, damage and the choice of a stream in files whose containers tell half the truth.

Sources: PyAV#349 and PyAV#1987 (palette lost in a seek), decord#54 and decord#91 (wrong frames after a
seek), decord#26, PySceneDetect#168 and DALI#1364 (variable frame rate).
"""

import itertools

import av
import numpy as np
import pytest

from mmforecast.datasets.video import VideoError, VideoReader, index_video


def decode_all(path, stream=0):
    with av.open(str(path)) as container:
        video = container.streams.video[stream]
        width = round(video.width * (video.sample_aspect_ratio or 1))
        return np.stack([frame.to_ndarray(format='rgb24', width=width) for frame in container.decode(video)])


def check_random_access(path, expected):
    """Each frame, by a reader of its own and by one that jumps, is that of decoding from the start."""
    jumping = VideoReader()
    for number in np.random.default_rng(0).permutation(len(expected)):
        np.testing.assert_array_equal(jumping.read(str(path), [number])[0], expected[number])
        np.testing.assert_array_equal(VideoReader().read(str(path), [number])[0], expected[number])


def flag_all(source, target):
    """A copy in which every packet is flagged as a keyframe, as some recorders do."""
    with av.open(str(source)) as old, av.open(str(target), 'w') as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.is_keyframe = True
                packet.stream = stream
                new.mux(packet)
    return target


STREAMS = {
    'open_gop.mkv': dict(codec='libx264', **{'x264-params': 'open-gop=1:keyint=12:bframes=3'}),
    'open_gop.mp4': dict(codec='libx265', **{'x265-params': 'open-gop=1:keyint=12:log-level=0'}),
    'intra_refresh.mkv': dict(codec='libx264', **{'x264-params': 'intra-refresh=1:keyint=12:bframes=3'}),
    'intra_refresh.mp4': dict(codec='libx264', **{'x264-params': 'intra-refresh=1:keyint=12:bframes=0'}),
    'closed_gop.mp4': dict(codec='libx265', **{'x265-params': 'open-gop=0:keyint=12:log-level=0'}),
    'alt_ref.webm': {
        'codec': 'libvpx',
        'auto-alt-ref': '1',
        'lag-in-frames': '16',
        'b': '200000',
    },
    'vp9.webm': {'codec': 'libvpx-vp9', 'lag-in-frames': '16'},
    'av1.mkv': dict(codec='libsvtav1', preset='12'),
    'mpeg2_b.mkv': dict(codec='mpeg2video', bf='2'),
    'ffv1.mkv': dict(codec='ffv1', level='3'),
    'cinepak.avi': dict(codec='cinepak', pix_fmt='rgb24'),
    'qtrle.mov': dict(codec='qtrle', pix_fmt='rgb24'),
    'wmv2.asf': dict(codec='wmv2'),
    'flv.flv': dict(codec='flv'),
    'h263.3gp': dict(codec='h263', size=(96, 128)),
    'clip.m4v': dict(codec='mpeg4'),
    'clip.mpeg': dict(codec='mpeg2video', bf='2'),
    'clip.ts': dict(codec='libx264'),
    'clip.mts': dict(codec='libx265', **{'x265-params': 'log-level=0'}),
    'clip.m2ts': dict(codec='mpeg2video'),
    'clip.ogv': dict(codec='libtheora'),
    'clip.vob': dict(codec='mpeg2video'),
}


@pytest.mark.parametrize('name', STREAMS)
def test_random_access_is_that_of_decoding_from_the_start(tmp_path, write_video, picture, number_in, name):
    options = dict(STREAMS[name])
    size = options.pop('size', (48, 64))
    if options['codec'] not in av.codecs_available:
        pytest.skip('this build of PyAV has no such encoder')
    frames = [picture(number, size) for number in range(40)]
    path = write_video(tmp_path / name, frames, **options)
    expected = decode_all(path)
    if expected.shape[1:3] == size:  # H.263 has no square pixels
        assert [number_in(frame) for frame in expected] == list(range(40))
    assert index_video(str(path)).num_frames == len(expected) == 40
    check_random_access(path, expected)


@pytest.mark.parametrize('codec', ['libx265', 'mpeg4'])
def test_flags_of_the_container_are_not_trusted(tmp_path, write_video, codec):
    options = {'x265-params': 'log-level=0:keyint=12'} if codec == 'libx265' else {}
    path = write_video(tmp_path / 'a.mp4', codec=codec, **options)
    expected = decode_all(path)
    flagged = flag_all(path, tmp_path / 'flagged.mp4')
    with av.open(str(flagged)) as container:
        assert sum(packet.is_keyframe for packet in container.demux(video=0)) == 40
    np.testing.assert_array_equal(index_video(str(flagged)).keyframes, index_video(str(path)).keyframes)
    check_random_access(flagged, expected)


def test_palette_survives_a_seek(tmp_path):
    path = tmp_path / 'a.avi'
    rng = np.random.default_rng(0)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('rawvideo', rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, 'pal8'
        palette = rng.integers(64, 256, (256, 4)).astype(np.uint8)
        for number in range(20):
            indices = np.full((48, 64), number * 9 + 3, np.uint8)
            frame = av.VideoFrame.from_ndarray((indices, palette), format='pal8')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    expected = decode_all(path)
    assert len({frame.tobytes() for frame in expected}) == 20 and expected.min() >= 64
    check_random_access(path, expected)


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
def test_times_of_a_variable_frame_rate(tmp_path, write_at, suffix):
    ticks = [*range(0, 48, 4), *range(148, 1200, 100)]
    found = index_video(str(write_at(tmp_path / f'a.{suffix}', ticks)))
    np.testing.assert_allclose(found.times, np.array(ticks) / 100, atol=2e-3)
    assert found.fps == pytest.approx((len(ticks) - 1) / (ticks[-1] / 100), rel=0.05)


def test_joined_transport_streams(tmp_path, write_video, number_in):
    data = write_video(tmp_path / 'a.ts', 20).read_bytes()
    path = tmp_path / 'joined.ts'
    path.write_bytes(data * 2)
    found = index_video(str(path))
    assert found.num_frames == 40 and not found.damaged
    np.testing.assert_allclose(found.times, np.arange(40) / 25, atol=1e-3)
    frames = VideoReader().read(str(path), range(40))
    assert [number_in(frame) for frame in frames] == list(range(20)) * 2


def test_lost_packets_of_a_transport_stream(tmp_path, write_video):
    data = write_video(tmp_path / 'a.ts', 40).read_bytes()
    middle = len(data) // 188 // 2 * 188
    path = tmp_path / 'lost.ts'
    path.write_bytes(data[:middle] + data[middle + 3 * 188 :])
    clean = decode_all(tmp_path / 'a.ts')
    wrong = errors = 0
    for number in range(index_video(str(path)).num_frames):
        try:
            frame = VideoReader().read(str(path), [number])[0]
        except VideoError:
            errors += 1
            continue
        wrong += not any((frame == other).all() for other in clean)
    assert errors > 0 and wrong == 0


def damage(source, target, number):
    """A copy whose packet of this number, in order of decoding, is zero but for its head."""
    with av.open(str(source)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    position, size = places[number]
    data = bytearray(source.read_bytes())
    data[position + 8 : position + size] = bytes(size - 8)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize(
    'name, options',
    [
        ('a.mp4', dict(codec='libx264', bf='0')),
        ('b.mp4', dict(codec='libx264', bf='2')),
        ('a.mkv', dict(codec='libx265', **{'x265-params': 'log-level=0:keyint=12:bframes=0'})),
        ('a.avi', dict(codec='mpeg4')),
        ('b.mkv', dict(codec='mpeg2video', bf='2')),
    ],
)
@pytest.mark.parametrize('packet', [12, 17])
def test_damage_ends_at_the_next_keyframe(tmp_path, write_video, name, options, packet):
    path = write_video(tmp_path / name, 40, sc_threshold='0', **options)
    clean = decode_all(path)
    damaged = str(damage(path, tmp_path / f'damaged_{name}', packet))
    assert index_video(damaged).num_frames == 40
    refused, in_order = [], VideoReader()
    for number in range(40):
        for reader in (VideoReader(), in_order):
            try:
                frame = reader.read(damaged, [number])[0]
            except VideoError as error:
                refused.append(number)
                assert 'frame' in str(error)
            else:
                np.testing.assert_array_equal(frame, clean[number])
    spoilt = sorted(set(refused))
    assert spoilt == list(range(spoilt[0], spoilt[-1] + 1)) and refused == sorted(spoilt * 2)
    after = index_video(str(path)).keyframe_after(max(spoilt[0], packet))
    assert abs(spoilt[0] - packet) <= 3 and spoilt[-1] < (after or 40)


def test_sentence_of_damage(tmp_path, write_video):
    path = write_video(tmp_path / 'a.mp4', 40, bf='0', sc_threshold='0')
    damaged = str(damage(path, tmp_path / 'damaged.mp4', 14))
    sentence = 'is damaged from frame 14 to frame 23, before the next keyframe, so that frame 20 cannot'
    with pytest.raises(VideoError, match=sentence):
        VideoReader().read(damaged, [20])


def add_stream(container, codec, size, pix_fmt='yuv420p'):
    stream = container.add_stream(codec, rate=25)
    stream.height, stream.width, stream.pix_fmt = *size, pix_fmt
    return stream


def write_streams(path, streams):
    """A file of several video streams, each (codec, pixel format, size, frames)."""
    with av.open(str(path), 'w') as container:
        made = [add_stream(container, codec, size, pix_fmt) for codec, pix_fmt, size, _ in streams]
        for stream, (_, _, size, length) in zip(made, streams):
            for number in range(length):
                frame = np.full((*size, 3), number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
            container.mux(stream.encode())
    return str(path)


COVER = ('mjpeg', 'yuvj444p', (240, 320), 1)
PREVIEW = ('libx264', 'yuv420p', (48, 64), 24)
VIDEO = ('libx264', 'yuv420p', (96, 128), 24)
SHORT = ('libx264', 'yuv420p', (96, 128), 5)


@pytest.mark.parametrize('suffix', ['mkv', 'mp4'])
@pytest.mark.parametrize('others', [(COVER,), (PREVIEW,), (COVER, PREVIEW), (SHORT,)])
def test_the_video_among_several_streams(tmp_path, others, suffix):
    for number, order in enumerate(itertools.permutations([*others, VIDEO])):
        found = index_video(write_streams(tmp_path / f'{number}.{suffix}', order))
        assert (found.num_frames, found.size) == (24, (96, 128))
        frame = VideoReader().read(str(tmp_path / f'{number}.{suffix}'), [9])[0]
        assert frame.shape == (96, 128, 3) and abs(frame.mean() - 9) < 3


def test_gif_is_a_video(tmp_path, write_video, picture):
    from PIL import Image

    pictures = [Image.fromarray(np.full((48, 64, 3), 20 * number, np.uint8)) for number in range(10)]
    path = tmp_path / 'a.gif'
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[50] * 5 + [100] * 5)
    found = index_video(str(path))
    assert found.num_frames == 10
    np.testing.assert_allclose(np.diff(found.times), [0.05] * 5 + [0.1] * 4)
    means = [frame.mean() for frame in VideoReader().read(str(path), range(10))]
    np.testing.assert_allclose(means, np.arange(10) * 20, atol=3)


def test_sound_may_come_before_the_pictures(tmp_path):
    path = tmp_path / 'sound_first.mp4'
    with av.open(str(path), 'w') as container:
        sound = container.add_stream('aac', rate=8000)
        video = container.add_stream('libx264', rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, 'yuv420p'
        for number in range(8):
            picture = np.full((48, 64, 3), 30 * number, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture)))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format='fltp', layout='mono')
        silence.rate = 8000
        container.mux(sound.encode(silence))
        container.mux(video.encode())
        container.mux(sound.encode())
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ['audio', 'video']
    assert index_video(str(path)).num_frames == 8
    check_random_access(path, decode_all(path))
