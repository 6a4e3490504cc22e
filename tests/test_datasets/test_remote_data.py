"""Data sets by address: a storage of fsspec in this process gives what the folder gives."""

import os
import shutil

import numpy as np
import pytest
from torch.utils.data import DataLoader

from mmforecast.datasets import CityscapesSequenceDataset, VideoFolderDataset
from mmforecast.datasets.file_access import FileReader, find_tree

fsspec = pytest.importorskip('fsspec')
ADDRESS = 'memory://bucket/street'


@pytest.fixture
def storage(street_root):
    """The street in a storage: frames as files, labels in an archive; and files that are no data."""
    files = fsspec.filesystem('memory')
    files.put(str(street_root / 'leftImg8bit_sequence'), '/bucket/street/leftImg8bit_sequence', recursive=True)
    files.pipe_file('/bucket/street/leftImg8bit_sequence/val/.DS_Store', b'')
    files.pipe_file('/bucket/street/leftImg8bit_sequence/val/aachen/._a_leftImg8bit.png', b'')
    yield files
    files.rm('/', recursive=True)


def pack_labels(street_root, folder, storage):
    archive = shutil.make_archive(str(folder / 'gtFine'), 'zip', street_root, 'gtFine')
    storage.put_file(archive, '/bucket/street/gtFine_trainvaltest.zip')


def build(root, **more):
    steps = [dict(type='LoadClipFrames'), dict(type='LoadClipSemSeg')]
    return CityscapesSequenceDataset(
        root, 'val', pipeline=steps, num_future=1, test_mode=True, lazy_init=True, **more
    )


def items(dataset):
    dataset.full_init()
    return [dataset[number] for number in range(len(dataset))]


def test_clips_are_those_of_the_folder(street_root, storage, tmp_path):
    pack_labels(street_root, tmp_path, storage)
    local, remote = items(build(str(street_root))), items(build(ADDRESS))
    assert len(local) == len(remote) == 2
    for one, two in zip(local, remote):
        assert one['sequence_id'] == two['sequence_id']
        assert two['img_paths'][0].startswith('memory:///bucket/street/leftImg8bit_sequence/val/')
        for key in ('frames', 'gt_sem_seg'):
            assert all(np.array_equal(a, b) for a, b in zip(one[key], two[key], strict=True))


def test_processes_of_a_data_loader_read_it(storage):
    dataset = build(ADDRESS, data_prefix=dict(seg_map_path='none'))
    dataset.pipeline.transforms.pop()
    dataset.full_init()
    loader = DataLoader(dataset, None, num_workers=1, collate_fn=lambda item: np.asarray(item['frames']))
    for found, item in zip(loader, items(dataset), strict=True):
        assert np.array_equal(found, item['frames'])


def test_what_is_not_there(storage):
    with pytest.raises(FileNotFoundError, match='neither a folder memory://nowhere/leftImg8bit_sequence nor'):
        build('memory://nowhere').full_init()
    with pytest.raises(OSError):
        FileReader().read('memory://bucket/gone.png')
    with pytest.raises(ValueError, match='is on a web server, which does not list its files'):
        find_tree('http://127.0.0.1:9/street')


def test_a_storage_that_fails_is_a_sentence(storage, monkeypatch):
    def fail(*args, **more):
        raise RuntimeError('the token has expired')

    monkeypatch.setattr(type(storage), 'isdir', fail)
    with pytest.raises(OSError, match=r'memory://bucket/street cannot be read \(the token has expired\)'):
        find_tree(ADDRESS)


def test_files_that_are_too_large_are_refused(storage, monkeypatch):
    monkeypatch.setattr('mmforecast.datasets.file_access.MAX_BYTES', 10)
    storage.pipe_file('/bucket/large.png', bytes(11))
    storage.pipe_file('/bucket/small.png', bytes(10))
    assert FileReader().read('memory://bucket/small.png') == bytes(10)
    with pytest.raises(OSError, match='more than the 10 allowed'):
        FileReader().read('memory://bucket/large.png')


def test_other_data_sets_say_that_they_read_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match='VideoFolderDataset reads local files, and data_root is an address'):
        VideoFolderDataset('s3://bucket/videos')
    assert not os.listdir(tmp_path)
