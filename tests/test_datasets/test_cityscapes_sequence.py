"""Cityscapes' layout: real snippets, long recordings, labels, archives."""

import logging
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.logging import MMLogger

from mmforecast.datasets import CityscapesSequenceDataset, CorruptFrameError
from mmforecast.datasets.cityscapes_sequence import cut_snippets
from mmforecast.datasets.transforms import LoadClipFrames, LoadClipSemSeg
from mmforecast.structures.cityscapes import CITYSCAPES_LABEL_TO_TRAIN_ID, CITYSCAPES_METAINFO

H, W = 4, 8


def write_png(path: Path, image: np.ndarray):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def write_frames(root, city, seq, numbers, split='val'):
    folder = root / 'leftImg8bit_sequence' / split / city
    for number in numbers:
        image = np.full((H, W, 3), number % 256, np.uint8)
        write_png(folder / f'{city}_{seq}_{number:06d}_leftImg8bit.png', image)


def write_labels(root, city, seq, numbers, kinds=('labelIds', 'instanceIds'), **options):
    folder = root / options.get('tree', 'gtFine') / options.get('split', 'val') / city
    for number in numbers:
        for kind in kinds:
            value = options.get('value', 26)
            write_png(
                folder / f'{city}_{seq}_{number:06d}_gtFine_{kind}.png',
                np.full((H, W), value, np.uint8),
            )


@pytest.fixture
def log(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.WARNING)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture
def root(tmp_path):
    """Two cities of ordinary snippets, and a long recording with two annotated frames."""
    write_frames(tmp_path, 'lindau', '000000', range(30))
    write_labels(tmp_path, 'lindau', '000000', [19])
    write_frames(tmp_path, 'lindau', '000001', range(30))
    write_labels(tmp_path, 'lindau', '000001', [19])
    write_frames(tmp_path, 'frankfurt', '000000', [*range(275, 305), *range(557, 587)])
    write_labels(tmp_path, 'frankfurt', '000000', [294, 576])
    return tmp_path


def test_sequences(root):
    dataset = CityscapesSequenceDataset(root, split='val')
    assert [sequence.id for sequence in dataset.sequences] == [
        'val_frankfurt_000000_000275',
        'val_frankfurt_000000_000557',
        'val_lindau_000000_000000',
        'val_lindau_000001_000000',
    ]
    assert {len(sequence) for sequence in dataset.sequences} == {30}
    assert {sequence.annotated_index for sequence in dataset.sequences} == {19}
    assert dataset.fps == 17


def test_mid_term_clip_of_a_long_recording(root):
    info = CityscapesSequenceDataset(root, split='val').get_data_info(1)
    # 1-based frames 2, 5, ..., 20 of the snippet that begins at 557.
    numbers = [558, 561, 564, 567, 570, 573, 576]
    assert info['frame_indices'] == [1, 4, 7, 10, 13, 16, 19]
    assert info['frame_names'] == [f'frankfurt_000000_{number:06d}' for number in numbers]
    folder = root / 'leftImg8bit_sequence' / 'val' / 'frankfurt'
    assert info['img_paths'][-1] == str(folder / 'frankfurt_000000_000576_leftImg8bit.png')
    labels = root / 'gtFine' / 'val' / 'frankfurt'
    stem = str(labels / 'frankfurt_000000_000576_gtFine_')
    assert info['seg_map_paths'] == [None] * 6 + [f'{stem}labelIds.png']
    assert info['instance_paths'] == [None] * 6 + [f'{stem}instanceIds.png']


def test_short_term_and_cities(root):
    dataset = CityscapesSequenceDataset(root, split='val', num_future=1, cities=['lindau'])
    assert len(dataset) == 2
    names = [name[-2:] for name in dataset[0]['frame_names']]
    assert names == ['07', '10', '13', '16', '19']


def test_labels_on_every_frame(tmp_path):
    """Made data: numbered through, all labeled; frame 19 of each snippet counts as annotated."""
    write_frames(tmp_path, 'street', '000000', range(60), split='train')
    write_labels(tmp_path, 'street', '000000', range(60), tree='gtFine_sequence', split='train')
    dataset = CityscapesSequenceDataset(
        tmp_path, split='train', data_prefix=dict(seg_map_path='gtFine_sequence')
    )
    assert [info['frame_names'][-1][-2:] for info in dataset] == ['19', '49']
    assert all(path is not None for path in dataset[1]['seg_map_paths'])


