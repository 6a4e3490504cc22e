"""UCF101 in its official layout, and the authors' test frames."""

import collections
import logging

import cv2
import numpy as np
import pytest

from mmforecast.datasets import (
    CorruptFrameError,
    UCF101Dataset,
    UCF101TestFramesDataset,
)

PIPELINE = (dict(type='LoadClipFrames'), dict(type='PackForecastInputs'))
CLASSES = ('Archery', 'HandstandPushups', 'YoYo')


@pytest.fixture(scope='module')
def ucf101(tmp_path_factory, write_video):
    """Three classes of 1, 2 and 3 training videos, one of them missing, and a test video each."""
    root = tmp_path_factory.mktemp('ucf101')
    lists = root / 'ucfTrainTestlist'
    lists.mkdir()
    train, test = [], []
    for label, name in enumerate(CLASSES, 1):
        # The official lists call the folder HandstandPushups, its files v_HandStandPushups.
        stem = name.replace('stand', 'Stand')
        for group in range(8, 8 + label):
            train.append(f'{name}/v_{stem}_g{group:02d}_c01.avi')
        test.append(f'{name}/v_{stem}_g01_c01.avi')
    for name in [*train, *test]:
        if name != 'YoYo/v_YoYo_g10_c01.avi':
            write_video(root / 'UCF-101' / name, 8, codec='mpeg4')
    labelled = [f'{name} {1 + CLASSES.index(name.split("/")[0])}' for name in train]
    for fold in (1, 2, 3):
        (lists / f'trainlist{fold:02d}.txt').write_text('\r\n'.join(labelled[fold - 1 :]) + '\r\n')
        (lists / f'testlist{fold:02d}.txt').write_text('\n'.join(test) + '\n')
    return root


def ucf(root, **options):
    defaults = dict(num_past=4, num_future=1, pipeline=PIPELINE)
    return UCF101Dataset(str(root), **{**defaults, **options})


def test_official_lists(ucf101, log, number_in):
    train = ucf(ucf101, sampling='clip')
    assert [s.id for s in train.sequences] == [
        'Archery__v_Archery_g08_c01.avi',
        'HandstandPushups__v_HandStandPushups_g08_c01.avi',
        'HandstandPushups__v_HandStandPushups_g09_c01.avi',
        'YoYo__v_YoYo_g08_c01.avi',
        'YoYo__v_YoYo_g09_c01.avi',
    ]
    assert len(train) == 5 * 4 and train.fps == 25
    assert train.unreadable == {'YoYo/v_YoYo_g10_c01.avi': 'is missing'}
    assert 'left out 1 of 6 sequences: YoYo/v_YoYo_g10_c01.avi is missing' in log.text
    frames = train[1]['inputs'].permute(0, 2, 3, 1).numpy()
    assert [number_in(frame) for frame in frames] == [1, 2, 3, 4, 5]
    assert len(ucf(ucf101, fold=3, sampling='clip').sequences) == 3
    test = ucf(ucf101, split='test', test_mode=True, num_future=2)
    assert len(test.sequences) == 3 and len(test) == 3 * 3
    assert all('_g01_' in sequence.id for sequence in test.sequences)


@pytest.mark.parametrize('on_disk', ['HandStandPushups', 'HandstandPushups'])
@pytest.mark.parametrize('in_list', ['HandStandPushups', 'HandstandPushups'])
def test_folder_name_in_either_spelling(tmp_path, write_video, on_disk, in_list):
    write_video(tmp_path / 'UCF-101' / on_disk / f'v_{on_disk}_g01_c01.avi', 6, codec='mpeg4')
    (tmp_path / 'ucfTrainTestlist').mkdir()
    path = tmp_path / 'ucfTrainTestlist' / 'trainlist01.txt'
    path.write_text(f'{in_list}/v_{in_list}_g01_c01.avi 37\n')
    train = ucf(tmp_path)
    assert train[0]['inputs'].shape == (5, 3, 48, 64) and not train.unreadable


