"""Representation stores: round trips, killed writers, and stores other than the expected one."""

import itertools
import multiprocessing
import os
import pickle
import time

import numpy as np
import pytest

from mmforecast.datasets import RepresentationStore, StoreError, StoreManifest, StoreWriter
from mmforecast.datasets.representation_store import estimate_bytes, file_sha256

SHAPE = (3, 4, 5)
MANIFEST = StoreManifest(model='net', checkpoint_sha256='ab12', shape=SHAPE, dataset='street/val')


def names(sequence, count=8):
    return [f'{sequence}_{frame:06d}' for frame in range(count)]


def values(seed, count=8):
    return np.random.default_rng(seed).normal(size=(count, *SHAPE)).astype(np.float32)


@pytest.fixture
def root(tmp_path):
    writer = StoreWriter(str(tmp_path), MANIFEST, num_frames=16)
    writer.write_sequence('s0', names('s0'), values(0))
    writer.write_sequence('s1', names('s1'), values(1))
    return str(tmp_path)


@pytest.mark.parametrize(
    'frames', [[0], [7], [1, 4, 7], [0, 1, 2, 3], list(range(8)), [0, 1, 3], [5, 2], [2, 2]]
)
def test_round_trip(root, frames):
    store = RepresentationStore(root)
    read = store.read('s1', [names('s1')[frame] for frame in frames])
    assert read.dtype == np.float16
    np.testing.assert_array_equal(read, values(1)[frames].astype(np.float16))


def test_equally_spaced_frames_are_a_read_only_view(root):
    store = RepresentationStore(root)
    view = store.read('s0', names('s0')[1::3])
    assert not view.flags.owndata and not view.flags.writeable
    with pytest.raises(ValueError, match='read-only'):
        view[:] = 0


def test_contents(root):
    store = RepresentationStore(root, expect=dict(model='net', shape=[3, 4, 5]))
    assert store.manifest == MANIFEST
    assert len(store) == 16
    assert 's0' in store and 's2' not in store
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(store)).read('s0', names('s0')), values(0).astype(np.float16)
    )


def test_only_so_many_arrays_stay_open(root):
    store = RepresentationStore(root, max_open=1)
    for sequence, seed in (('s0', 0), ('s1', 1), ('s0', 0)):
        read = store.read(sequence, names(sequence))
        np.testing.assert_array_equal(read, values(seed).astype(np.float16))
        assert len(store._arrays) == 1


def test_writer_goes_on(root):
    writer = StoreWriter(root, MANIFEST)
    assert writer.has_sequence('s0') and writer.has_sequence('s0', names('s0')[2:4])
    assert not writer.has_sequence('s2')
    assert not writer.has_sequence('s0', names('s0', 9))
    with pytest.raises(StoreError, match='already holds sequence s0'):
        writer.write_sequence('s0', names('s0'), values(5))
    writer.write_sequence('s2', names('s2'), values(2))
    read = RepresentationStore(root).read('s2', names('s2'))
    np.testing.assert_array_equal(read, values(2).astype(np.float16))


def test_writer_killed_at_any_time_loses_only_what_it_was_at(root):
    # Half an array that was never renamed, a whole one that was never entered, a torn index line.
    data = os.path.join(root, 'data')
    with open(os.path.join(data, 's2.npy.tmp'), 'wb') as file:
        file.write(b'\x93NUMPY half')
    np.save(os.path.join(data, 's3.npy'), values(9).astype(np.float16))
    with open(os.path.join(root, 'index.jsonl'), 'a') as file:
        file.write('{"sequence_id": "s4", "frame_na')
    assert len(RepresentationStore(root)) == 16
    writer = StoreWriter(root, MANIFEST)
    for seed, sequence in ((2, 's2'), (3, 's3'), (4, 's4')):
        assert not writer.has_sequence(sequence)
        writer.write_sequence(sequence, names(sequence), values(seed))
    store = RepresentationStore(root)
    assert len(store) == 40
    for seed in range(5):
        read = store.read(f's{seed}', names(f's{seed}'))
        np.testing.assert_array_equal(read, values(seed).astype(np.float16))


def write_forever(root):
    writer = StoreWriter(root, StoreManifest('net', '', (4, 64, 64), 'made up'))
    for number in itertools.count():
        array = np.full((20, 4, 64, 64), number % 1000, np.float16)
        writer.write_sequence(f's{number}', names('x', 20), array)


def test_writer_killed_for_real(tmp_path):
    root = str(tmp_path)
    process = multiprocessing.get_context('fork').Process(target=write_forever, args=(root,))
    process.start()
    index = tmp_path / 'index.jsonl'
    deadline = time.monotonic() + 60
    while not index.exists() or index.read_text().count('\n') < 20:
        assert process.is_alive() and time.monotonic() < deadline
    process.kill()
    process.join()
    store = RepresentationStore(root)
    assert len(store) >= 20 * 20
    for number in range(len(store) // 20):
        frames = store.read(f's{number}', names('x', 20))
        assert (frames == number % 1000).all()


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'expect',
    [dict(model='other'), dict(checkpoint_sha256='cd34'), dict(shape=(19, 128, 256))]
    + [dict(dataset='street/train')],
)
def test_reader_refuses_another_store(root, expect):
    [(key, value)] = expect.items()
    with pytest.raises(StoreError, match=f'has {key} ') as error:
        RepresentationStore(root, expect)
    assert root in str(error.value) and repr(value) in str(error.value)


