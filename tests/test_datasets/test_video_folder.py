"""Folders of videos: what is found, how it is split and sampled, and what is left out."""

import collections
import shutil

import av
import cv2
import numpy as np
import pytest
from mmengine.dataset import DefaultSampler, pseudo_collate
from torch.utils.data import DataLoader

from mmforecast.datasets import CorruptFrameError, VideoFolderDataset
from mmforecast.datasets.video.frame_names import natural_key
from mmforecast.datasets.video.listing import find_videos
from mmforecast.datasets.video.sources import distinct_frames
from mmforecast.engine.data_order import ResumableDataLoader

PIPELINE = (dict(type='LoadClipFrames'), dict(type='PackForecastInputs'))


def dataset(root, **options):
    defaults = dict(num_past=2, num_future=1, pipeline=PIPELINE)
    return VideoFolderDataset(str(root), **{**defaults, **options})


def write_frames(folder, numbers, picture, size=(48, 64)):
    folder.mkdir(parents=True)
    for number in numbers:
        cv2.imwrite(str(folder / f'frame{number}.png'), picture(number, size)[..., ::-1])


@pytest.fixture
def root(tmp_path, write_video, picture):
    """Two videos of different size and rate, and a folder of frames, at different depths."""
    root = tmp_path / 'videos'
    write_video(root / 'b' / 'clip.mp4', 20)
    write_video(root / 'a.AVI', [picture(n, (32, 96)) for n in range(12)], codec='mpeg4', rate=10)
    write_frames(root / 'b' / 'walk', [8, 12, 10, 11, 9], picture)
    (root / 'notes.txt').write_text('no video')
    shutil.copytree(root / 'b', root / '.trash')
    return root


def numbers_of(item, number_in):
    return [number_in(frame) for frame in item['inputs'].permute(0, 2, 3, 1).numpy()]


def test_everything_is_found_in_natural_order(root, number_in, log):
    clips = dataset(root, frame_fps=5)
    assert [sequence.id for sequence in clips.sequences] == [
        'a.AVI',
        'b__clip.mp4',
        'b__walk',
    ]
    assert [len(sequence) for sequence in clips.sequences] == [12, 20, 5]
    assert len(clips) == 10 + 18 + 3
    assert numbers_of(clips[27], number_in) == [17, 18, 19]
    assert [numbers_of(clips[i], number_in) for i in (28, 30)] == [[8, 9, 10], [10, 11, 12]]
    sample = clips[10]['data_samples']
    assert sample.frame_names == ['000000', '000001', '000002'] and sample.img_shape == (48, 64)
    # Each clip has its own rate, the dataset none.
    assert [clips[i]['data_samples'].fps for i in (0, 10, 28)] == [10, 25, 5]
    assert clips.fps is None
    assert 'different frame rates (5 to 25 Hz): stride counts frames' in log.text


def test_one_rate_is_that_of_the_data_set(root, log):
    assert dataset(root, videos=['b/clip.mp4']).fps == 25
    assert dataset(root, videos=['b/walk'])[0]['data_samples'].fps is None
    assert dataset(root / 'b' / 'walk').sequences[0].id == 'walk'
    assert not log.records


def test_natural_order():
    names = ['a10', 'a9', 'A1', 'b', 'a09', '7', '10', 'a1b2', 'a1b10']
    assert sorted(names, key=natural_key) == [*('7', '10', 'A1', 'a1b2', 'a1b10', 'a09', 'a9', 'a10', 'b')]


def test_links_in_a_circle(root):
    (root / 'b' / 'again').symlink_to(root)
    assert len(find_videos(str(root))) == 3


def test_split_in_time(root, number_in):
    parts = {
        split: dataset(root, videos=['b/clip.mp4'], split=split, val_fraction=0.3)
        for split in ('train', 'val', 'all')
    }
    assert {split: len(part) for split, part in parts.items()} == dict(train=12, val=4, all=18)
    assert numbers_of(parts['train'][11], number_in) == [11, 12, 13]
    assert numbers_of(parts['val'][0], number_in) == [14, 15, 16]
    assert len({part.sequences[0].id for part in parts.values()}) == 1
    assert parts['val'][0]['data_samples'].frame_names[0] == '000014'