def test_class_then_video(ucf101):
    train = ucf(ucf101)
    assert train.sampling == 'class' and len(train) == 3
    rng = np.random.RandomState(0)
    drawn = collections.Counter(
        train._draw_clip(dict(group=group))['sequence']
        for group in rng.randint(0, 3, 3000)  # a sampler deals classes out evenly
    )
    frequencies = np.array([drawn[number] for number in range(5)]) / 3000
    # Each class 1/3, whatever its number of videos: 1, 2 and 2.
    expected = np.array([1 / 3, 1 / 6, 1 / 6, 1 / 6, 1 / 6])
    assert (abs(frequencies - expected) < 4 * np.sqrt(expected * (1 - expected) / 3000)).all()
    assert {train[2]['data_samples'].sequence_id for _ in range(30)} == {
        'YoYo__v_YoYo_g08_c01.avi',
        'YoYo__v_YoYo_g09_c01.avi',
    }
    assert len(ucf(ucf101, sampling='video')) == 5
    assert sum(len(frames) for _, frames in train.frames_in_use()) == 5 * 8


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(split='val'), "split must be one of 'train', 'test', got 'val'"),
        (dict(fold=4), 'fold must be one of 1, 2, 3, got 4'),
        (dict(sampling='class', test_mode=True), "sampling='class' draws clips anew"),
        (dict(data_prefix=dict(lists='none')), r'no .*none/trainlist01.txt: unpack UCF101.rar'),
        (dict(data_prefix=dict(videos='none')), r'no .*none: unpack UCF101.rar'),
    ],
)
def test_bad_arguments(ucf101, options, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        ucf(ucf101, **options)


def write_png(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1])


@pytest.fixture
def frames_root(tmp_path, picture):
    """Clips 1, 11 and 101, of which 11 lacks its second target and its flow."""
    white = np.full((48, 64, 3), 255, np.uint8)
    for clip in (1, 11, 101):
        for number, name in enumerate(['pred_1', 'pred_2', 'pred_3', 'pred_4', 'target_1']):
            write_png(tmp_path / str(clip) / f'{name}.png', picture(clip + number))
        flow = white.copy()
        flow[:10, :20, 2] = 50  # 0.196 of blue: moves
        flow[10:20, :20, 0] = 51  # 0.2 of red: does not
        write_png(tmp_path / str(clip) / 'pred_4_flow.png', flow)
        if clip != 11:
            write_png(tmp_path / str(clip) / 'target_2.png', picture(clip + 5))
            write_png(tmp_path / str(clip) / 'target_1_flow.png', np.roll(flow, 20, axis=0))
    return tmp_path


def test_test_frames_layout(frames_root, log, number_in):
    clips = UCF101TestFramesDataset(str(frames_root), pipeline=PIPELINE, test_mode=True)
    samples = [clip['data_samples'] for clip in clips]
    assert [sample.sequence_id for sample in samples] == ['1', '101']
    assert 'left out 1 of 3 sequences' in log.text and '11 (5 frames)' in log.text
    frames = clips[1]['inputs'].permute(0, 2, 3, 1).numpy()
    assert [number_in(frame) for frame in frames] == [101, 102, 103, 104, 105, 106]
    assert samples[0].frame_names == [*(f'pred_{n}' for n in range(1, 5)), 'target_1', 'target_2']
    assert samples[0].flow_paths == [
        str(frames_root / '1' / f'{name}_flow.png') for name in ('pred_4', 'target_1')
    ]
    assert samples[0].fps == 25