def test_writer_refuses_another_store(root):
    other = StoreManifest('net', 'ab12', (3, 4, 6), 'street/val')
    with pytest.raises(StoreError, match=r'has shape \(3, 4, 5\), but \(3, 4, 6\)'):
        StoreWriter(root, other)


def test_expect_knows_its_fields(root):
    with pytest.raises(ValueError, match='checkpoint_sha256.*checkpoint_hash'):
        RepresentationStore(root, dict(checkpoint_hash='ab12'))


@pytest.mark.parametrize(
    'frames, array, reason',
    [
        (names('s2', 8), values(2, 7), r'\(8, 3, 4, 5\)'),
        (names('s2', 1) * 2, values(2, 2), '1 names'),
        ([], values(2, 0), 'at least one'),
        (names('s2'), values(2)[..., :4], r'\(8, 3, 4, 5\)'),
        (names('s2'), values(2) * np.float32('nan'), 'not finite'),
        (names('s2'), values(2) * 1e6, 'not finite'),
    ],
)
def test_writer_refuses_arrays(root, frames, array, reason):
    writer = StoreWriter(root, MANIFEST)
    with pytest.raises(StoreError, match=reason):
        writer.write_sequence('s2', frames, array)
    assert not writer.has_sequence('s2')


def test_sequence_ids_cannot_leave_the_store(root):
    writer = StoreWriter(root, MANIFEST)
    for sequence in ('../s2', 'a/b', ''):
        with pytest.raises(StoreError, match='plain file name'):
            writer.write_sequence(sequence, names('s2'), values(2))


def test_missing_frames(root, tmp_path):
    with pytest.raises(StoreError, match='holds no sequence s7'):
        RepresentationStore(root).read('s7', ['x'])
    with pytest.raises(StoreError, match='lacks frame s0_000009 of sequence s0'):
        RepresentationStore(root).read('s0', ['s0_000000', 's0_000009'])
    with pytest.raises(StoreError, match='no representation store at .*extract_representations'):
        RepresentationStore(str(tmp_path / 'nowhere'))


def test_damaged_files(root):
    path = os.path.join(root, 'data', 's0.npy')
    size = os.path.getsize(path)
    os.truncate(path, size - 10)
    with pytest.raises(StoreError, match=r's0\.npy cannot be mapped'):
        RepresentationStore(root).read('s0', names('s0'))
    np.save(path, values(0))
    with pytest.raises(StoreError, match='float32, but manifest and index promise'):
        RepresentationStore(root).read('s0', names('s0'))
    manifest = os.path.join(root, 'manifest.json')
    for text, reason in (
        ('{', 'not a JSON file'),
        ('{"format_version": 7, "dtype": "float16"}', 'format 7'),
        ('{"format_version": 1, "dtype": "float16", "model": "x"}', 'not a manifest'),
    ):
        with open(manifest, 'w') as file:
            file.write(text)
        with pytest.raises(StoreError, match=reason):
            RepresentationStore(root)


def test_pickles_are_never_loaded(root):
    np.save(os.path.join(root, 'data', 's0.npy'), np.array([dict()]), allow_pickle=True)
    with pytest.raises(StoreError, match='cannot be mapped'):
        RepresentationStore(root).read('s0', names('s0'))


def test_full_disk_is_refused_before_writing(root, tmp_path, monkeypatch):
    # Of 20 frames 16 are there, so that 4 * 3 * 4 * 5 * 2 = 480 bytes are needed.
    usage = type('usage', (), dict(free=479))
    monkeypatch.setattr('shutil.disk_usage', lambda path: usage)
    with pytest.raises(StoreError, match='4 frames'):
        StoreWriter(root, MANIFEST, num_frames=20)
    usage.free = 480
    StoreWriter(root, MANIFEST, num_frames=20)
    usage.free = 0
    StoreWriter(root, MANIFEST, num_frames=16)
    with pytest.raises(StoreError):
        StoreWriter(str(tmp_path / 'new'), MANIFEST, num_frames=1)
    assert not os.path.exists(tmp_path / 'new' / 'manifest.json')


def test_estimate():
    # Seven frames of each of Cityscapes' 2975 training sequences at 19x128x256.
    assert estimate_bytes(7 * 2975, 19, 128, 256) == 25_930_956_800
    assert estimate_bytes(0, 19, 128, 256) == 0


def test_file_sha256(tmp_path):
    (tmp_path / 'abc').write_bytes(b'abc')
    assert file_sha256(str(tmp_path / 'abc')).startswith('ba7816bf8f01cfea')


@pytest.mark.parametrize('shape', [(3, 4), (3, 4, 0)])
def test_manifest_refuses(shape):
    with pytest.raises(ValueError, match='shape'):
        StoreManifest('net', '', shape, 'd')