def test_stride_and_anchor_are_those_of_any_clip(root, number_in):
    clips = dataset(root, videos=['b/clip.mp4'], stride=3, clip_step=5)
    assert [numbers_of(clip, number_in)[0] for clip in clips] == [0, 5, 10]
    (clip,) = dataset(root, videos=['b/clip.mp4'], stride=(2, 2), anchor=10)
    assert numbers_of(clip, number_in) == [6, 8, 10]
    ((_, frames),) = dataset(root, videos=['b/clip.mp4'], anchor=10).frames_in_use()
    assert frames == [8, 9, 10]


def test_named_split(root, number_in):
    (root / 'mine.txt').write_text('# my split\nb/walk\n\nb/clip.mp4 5:9\nb/clip.mp4 12:\n')
    clips = dataset(root, videos='mine.txt')
    assert [sequence.id for sequence in clips.sequences] == [*('b__walk', 'b__clip.mp4__5', 'b__clip.mp4__12')]
    assert [len(sequence) for sequence in clips.sequences] == [5, 4, 8]
    assert [numbers_of(clips[i], number_in) for i in (3, 4)] == [[5, 6, 7], [6, 7, 8]]
    assert len(dataset(root, videos=str(root / 'mine.txt'))) == len(clips)


def test_repeated_frames_are_dropped(tmp_path, write_video, picture, number_in):
    order = [0, 0, 1, 2, 2, 2, 3, 4, 4]
    write_video(tmp_path / 'a.avi', [picture(n) for n in order], codec='ffv1')
    write_frames(tmp_path / 'b', range(9), lambda n, size: picture(order[n], size))
    clips = dataset(tmp_path, drop_repeats=1e-3, frame_fps=9)
    assert [len(sequence) for sequence in clips.sequences] == [5, 5]
    for index in (0, 3):
        assert [numbers_of(clips[index + i], number_in) for i in (0, 2)] == [[0, 1, 2], [2, 3, 4]]
    assert clips.sequences[0].fps == pytest.approx(25 * 5 / 9)
    assert clips[0]['data_samples'].frame_names == ['000000', '000002', '000003']


def test_distinct_frames():
    gray = [np.full((2, 2), value, np.uint8) for value in (10, 11, 12, 13, 200)]
    unit = (1 / 127.5) ** 2  # of a difference of one gray level
    assert distinct_frames(gray, 0) == [0, 1, 2, 3, 4]
    assert distinct_frames(gray, 1.001 * unit) == [0, 2, 4]  # 11 and 13 repeat 10 and 12
    assert distinct_frames(gray, 9.001 * unit) == [0, 4]
    assert distinct_frames([gray[0], None, gray[0]], 0) == [0, 1]