def test_splits_share_no_sequence_id(tmp_path):
    ids = set()
    for split in ('train', 'val'):
        write_frames(tmp_path, 'street', '000000', range(30), split=split)
        [sequence] = CityscapesSequenceDataset(tmp_path, split=split).sequences
        ids.add(sequence.id)
    assert len(ids) == 2


def test_long_recordings_uncut(tmp_path):
    write_frames(tmp_path, 'frankfurt', '000000', [*range(100, 175), *range(200, 210)])
    dataset = CityscapesSequenceDataset(
        tmp_path, split='val', snippet_length=None, num_past=2, num_future=3, stride=17, anchor=None
    )
    assert [(s.id[-6:], len(s)) for s in dataset.sequences] == [('000100', 75), ('000200', 10)]
    # 4 * 17 + 1 = 69 frames fit 7 times into 75.
    assert len(dataset) == 7


def test_train_ids_are_preferred_where_all_frames_have_them(root):
    dataset = CityscapesSequenceDataset(root, split='val')
    assert dataset.label_map == CITYSCAPES_LABEL_TO_TRAIN_ID
    half = ['labelTrainIds']
    write_labels(root, 'lindau', '000000', [19], half, value=13)
    write_labels(root, 'lindau', '000001', [19], half, value=13)
    dataset = CityscapesSequenceDataset(root, split='val')
    assert dataset.label_map == CITYSCAPES_LABEL_TO_TRAIN_ID
    write_labels(root, 'frankfurt', '000000', [294, 576], half, value=13)
    dataset = CityscapesSequenceDataset(root, split='val')
    assert dataset.label_map is None
    assert dataset[0]['seg_map_paths'][-1].endswith('_gtFine_labelTrainIds.png')
    by_ids = CityscapesSequenceDataset(root, split='val', label_kind='labelIds')
    for ids, train_ids in zip(by_ids, dataset):
        mapped = LoadClipSemSeg()(ids)['gt_sem_seg']
        np.testing.assert_array_equal(mapped, LoadClipSemSeg()(train_ids)['gt_sem_seg'])
        assert set(mapped[-1].ravel()) == {13}


@pytest.mark.parametrize('suffix', ['', '_trainvaltest'])
def test_archives_are_read_in_place(root, suffix):
    pipeline = [LoadClipFrames(), LoadClipSemSeg()]
    folders = list(CityscapesSequenceDataset(root, split='val', pipeline=pipeline))
    for tree in ('leftImg8bit_sequence', 'gtFine'):
        shutil.make_archive(root / f'{tree}{suffix}', 'zip', root, tree)
        shutil.rmtree(root / tree)
    archives = list(CityscapesSequenceDataset(root, split='val', pipeline=pipeline))
    assert len(archives) == len(folders) == 4
    for a, b in zip(archives, folders):
        assert a['img_paths'][0].startswith(f'{root}/leftImg8bit_sequence{suffix}.zip/')
        for key in ('sequence_id', 'frame_names', 'labelled', 'img_shape'):
            assert a[key] == b[key]
        np.testing.assert_array_equal(a['frames'], b['frames'])
        np.testing.assert_array_equal(a['gt_sem_seg'], b['gt_sem_seg'])


def test_no_labels(root, log):
    shutil.rmtree(root / 'gtFine')
    dataset = CityscapesSequenceDataset(root, split='val')
    # Without labels snippets are cut at gaps of the numbers, and frame 19 is still the target.
    assert [sequence.id[-6:] for sequence in dataset.sequences][:2] == ['000275', '000557']
    assert dataset[0]['seg_map_paths'] == [None] * 7
    assert 'no label maps' in log.text and str(root / 'gtFine' / 'val') in log.text