@pytest.mark.parametrize(
    'past, future, names',
    [
        (4, 1, ['pred_1', 'pred_2', 'pred_3', 'pred_4', 'target_1']),
        (2, 1, ['pred_3', 'pred_4', 'target_1']),
        (4, 0, ['pred_1', 'pred_2', 'pred_3', 'pred_4']),
    ],
)
def test_shorter_clips_of_test_frames(frames_root, past, future, names):
    clips = UCF101TestFramesDataset(str(frames_root), num_past=past, num_future=future)
    assert [clip['sequence_id'] for clip in clips] == ['1', '11', '101']
    assert clips[1]['frame_names'] == names
    assert len(clips[1]['flow_paths']) == future


MASKED = (PIPELINE[0], dict(type='LoadMotionMasks'), PIPELINE[1])


def test_motion_masks_by_the_rule_of_the_authors(frames_root):
    clips = UCF101TestFramesDataset(str(frames_root), pipeline=MASKED)
    mask = clips[0]['data_samples'].gt_motion_mask.data
    expected = np.zeros((2, 48, 64), bool)
    expected[0, :10, :20] = expected[1, 20:30, :20] = True
    np.testing.assert_array_equal(mask.numpy(), expected)
    higher = (PIPELINE[0], dict(type='LoadMotionMasks', threshold=0.201), PIPELINE[1])
    clips = UCF101TestFramesDataset(str(frames_root), pipeline=higher)
    assert clips[0]['data_samples'].gt_motion_mask.data[0].sum() == 20 * 20


def test_masks_follow_the_frames(frames_root):
    resized = (*MASKED[:2], dict(type='ClipResize', scale=(32, 24)), PIPELINE[1])
    mask = UCF101TestFramesDataset(str(frames_root), pipeline=resized)[0]['data_samples']
    assert mask.gt_motion_mask.data.shape == (2, 24, 32)
    assert mask.gt_motion_mask.data[0].sum() == 5 * 10
    flipped = (*MASKED[:2], dict(type='ClipRandomFlip', prob=1.0), PIPELINE[1])
    mask = UCF101TestFramesDataset(str(frames_root), pipeline=flipped)[0]['data_samples']
    assert mask.gt_motion_mask.data[0, :10, -20:].all()


def test_flow_picture_that_is_not_there(frames_root, log):
    (frames_root / '1' / 'target_1_flow.png').unlink()
    clips = UCF101TestFramesDataset(str(frames_root), pipeline=MASKED, test_mode=True)
    assert clips.get_data_info(0)['flow_paths'][1] is None
    with pytest.raises(CorruptFrameError, match='future step 2 of sequence 1 has no flow picture'):
        clips[0]
    write_png(frames_root / '1' / 'target_1_flow.png', np.zeros((24, 64, 3), np.uint8))
    clips = UCF101TestFramesDataset(str(frames_root), pipeline=MASKED, test_mode=True)
    with pytest.raises(ValueError, match='target_1_flow.png is 24x64 pixels, but its frames'):
        clips[0]
    with pytest.raises(ValueError, match='threshold must lie in .0, 1., got 51'):
        UCF101TestFramesDataset(str(frames_root), pipeline=(dict(type='LoadMotionMasks', threshold=51),))
    clips = UCF101TestFramesDataset(str(frames_root), pipeline=MASKED, num_future=0)
    with pytest.raises(ValueError, match='needs flow pictures of future frames.*leave it out'):
        clips[0]


def test_test_frames_that_lack_more(frames_root, tmp_path, log):
    (frames_root / '11' / 'pred_2.png').unlink()
    clips = UCF101TestFramesDataset(str(frames_root), num_future=1)
    assert len(clips) == 2
    assert [r.levelno for r in log.records] == [logging.WARNING]
    assert 'left out 1 of 3 sequences: 11 lacks pred_2' in log.text
    with pytest.raises(FileNotFoundError, match='no clips .*pred_1.png: unpack the test frames'):
        UCF101TestFramesDataset(str(tmp_path / 'nowhere'))
    for options in (dict(num_past=5), dict(num_future=3)):
        with pytest.raises(ValueError, match='the frames there are, got'):
            UCF101TestFramesDataset(str(frames_root), **options)