def test_unusable_videos_are_left_out_with_one_warning(root, write_video, picture, log):
    data = (root / 'b' / 'clip.mp4').read_bytes()
    (root / 'truncated.mp4').write_bytes(data[: len(data) // 2])
    (root / 'empty.mkv').write_bytes(b'')
    write_video(root / 'noframe.avi', [], codec='mpeg4')
    write_video(root / 'short.mp4', 2)
    write_frames(root / 'sizes', [1, 2, 3], picture)
    cv2.imwrite(str(root / 'sizes' / 'frame4.png'), np.zeros((20, 64, 3), np.uint8))
    clips = dataset(root, frame_fps=25, videos=None)
    (message,) = [r.getMessage() for r in log.records if 'left out' in r.getMessage()]
    assert 'left out 5 of 8 sequences' in message
    assert 'needs 3 frames: short.mp4 (2 frames)' in message
    for reason in (
        'truncated.mp4 cannot be opened',
        'empty.mkv cannot be opened',
        'noframe.avi ',
        'sizes has frames of several sizes (frame1.png is 48x64, frame4.png is 20x64)',
    ):
        assert reason in message
    assert len(clips) == 10 + 18 + 3 and len(clips.unreadable) == 4
    for clip in clips:
        assert clip['inputs'].shape[0] == 3


def test_missing_and_foreign_entries_of_a_list(root, log):
    dataset(root, videos=['b/clip.mp4', 'b/gone.mp4', 'notes.txt', 'b', 'b/walk 2:9'])
    assert 'left out 4 of 5 sequences' in log.text
    for reason in (
        'b/gone.mp4 is missing',
        'notes.txt is neither a video file (.3g2, ',
        'nor a folder of frames (.bmp, ',
        'b has no frame',
        'b/walk has 5 frames, but 2:9 are asked for',
    ):
        assert reason in log.text


def break_video(path):
    """Damage the second half of a video after it was looked at."""
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for position, size in places[len(places) // 2 :]:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)


@pytest.mark.parametrize('workers', [0, 1])
def test_video_that_breaks_in_the_middle_of_an_epoch(root, workers, log):
    clips = dataset(root, videos=['b/clip.mp4', 'a.AVI'])
    break_video(root / 'b' / 'clip.mp4')
    loader = DataLoader(clips, batch_size=1, num_workers=workers, collate_fn=pseudo_collate)
    samples = [sample for batch in loader for sample in batch['data_samples']]
    assert len(samples) == len(clips) == 28
    assert {sample.sequence_id for sample in samples} == {'b__clip.mp4', 'a.AVI'}
    if not workers:
        assert 'Another clip takes its place (1 such files so far)' in log.text


def test_video_that_breaks_in_a_test(root):
    clips = dataset(root, videos=['b/clip.mp4'], test_mode=True)
    break_video(root / 'b' / 'clip.mp4')
    clips[0]
    with pytest.raises(CorruptFrameError, match='sequence b__clip.mp4 .*restore the file') as error:
        clips[17]
    assert error.value.path == str(root / 'b' / 'clip.mp4')
    (root / 'b' / 'clip.mp4').unlink()
    with pytest.raises(CorruptFrameError, match='cannot be opened'):
        dataset_with_new_handles(clips)[0]


def dataset_with_new_handles(clips):
    clips.pipeline.transforms[0].videos._handles.clear()
    return clips


def test_video_whose_frames_change_size(tmp_path, write_video, picture):
    """MJPEG in AVI can do that."""
    for name, size in (('a', (48, 64)), ('b', (32, 64))):
        frames = [picture(n, size) for n in range(4)]
        write_video(tmp_path / f'{name}.avi', frames, codec='mjpeg', pix_fmt='yuvj420p')
    pieces = [(tmp_path / f'{name}.avi').read_bytes() for name in 'ab']
    bodies = []
    for piece in pieces:
        start = piece.index(b'movi') + 4
        bodies.append(piece[start : piece.index(b'idx1')])
    joined = pieces[0].replace(bodies[0], bodies[0] + bodies[1], 1)
    (tmp_path / 'c.avi').write_bytes(joined)
    clips = dataset(tmp_path, videos=['c.avi'], test_mode=True)
    clips[0]
    with pytest.raises(CorruptFrameError, match='changes from 48x64 to 32x64 pixels at frame 4'):
        clips[2]


def test_sampling_of_videos(root, number_in):
    names = ['b/clip.mp4', 'b/walk']
    clips = dataset(root, videos=names, sampling='video')
    assert len(clips) == 2
    starts = collections.Counter(
        (sample.sequence_id, sample.frame_indices[0])
        for _ in range(300)
        for sample in (clips[0]['data_samples'], clips[1]['data_samples'])
    )
    first = np.array([starts['b__clip.mp4', start] for start in range(18)])
    second = np.array([starts['b__walk', start] for start in range(3)])
    assert first.sum() == second.sum() == 300  # each item is one video
    assert abs(second - 100).max() < 4 * np.sqrt(300 * 1 / 3 * 2 / 3)
    assert first.min() > 0 and abs(first - 300 / 18).max() < 4 * np.sqrt(300 / 18)
    assert clips.get_data_info(0)['frame_indices'] == [0, 1, 2]
    used = clips.frames_in_use()
    assert [(sequence.id, len(frames)) for sequence, frames in used] == [
        ('b__clip.mp4', 20),
        ('b__walk', 5),
    ]


@pytest.mark.parametrize('cache_mb', [0, 1])
def test_sampled_clips_are_the_same_after_resuming(root, cache_mb):
    pipeline = (
        dict(type='LoadClipFrames', cache_mb=cache_mb),
        dict(type='ClipMotionCrop', size=(16, 16)),
        dict(type='PackForecastInputs'),
    )

    def batches(start):
        clips = dataset(root, sampling='video', stride=(1, 2), pipeline=pipeline)
        loader = DataLoader(
            clips, batch_size=2, sampler=DefaultSampler(clips, seed=3), collate_fn=pseudo_collate
        )
        loader = ResumableDataLoader(loader, seed=3, endless=True)
        loader.batch_sampler.seek(*divmod(start, 2))
        for _, batch in zip(range(8 - start), loader):
            yield [
                (sample.sequence_id, sample.frame_indices, clip.tolist())
                for sample, clip in zip(batch['data_samples'], batch['inputs'])
            ]

    whole = list(batches(0))
    assert whole[5:] == list(batches(5))
    assert len({str(item[:2]) for batch in whole for item in batch}) > 8  # drawn anew each time


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(split='test'), r"split must be one of 'train', 'val', 'all', got 'test'"),
        (dict(val_fraction=1.0), r'val_fraction must lie in \(0, 1\), got 1.0'),
        (dict(frame_fps=0), 'frame_fps must be above 0, got 0'),
        (dict(sampling='class'), r"sampling must be one of 'clip', 'video', got 'class'"),
        (dict(sampling='video', test_mode=True), "sampling='video' draws clips anew"),
        (dict(drop_repeats=-1), 'drop_repeats must be 0 or more, got -1'),
        (dict(anchor='annotated'), "anchor='annotated' does not fit videos"),
        (dict(videos='nowhere.txt'), 'no list of videos nowhere.txt'),
        (dict(videos=[]), 'videos names no video'),
        (dict(videos=['a.AVI 5:5']), r"'a.AVI 5:5' has no frame: write <path> <first>:<stop>"),
        (dict(videos=['a.AVI', './a.AVI']), 'videos has a.AVI twice'),
        (dict(videos=['gone.mp4']), 'no clip fits: .* no sequence was found.*gone.mp4 is missing'),
        (
            dict(num_future=30),
            'needs 32 frames, but the longest of 3 sequences, b__clip.mp4, has 20',
        ),
    ],
)
def test_bad_arguments(root, options, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        dataset(root, **options)


def test_folder_without_videos(tmp_path):
    with pytest.raises(FileNotFoundError, match='no folder .*check data_root'):
        dataset(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match='no videos under .*: looked for .*avi.*and for .*png'):
        dataset(tmp_path)


def test_image_cache_reads_each_file_once(root, picture, monkeypatch):
    pipeline = (dict(type='LoadClipFrames', cache_mb=1), PIPELINE[1])
    clips = dataset(root, videos=['b/walk'], pipeline=pipeline)
    before = [clips[i]['inputs'] for i in range(3)]
    shutil.rmtree(root / 'b' / 'walk')
    assert all((clips[i]['inputs'] == before[i]).all() for i in range(3))
    with pytest.raises(ValueError, match='cache_mb must be 0 or more, got -1'):
        dataset(root, pipeline=(dict(type='LoadClipFrames', cache_mb=-1),))