def test_missing_frame(root, log):
    missing = root / 'leftImg8bit_sequence/val/frankfurt/frankfurt_000000_000290_leftImg8bit.png'
    missing.unlink()
    with pytest.raises(CorruptFrameError) as error:
        CityscapesSequenceDataset(root, split='val', test_mode=True)
    assert str(missing) in str(error.value)
    assert 'sequence val_frankfurt_000000_000275' in str(error.value)
    dataset = CityscapesSequenceDataset(root, split='val')
    assert len(dataset) == 3
    assert str(missing) in log.text and 'left out' in log.text


def test_download_that_stopped_early(root, log):
    for number in range(12, 30):
        name = f'lindau_000001_{number:06d}_leftImg8bit.png'
        (root / 'leftImg8bit_sequence/val/lindau' / name).unlink()
    assert len(CityscapesSequenceDataset(root, split='val')) == 3
    assert 'left out 1 of 4 sequences' in log.text
    assert 'val_lindau_000001_000000 (12 frames)' in log.text


def test_nothing_there(root, tmp_path):
    with pytest.raises(FileNotFoundError, match='neither a folder .*nowhere/leftImg8bit_seq'):
        CityscapesSequenceDataset(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match='train/<city>/<city>_<seq>_<frame>_leftImg8bit'):
        CityscapesSequenceDataset(root, split='train')
    with pytest.raises(FileNotFoundError, match=r"wanted cities: \('ulm',\).*frankfurt, lindau"):
        CityscapesSequenceDataset(root, split='val', cities=['ulm'])
    name = root / 'leftImg8bit_sequence/val/lindau/frame7_leftImg8bit.png'
    write_png(name, np.zeros((H, W, 3), np.uint8))
    with pytest.raises(ValueError, match=r'frame7_leftImg8bit\.png is not named'):
        CityscapesSequenceDataset(root, split='val')


@pytest.mark.parametrize(
    'options',
    [dict(label_kind='color'), dict(snippet_length=19), dict(data_prefix=dict(img='x'))],
)
def test_refuses(root, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        CityscapesSequenceDataset(root, split='val', **options)


# --- cutting recordings ---------------------------------------------------------------------------


def test_cut_adjacent_snippets_that_labels_align():
    """A recording that goes on without a gap, whose first snippet doesn't begin at its start."""
    snippets = cut_snippets(list(range(95, 165)), [124, 154])
    spans = [(numbers[0], numbers[-1], mark) for numbers, mark in snippets]
    assert spans == [(95, 104, None), (105, 134, 124), (135, 164, 154)]


def test_cut_overlapping_snippets():
    snippets = cut_snippets(list(range(50)), [19, 39])
    spans = [(numbers[0], numbers[-1], mark) for numbers, mark in snippets]
    assert spans == [(0, 29, 19), (20, 49, 39)]


@given(
    st.lists(st.booleans(), max_size=150),
    st.sets(st.integers(0, 149), max_size=8),
    st.sampled_from([None, 20, 30, 45]),
)
def test_cut_loses_no_frame(present, labelled, length):
    numbers = [number for number, there in enumerate(present) if there]
    annotated = sorted(labelled & set(numbers))
    snippets = cut_snippets(numbers, annotated, length)
    assert sorted({number for members, _ in snippets for number in members}) == numbers
    for members, mark in snippets:
        assert members == sorted(members)
        if length is not None:
            assert members[-1] - members[0] < length
        assert mark is None or mark in members


# --- label table ----------------------------------------------------------------------------------


def test_label_table_is_that_of_cityscapes():
    labels = pytest.importorskip('cityscapesscripts.helpers.labels').labels
    table = {label.id % 256: label.trainId % 256 for label in labels}
    assert table == CITYSCAPES_LABEL_TO_TRAIN_ID
    evaluated = sorted((label for label in labels if 0 <= label.trainId < 19), key=lambda x: x[2])
    assert CITYSCAPES_METAINFO['classes'] == tuple(label.name for label in evaluated)
    assert CITYSCAPES_METAINFO['palette'] == tuple(label.color for label in evaluated)
    moving = [label.trainId for label in evaluated if label.category in ('human', 'vehicle')]
    assert CITYSCAPES_METAINFO['moving_ids'] == tuple(moving)
