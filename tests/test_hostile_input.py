"""Files made to do harm: nothing in them is run, and they are refused within bounded memory and time."""

import io
import json
import os
import pickle
import resource
import struct
import zipfile
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from mmforecast.creative.datasets.idx_files import read_idx
from mmforecast.creative.datasets.image_list import read_image_list
from mmforecast.datasets import VideoFolderDataset
from mmforecast.datasets.file_access import CorruptFrameError, FileReader
from mmforecast.datasets.image_files import decode_gray, decode_rgb
from mmforecast.datasets.representation_store import (
    Level,
    RepresentationStore,
    StoreManifest,
    StoreWriter,
)
from mmforecast.datasets.transforms.loading import LoadClipFrames
from mmforecast.datasets.video import index_video
from mmforecast.datasets.video.listing import read_entries
from mmforecast.fileio import load_checkpoint
from mmforecast.fileio.safe_pickle import load_pickle
from mmforecast.weight_conversion import read_detectron, read_f2f


class Payload:
    """Pickled as a call that makes a file."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path):
    """What a payload would make."""
    return tmp_path / 'executed'


def pickled(payload, path):
    path.write_bytes(pickle.dumps(dict(blobs=dict(a=payload), state_dict=payload), protocol=2))


def as_torch(payload, path):
    torch.save(dict(state_dict=payload), path)


def as_array(payload, path):
    np.save(path, np.array([payload], dtype=object), allow_pickle=True)


def read_store(path):
    """A store whose only array is the file."""
    root = path.parent / 'store'
    writer = StoreWriter(str(root), StoreManifest('m', '', [Level('P5', (1, 1, 1))], 'd'))
    writer.write_sequence('P5', 's', ['0'], np.zeros((1, 1, 1, 1)))
    (root / 'data/P5/s.npy').write_bytes(path.read_bytes())
    RepresentationStore(str(root)).read('P5', 's', ['0'])


def read_manifest(path):
    path.rename(path.with_name('manifest.json'))
    RepresentationStore(str(path.parent))


def read_index(path):
    root = path.parent / 'store'
    StoreWriter(str(root), StoreManifest('m', '', [Level('P5', (1, 1, 1))], 'd'))
    (root / 'index.jsonl').write_bytes(path.read_bytes() + b'\n')
    RepresentationStore(str(root))


def read_frame(path):
    clip = dict(img_paths=[str(path)], num_past=1, sequence_id='s')
    LoadClipFrames().transform(clip)


def renamed(read, suffix):
    def call(path):
        path = path.rename(path.with_suffix(suffix))
        return read(str(path))

    return call


LOADERS = dict(
    checkpoint=lambda path: load_checkpoint(str(path)),
    detectron=read_detectron,
    pickle=load_pickle,
    f2f=read_f2f,
    store_array=read_store,
    store_manifest=read_manifest,
    store_index=read_index,
    frame=read_frame,
    image=lambda path: decode_rgb(path.read_bytes(), str(path)),
    video=renamed(index_video, '.mp4'),
    image_list_csv=renamed(read_image_list, '.csv'),
    image_list_json=renamed(read_image_list, '.json'),
    video_list=lambda path: VideoFolderDataset(str(path.parent), videos=str(path)),
    idx=lambda path: read_idx(str(path), 1),
)


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('save', [pickled, as_torch, as_array])
def test_no_loader_runs_what_a_file_holds(tmp_path, mark, loader, save):
    path = tmp_path / 'evil.npy'
    save(Payload(mark), path)
    with pytest.raises((ValueError, RuntimeError)) as error:
        LOADERS[loader](path)
    assert type(error.value).__module__.startswith('mmforecast') or type(error.value) is ValueError
    assert not mark.exists()
    with path.open('wb') as file:  # the payload does work where it is let
        pickle.dump(Payload(mark), file)
    pickle.loads(path.read_bytes())
    assert mark.exists()


@pytest.fixture
def little_memory():
    """A limit of 300 MB above what the process has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open('/proc/self/statm') as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def png_of(width, height):
    """A header, and the start of the pixels."""
    header = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    chunks = struct.pack('>I', 13) + header + struct.pack('>I', zlib.crc32(header))
    pixels = b'IDAT' + zlib.compress(bytes(1000))
    chunks += struct.pack('>I', len(pixels) - 4) + pixels + struct.pack('>I', zlib.crc32(pixels))
    end = b'IEND'
    return b'\x89PNG\r\n\x1a\n' + chunks + struct.pack('>I', 0) + end + struct.pack('>I', zlib.crc32(end))


def jpeg_of(width, height):
    buffer = io.BytesIO()
    Image.new('RGB', (16, 16)).save(buffer, 'JPEG')
    data = bytearray(buffer.getvalue())
    place = data.index(b'\xff\xc0') + 5
    data[place : place + 4] = struct.pack('>HH', height, width)
    return bytes(data)


BOMBS = {
    f'{name} {width}x{height}': make(width, height)
    for name, make in (('png', png_of), ('jpeg', jpeg_of))
    for width, height in ((60_000, 60_000), (20_000, 16_000), (65_000, 1_000))
}


