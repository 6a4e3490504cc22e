"""Files that operating systems and tools leave among data are no data, in any listing.

Sources: vision#109 (.DS_Store), vision#2831, tensorflow#46595, mmpretrain#507 and anomalib#865
(.ipynb_checkpoints as a class).
"""

import zipfile

import numpy as np
import pytest
from PIL import Image

from mmforecast.creative.apis.image_sets import folder_images
from mmforecast.creative.datasets import FashionDataset
from mmforecast.creative.human_study.assignment import draw_items
from mmforecast.datasets import (
    CamVidSequenceDataset,
    CityscapesSequenceDataset,
    UCF101TestFramesDataset,
    VideoFolderDataset,
)
from mmforecast.datasets.junk_files import is_junk, is_junk_path, visible_names, walk_visible

JUNK_FILES = ('._{}', '.{}', '.DS_Store', 'Thumbs.db', 'desktop.ini', 'Icon\r', '{}~', '.~lock.{}#')
JUNK_FOLDERS = ('__MACOSX', '.ipynb_checkpoints', '.hidden', '@eaDir', '$RECYCLE.BIN', 'lost+found', '.git')


def spread_junk(root):
    """Put junk beside every file of a tree, and junk folders with copies into every folder."""
    for folder in [root, *[path for path in root.rglob('*') if path.is_dir()]]:
        files = [path for path in folder.iterdir() if path.is_file()]
        for path in files:
            for name in JUNK_FILES:
                (folder / name.format(path.name)).write_bytes(b'\x00\x05\x16\x07 junk')
        for name in JUNK_FOLDERS:
            (folder / name).mkdir()
            for path in files:
                (folder / name / path.name).write_bytes(path.read_bytes())


def save(path, value=90, mode='RGB', size=(32, 24)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3)[: 3 if mode == 'RGB' else 2], value, np.uint8)).save(path)


def clips(dataset):
    return len(dataset), [sequence.id for sequence in dataset.sequences]


def test_rule():
    assert all(is_junk(name.format('a.png')) for name in (*JUNK_FILES, *JUNK_FOLDERS))
    assert is_junk('THUMBS.DB') and is_junk('__macosx')
    assert not any(map(is_junk, ('a.png', 'macosx', 'thumbs.png', '__init__', 'ä.png', '-1.png', '_.png')))
    assert is_junk_path('a/__MACOSX/b.png') and is_junk_path('a/._b.png') and not is_junk_path('a/b.png')


def test_walk_follows_links_and_ends(tmp_path):
    save(tmp_path / 'a' / '1.png')
    spread_junk(tmp_path)
    (tmp_path / 'a' / 'loop').symlink_to(tmp_path)
    (tmp_path / 'dead').symlink_to(tmp_path / 'nowhere')
    assert [(folder, files) for folder, _, files in walk_visible(tmp_path) if '1.png' in files] == [
        (str(tmp_path / 'a'), ['1.png'])
    ]
    assert visible_names(tmp_path / 'nowhere') == []


def camvid(root):
    for number in range(8):
        save(root / 'images' / f'0016E5_{number:05d}.png')
        save(root / 'labels' / f'0016E5_{number:05d}.png', 3, 'L')
    return lambda: CamVidSequenceDataset(root, split='all', num_past=2, num_future=1, stride=1)


def cityscapes(root):
    for number in range(30):
        save(root / 'leftImg8bit_sequence/train/aachen' / f'aachen_000000_{number:06d}_leftImg8bit.png')
    save(root / 'gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png', 7, 'L')
    return lambda: CityscapesSequenceDataset(root)


def test_frames(root):
    for name in ('pred_1', 'pred_2', 'pred_3', 'pred_4', 'target_1', 'target_2'):
        save(root / '1' / f'{name}.png')
    return lambda: UCF101TestFramesDataset(root)


test_frames.__test__ = False


def frame_folders(root):
    for folder in ('a', 'b/c'):
        for number in range(5):
            save(root / folder / f'{number}.png')
    return lambda: VideoFolderDataset(root, num_past=2, num_future=1)


@pytest.mark.parametrize('make', [camvid, cityscapes, test_frames, frame_folders])
def test_sequences(tmp_path, make, log):
    load = make(tmp_path)
    expected = clips(load())
    spread_junk(tmp_path)
    dataset = load()
    assert clips(dataset) == expected and not dataset.unreadable and not log.records


def test_zip_of_a_mac(tmp_path):
    load = cityscapes(tmp_path)
    expected = clips(load())
    for name in ('leftImg8bit_sequence', 'gtFine'):
        with zipfile.ZipFile(tmp_path / f'{name}_trainvaltest.zip', 'w') as archive:
            for path in sorted((tmp_path / name).rglob('*.png')):
                member = path.relative_to(tmp_path).as_posix()
                archive.write(path, member)
                folder, _, file = member.rpartition('/')
                archive.writestr(f'__MACOSX/{folder}/{file}', b'junk')
                archive.writestr(f'{folder}/._{file}', b'junk')
        (tmp_path / name).rename(tmp_path / f'was_{name}')
    assert clips(load()) == expected


def test_classes_and_images(tmp_path):
    for name in ('train/a/1.png', 'train/a/x/2.png', 'train/b/y/z/1.png'):
        save(tmp_path / name)
    spread_junk(tmp_path)
    dataset = FashionDataset(str(tmp_path), split='train')
    assert dataset.attributes == dict(shape=('a', 'b')) and len(dataset) == 3
    assert len(FashionDataset(str(tmp_path), split='train', attribute=None)) == 3


def test_image_sets_and_studies(tmp_path):
    for number in range(3):
        save(tmp_path / f'{number}.png')
    spread_junk(tmp_path)
    assert len(folder_images(str(tmp_path), 'ours', 16).images) == 3
    assert len(draw_items(dict(ours=str(tmp_path)), 3)) == 3
