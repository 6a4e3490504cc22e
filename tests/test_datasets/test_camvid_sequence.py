"""CamVid's layout, its split in time, and the real frames where the machine has them."""

import logging

import cv2
import numpy as np
import pytest
from mmengine.logging import MMLogger

from mmforecast.datasets import CamVidSequenceDataset
from mmforecast.datasets.labels import (
    CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID,
    CAMVID_METAINFO,
    CITYSCAPES_METAINFO,
)

PIPELINE = [dict(type='LoadClipFrames'), dict(type='LoadClipSemSeg')]


def write_frames(root, recording, numbers, label=8):
    for folder, shape, value in (('images', (4, 6, 3), 90), ('labels', (4, 6), label)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            path = root / folder / f'{recording}_{number:05d}.png'
            assert cv2.imwrite(str(path), np.full(shape, value, np.uint8))


@pytest.fixture
def log(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.WARNING)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_split_in_time(tmp_path):
    write_frames(tmp_path, '0016E5', range(100, 140, 2))
    options = dict(num_past=2, num_future=1, stride=2)
    train = CamVidSequenceDataset(tmp_path, split='train', **options)
    val = CamVidSequenceDataset(tmp_path, split='val', **options)
    whole = CamVidSequenceDataset(tmp_path, split='all', **options)
    assert train.fps == val.fps == train.metainfo['fps'] == 15

    # 20 frames: 12 for training, 8 for validation; a clip spans 5.
    def names(dataset):
        return {name for clip in dataset for name in clip['frame_names']}

    assert (len(train), len(val), len(whole)) == (8, 4, 16)
    assert names(train) == {f'0016E5_{number:05d}' for number in range(100, 124, 2)}
    assert names(val) == {f'0016E5_{number:05d}' for number in range(124, 140, 2)}
    # One store serves all splits: ids and names are the same, positions are those in the split.
    assert train[0]['sequence_id'] == val[0]['sequence_id'] == '0016E5_00100'
    assert val[0]['frame_indices'] == [0, 2, 4]
    assert val[0]['seg_map_paths'][0] == str(tmp_path / 'labels' / '0016E5_00124.png')


@pytest.mark.parametrize('gap, fps', [(1, 30), (2, 15), (30, 1)])
def test_frame_rate(tmp_path, gap, fps):
    write_frames(tmp_path, 'Seq05VD', range(0, 8 * gap, gap))
    dataset = CamVidSequenceDataset(tmp_path, split='all', num_past=2, num_future=1, stride=1)
    assert dataset.fps == fps
    assert len(dataset) == 6


def test_missing_frames_begin_a_new_sequence(tmp_path, log):
    write_frames(tmp_path, '0016E5', [*range(0, 10), *range(12, 24)])
    dataset = CamVidSequenceDataset(tmp_path, split='all', num_past=2, num_future=1, stride=3)
    assert [(s.id, len(s)) for s in dataset.sequences] == [
        ('0016E5_00000', 10),
        ('0016E5_00012', 12),
    ]
    for clip in dataset:
        assert set(np.diff([int(name[-5:]) for name in clip['frame_names']])) == {3}
    assert 'recording 0016E5' in log.text and 'between 9 and 12' in log.text


def test_labels_of_both_spaces(tmp_path):
    write_frames(tmp_path, '0016E5', range(3), label=8)
    labels = np.arange(12, dtype=np.uint8).reshape(2, 6).repeat(2, axis=0)
    cv2.imwrite(str(tmp_path / 'labels' / '0016E5_00002.png'), labels)
    options = dict(split='all', num_past=2, num_future=1, stride=1, pipeline=PIPELINE)
    own = CamVidSequenceDataset(tmp_path, **options)[0]['gt_sem_seg']
    assert set(own[0].ravel()) == {8}
    assert own[2][::2].ravel().tolist() == [*range(11), 255]

    dataset = CamVidSequenceDataset(tmp_path, label_space='cityscapes', **options)
    mapped = dataset[0]['gt_sem_seg']
    names = [CITYSCAPES_METAINFO['classes'][train_id] for train_id in mapped[2][::2].ravel()[:11]]
    assert names == [
        *('sky', 'building', 'pole', 'road', 'sidewalk', 'vegetation', 'traffic sign', 'fence'),
        *('car', 'person', 'rider'),
    ]
    assert mapped[2][2, 5] == 255
    assert dataset.metainfo['classes'] == CITYSCAPES_METAINFO['classes']
    assert dataset.fps == 30


def test_label_tables_agree():
    """What moves in CamVid is what moves in Cityscapes."""
    assert len(CAMVID_METAINFO['classes']) == len(CAMVID_METAINFO['palette']) == 11
    moving = {
        label
        for label, train_id in CAMVID_LABEL_TO_CITYSCAPES_TRAIN_ID.items()
        if train_id in CITYSCAPES_METAINFO['moving_ids']
    }
    assert moving == set(CAMVID_METAINFO['moving_ids'])


def test_nothing_there(tmp_path, log):
    with pytest.raises(FileNotFoundError, match=r'no folder .*images; .*<recording>_<number>\.png'):
        CamVidSequenceDataset(tmp_path)
    write_frames(tmp_path, '0016E5', range(40))
    for path in (tmp_path / 'labels').iterdir():
        path.unlink()
    assert CamVidSequenceDataset(tmp_path)[0]['seg_map_paths'] == [None] * 7
    assert 'no label maps' in log.text
    for path in (tmp_path / 'images').iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match='no frames'):
        CamVidSequenceDataset(tmp_path)


@pytest.mark.parametrize(
    'options',
    [dict(split='test'), dict(val_fraction=1.0), dict(label_space='kitti')] + [dict(anchor='annotated')],
)
def test_refuses(tmp_path, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        CamVidSequenceDataset(tmp_path, **options)


def test_real_frames(camvid_root):
    train = CamVidSequenceDataset(camvid_root, split='train', pipeline=PIPELINE)
    val = CamVidSequenceDataset(camvid_root, split='val', pipeline=PIPELINE)
    assert train.fps == 15
    # 65 frames: 39 and 26; a mid-term clip spans 19.
    assert (len(train), len(val)) == (21, 8)
    assert train[-1]['frame_names'][-1] < val[0]['frame_names'][0]
    clip = val[0]
    assert clip['frames'].shape == (7, 360, 480, 3)
    assert clip['gt_sem_seg'].shape == (7, 360, 480)
    assert all(clip['labelled'])
    assert set(np.unique(clip['gt_sem_seg'])) <= {*range(11), 255}
    # RGB, not BGR: the sky of a clear day has more blue than red.
    sky = clip['frames'][clip['gt_sem_seg'] == 0].mean(axis=0)
    assert sky[2] > sky[0]


def test_recording_with_a_letter_before_the_number(tmp_path):
    write_frames(tmp_path, '0001TP', range(30, 120, 30))
    for number in (930, 960):
        path = tmp_path / 'images' / f'0006R0_f{number:05d}.png'
        assert cv2.imwrite(str(path), np.zeros((4, 6, 3), np.uint8))
    dataset = CamVidSequenceDataset(tmp_path, split='all', num_past=1, num_future=0)
    names = [clip['frame_names'][0] for clip in dataset]
    assert names[-2:] == ['0006R0_f00930', '0006R0_f00960']
    assert len(names) == 5