@pytest.mark.parametrize('name', BOMBS)
def test_decompression_bombs_are_refused_by_their_headers(tmp_path, little_memory, name):
    path = tmp_path / 'frame0.png'
    path.write_bytes(BOMBS[name])
    with pytest.raises(CorruptFrameError, match=r'frame0\.png of sequence s says to have \d+ pixels'):
        read_frame(path)
    for decode in (decode_rgb, decode_gray):
        with pytest.raises(ValueError, match=r'frame0\.png says to be'):
            decode(BOMBS[name], str(path))
    with pytest.raises(ValueError, match='no clip fits.*frame'):
        VideoFolderDataset(str(tmp_path), num_past=1, num_future=0, drop_repeats=0.1)


def test_what_no_one_can_size_is_not_decoded(tmp_path):
    """OpenCV knows formats that Pillow doesn't."""
    path = tmp_path / 'a.png'
    path.write_bytes(b'#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 60000 +X 60000\n' + bytes(100))
    with pytest.raises(CorruptFrameError, match='a.png of sequence s is corrupt'):
        read_frame(path)


def test_pipes_and_huge_files_are_refused_unread(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / 'a.png')
    with pytest.raises(CorruptFrameError, match='a.png .* cannot be read: it is no regular file'):
        read_frame(tmp_path / 'a.png')
    with open(tmp_path / 'b.png', 'wb') as file:
        file.truncate(2**40)  # takes no place on the disk
    with pytest.raises(CorruptFrameError, match='it has 1099511627776 bytes, more than the'):
        read_frame(tmp_path / 'b.png')
    with zipfile.ZipFile(tmp_path / 'c.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('val/a.png', bytes(2**21))
    monkeypatch.setattr('mmforecast.datasets.file_access.MAX_BYTES', 2**20)
    assert (tmp_path / 'c.zip').stat().st_size < 2**20
    with pytest.raises(OSError, match='it has 2097152 bytes, more than the 1048576 allowed'):
        FileReader().read(f'{tmp_path}/c.zip/val/a.png')


@pytest.mark.parametrize('member', ['../../escaped', '/escaped', 'val/../../escaped'])
def test_archives_write_nothing_anywhere(tmp_path, member):
    folder = tmp_path / 'data'
    folder.mkdir()
    with zipfile.ZipFile(folder / 'a.zip', 'w') as archive:
        archive.writestr(member, b'text')
    before = sorted(tmp_path.rglob('*'))
    name = zipfile.ZipFile(folder / 'a.zip').namelist()[0]
    assert FileReader().read(f'{folder}/a.zip/{name}') == b'text'  # out of the archive, into memory
    assert sorted(tmp_path.rglob('*')) == before


def test_archive_with_a_lie_or_a_password_is_one_sentence(tmp_path):
    path = tmp_path / 'a.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('a', bytes(100))
    data = path.read_bytes()
    directory = data.index(b'PK\x01\x02')
    for offset, value in ((8, struct.pack('<H', 1)), (10, struct.pack('<H', 77))):
        spoilt = bytearray(data)
        spoilt[directory + offset : directory + offset + 2] = value
        spoilt[offset - 2 : offset] = value
        path.write_bytes(spoilt)
        with pytest.raises(OSError, match='a.zip: '):
            FileReader().read(f'{path}/a')
    path.write_bytes(b'no archive')
    with pytest.raises(OSError, match='a.zip: File is not a zip file'):
        FileReader().read(f'{path}/a')


@pytest.mark.parametrize('content', ['[' * 100_000, '[1, 2]', '"text"', '{"levels": 1}', '{"a": NaN}'])
def test_manifests_of_any_form_are_one_sentence(tmp_path, content):
    (tmp_path / 'manifest.json').write_text(content)
    with pytest.raises(ValueError, match='extract'):
        RepresentationStore(str(tmp_path))
    (tmp_path / 'list.json').write_text(content)
    with pytest.raises(ValueError, match=r'list\.json'):
        read_image_list(str(tmp_path / 'list.json'))


def test_names_in_a_store_stay_in_it(tmp_path):
    root = tmp_path / 'store'
    StoreWriter(str(root), StoreManifest('m', '', [Level('P5', (1, 1, 1))], 'd'))
    np.save(tmp_path / 'secret.npy', np.zeros((1, 1, 1, 1), np.float16))
    line = dict(level='P5', sequence_id='../../../secret', frame_names=['0'])
    (root / 'index.jsonl').write_text(json.dumps(line) + '\n')
    with pytest.raises(ValueError, match='a sequence id must be a plain file name'):
        RepresentationStore(str(root)).read('P5', '../../../secret', ['0'])


@pytest.mark.parametrize('line', ['a\0b.mp4', 'a.mp4 5:3', f'a.mp4 1:{"9" * 5000}'])
def test_lists_of_videos_are_one_sentence(tmp_path, line):
    (tmp_path / 'list.txt').write_text(line)
    try:
        entries = read_entries(str(tmp_path), str(tmp_path / 'list.txt'))
    except ValueError as error:
        assert 'list.txt' in str(error)
    else:  # a name that no file has
        assert entries[0].stop is None
