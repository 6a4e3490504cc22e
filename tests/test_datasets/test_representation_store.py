"""Representation stores: round trips, killed writers, and stores other than the expected one."""

import dataclasses
import itertools
import multiprocessing
import os
import pickle
import time

import numpy as np
import pytest

from mmforecast.datasets import Level, RepresentationStore, StoreError, StoreManifest, StoreWriter

SHAPE = (3, 4, 5)
SCORES = Level('scores', SHAPE)
MANIFEST = StoreManifest(model='net', weights_sha256='ab12', levels=[SCORES], dataset='street/val')
P4, P5 = Level('P4', (2, 4, 6)), Level('P5', (2, 2, 3))
PYRAMID = StoreManifest('detector', 'ab12', [P4, P5], 'street/val')


def names(sequence, count=8):
    return [f'{sequence}_{frame:06d}' for frame in range(count)]


def values(seed, count=8, shape=SHAPE):
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)


def files(root):
    """Relative paths of all files under a folder."""
    found = [
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _, names in os.walk(root)
        for name in names
    ]
    return sorted(found)


@pytest.fixture
def root(tmp_path):
    writer = StoreWriter(str(tmp_path), MANIFEST, num_frames=16)
    writer.write_sequence('scores', 's0', names('s0'), values(0))
    writer.write_sequence('scores', 's1', names('s1'), values(1))
    return str(tmp_path)


@pytest.mark.parametrize(
    'frames', [[0], [7], [1, 4, 7], [0, 1, 2, 3], list(range(8)), [0, 1, 3], [5, 2], [2, 2]]
)
def test_round_trip(root, frames):
    store = RepresentationStore(root)
    read = store.read('scores', 's1', [names('s1')[frame] for frame in frames])
    assert read.dtype == np.float16
    np.testing.assert_array_equal(read, values(1)[frames].astype(np.float16))


def test_equally_spaced_frames_are_a_read_only_view(root):
    store = RepresentationStore(root)
    view = store.read('scores', 's0', names('s0')[1::3])
    assert not view.flags.owndata and not view.flags.writeable
    with pytest.raises(ValueError, match='read-only'):
        view[:] = 0


def test_contents(root):
    store = RepresentationStore(root, expect=dict(model='net', levels=[dict(name='scores', shape=[3, 4, 5])]))
    assert store.manifest == MANIFEST
    assert store.num_frames('scores') == 16
    assert store.choose_levels() == ('scores',)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(store)).read('scores', 's0', names('s0')),
        values(0).astype(np.float16),
    )


def test_only_so_many_arrays_stay_open(root):
    store = RepresentationStore(root, max_open=1)
    for sequence, seed in (('s0', 0), ('s1', 1), ('s0', 0)):
        read = store.read('scores', sequence, names(sequence))
        np.testing.assert_array_equal(read, values(seed).astype(np.float16))
        assert len(store._arrays) == 1


def test_writer_goes_on(root):
    writer = StoreWriter(root, MANIFEST)
    assert writer.has_sequence('scores', 's0', names('s0')[2:4])
    assert not writer.has_sequence('scores', 's2', names('s2'))
    assert not writer.has_sequence('scores', 's0', names('s0', 9))
    with pytest.raises(StoreError, match='already holds scores of sequence s0'):
        writer.write_sequence('scores', 's0', names('s0'), values(5))
    writer.write_sequence('scores', 's2', names('s2'), values(2))
    read = RepresentationStore(root).read('scores', 's2', names('s2'))
    np.testing.assert_array_equal(read, values(2).astype(np.float16))


def test_writer_killed_at_any_time_loses_only_what_it_was_at(root):
    # Half an array that was never renamed, a whole one that was never entered, a torn index line.
    data = os.path.join(root, 'data', 'scores')
    with open(os.path.join(data, '.s2.npy.4711.partial'), 'wb') as file:
        file.write(b'\x93NUMPY half')
    np.save(os.path.join(data, 's3.npy'), values(9).astype(np.float16))
    with open(os.path.join(root, 'index.jsonl'), 'a') as file:
        file.write('{"level": "scores", "sequence_id": "s4", "frame_na')
    assert RepresentationStore(root).num_frames('scores') == 16
    writer = StoreWriter(root, MANIFEST)
    for seed, sequence in ((2, 's2'), (3, 's3'), (4, 's4')):
        assert not writer.has_sequence('scores', sequence, names(sequence))
        writer.write_sequence('scores', sequence, names(sequence), values(seed))
    store = RepresentationStore(root)
    assert store.num_frames('scores') == 40
    for seed in range(5):
        read = store.read('scores', f's{seed}', names(f's{seed}'))
        np.testing.assert_array_equal(read, values(seed).astype(np.float16))


def write_forever(root):
    writer = StoreWriter(root, StoreManifest('net', '', [Level('scores', (4, 64, 64))], 'made up'))
    for number in itertools.count():
        array = np.full((20, 4, 64, 64), number % 1000, np.float16)
        writer.write_sequence('scores', f's{number}', names('x', 20), array)


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
    assert store.num_frames('scores') >= 20 * 20
    for number in range(store.num_frames('scores') // 20):
        frames = store.read('scores', f's{number}', names('x', 20))
        assert (frames == number % 1000).all()


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'expect',
    [dict(model='other'), dict(weights_sha256='cd34'), dict(dataset='street/train')],
)
def test_reader_refuses_another_store(root, expect):
    [(key, value)] = expect.items()
    with pytest.raises(StoreError, match=f'has {key} ') as error:
        RepresentationStore(root, expect)
    assert root in str(error.value) and repr(value) in str(error.value)


def test_reader_refuses_other_levels(root):
    with pytest.raises(StoreError, match=r'has levels scores \(3, 4, 5\), but scores \(3, 4, 6\)'):
        RepresentationStore(root, dict(levels=[dict(name='scores', shape=(3, 4, 6))]))


@pytest.mark.parametrize(
    'other, reason',
    [
        (dict(weights_sha256='cd34'), "has weights_sha256 'ab12', but 'cd34'"),
        (dict(dataset='street/train'), "has dataset 'street/val', but 'street/train'"),
        (
            dict(levels=[Level('scores', (3, 4, 6))]),
            r'has level scores \(3, 4, 5\), but scores \(3, 4, 6\)',
        ),
    ],
)
def test_writer_refuses_another_store(root, other, reason):
    before = files(root)
    with pytest.raises(StoreError, match=reason):
        StoreWriter(root, dataclasses.replace(MANIFEST, **other))
    assert files(root) == before


def test_expect_knows_its_fields(root):
    with pytest.raises(ValueError, match='weights_sha256.*weights_hash'):
        RepresentationStore(root, dict(weights_hash='ab12'))


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
        writer.write_sequence('scores', 's2', frames, array)
    assert not writer.has_sequence('scores', 's2', names('s2'))


def test_sequence_ids_cannot_leave_the_store(root):
    writer = StoreWriter(root, MANIFEST)
    for sequence in ('../s2', 'a/b', ''):
        with pytest.raises(StoreError, match='plain file name'):
            writer.write_sequence('scores', sequence, names('s2'), values(2))


def test_missing_frames(root, tmp_path):
    with pytest.raises(StoreError, match='holds no scores of sequence s7'):
        RepresentationStore(root).read('scores', 's7', ['x'])
    with pytest.raises(StoreError, match='lacks frame s0_000009 of scores of sequence s0'):
        RepresentationStore(root).read('scores', 's0', ['s0_000000', 's0_000009'])
    with pytest.raises(StoreError, match='no representation store at .*extract_representations'):
        RepresentationStore(str(tmp_path / 'nowhere'))


def test_damaged_files(root):
    path = os.path.join(root, 'data', 'scores', 's0.npy')
    size = os.path.getsize(path)
    os.truncate(path, size - 10)
    with pytest.raises(StoreError, match=r's0\.npy cannot be mapped'):
        RepresentationStore(root).read('scores', 's0', names('s0'))
    np.save(path, values(0))
    with pytest.raises(StoreError, match='float32, but manifest and index promise'):
        RepresentationStore(root).read('scores', 's0', names('s0'))
    manifest = os.path.join(root, 'manifest.json')
    for text, reason in (
        ('{', 'not a JSON file'),
        ('{"format_version": 1, "dtype": "float16"}', 'format 1 .*reads format 2'),
        ('{"format_version": 2, "dtype": "float16", "model": "x"}', 'not a manifest'),
    ):
        with open(manifest, 'w') as file:
            file.write(text)
        with pytest.raises(StoreError, match=reason):
            RepresentationStore(root)


def test_pickles_are_never_loaded(root):
    np.save(os.path.join(root, 'data', 'scores', 's0.npy'), np.array([dict()]), allow_pickle=True)
    with pytest.raises(StoreError, match='cannot be mapped'):
        RepresentationStore(root).read('scores', 's0', names('s0'))


def test_full_disk_is_refused_before_writing(root, tmp_path, monkeypatch):
    # Of 20 frames 16 are there, so that 4 * 3 * 4 * 5 * 2 = 480 bytes are needed.
    usage = type('usage', (), dict(free=479))
    monkeypatch.setattr('shutil.disk_usage', lambda path: usage)
    with pytest.raises(StoreError, match='scores 4.8e-07'):
        StoreWriter(root, MANIFEST, num_frames=20)
    usage.free = 480
    StoreWriter(root, MANIFEST, num_frames=20)
    usage.free = 0
    StoreWriter(root, MANIFEST, num_frames=16)
    with pytest.raises(StoreError):
        StoreWriter(str(tmp_path / 'new'), MANIFEST, num_frames=1)
    assert not os.path.exists(tmp_path / 'new' / 'manifest.json')


def test_size_on_disk():
    # Seven frames of each of Cityscapes' 2975 training sequences at 19x128x256.
    assert Level('scores', (19, 128, 256)).num_bytes(7 * 2975) == 25_930_956_800
    assert SCORES.num_bytes(0) == 0


@pytest.mark.parametrize(
    'levels, reason',
    [
        ([dict(name='P5', shape=(3, 4))], 'shape'),
        ([dict(name='P5', shape=(3, 4, 0))], 'shape'),
        ([dict(name='a/P5', shape=SHAPE)], 'plain file name'),
        ([dict(name='..', shape=SHAPE)], 'plain file name'),
        ([P5, P5], 'different names'),
        ([], 'one or more'),
    ],
)
def test_manifest_refuses(levels, reason):
    with pytest.raises(ValueError, match=reason):
        StoreManifest('net', '', levels, 'd')


# --- several levels -------------------------------------------------------------------------------


def test_levels_are_kept_finest_first():
    assert StoreManifest('net', '', [P5, P4], 'd').level_names == ('P4', 'P5')


def test_adding_a_level_later(tmp_path):
    root = str(tmp_path)
    maps = {level.name: values(3, shape=level.shape) for level in (P4, P5)}
    coarse = StoreWriter(root, dataclasses.replace(PYRAMID, levels=[P5]))
    coarse.write_sequence('P5', 's0', names('s0'), maps['P5'])
    assert RepresentationStore(root).choose_levels() == ('P5',)
    with pytest.raises(StoreError, match='no level P4, only P5.*--levels P4'):
        RepresentationStore(root).read('P4', 's0', names('s0'))

    # Under another name: a model is known by its weights.
    fine = StoreWriter(root, StoreManifest('the same', 'ab12', [P4], 'street/val'))
    assert fine.manifest == PYRAMID
    assert fine.has_sequence('P5', 's0', names('s0'))
    assert not fine.has_sequence('P4', 's0', names('s0'))
    with pytest.raises(StoreError, match='holds no P4 of sequence s0'):
        RepresentationStore(root).read('P4', 's0', names('s0'))
    fine.write_sequence('P4', 's0', names('s0'), maps['P4'])
    store = RepresentationStore(root, max_open=2)
    assert store.choose_levels() == store.choose_levels(['P5', 'P4']) == ('P4', 'P5')
    assert store.choose_levels(['P5']) == ('P5',)
    for name, expected in maps.items():
        read = store.read(name, 's0', names('s0')[2:7:2])
        np.testing.assert_array_equal(read, expected[2:7:2].astype(np.float16))
    assert files(root) == ['data/P4/s0.npy', 'data/P5/s0.npy', 'index.jsonl', 'manifest.json']


def test_disk_has_to_hold_all_levels(tmp_path, monkeypatch):
    # A frame of P4 takes 2*4*6*2 = 96 bytes, one of P5 2*2*3*2 = 24.
    root = str(tmp_path / 'store')
    usage = type('usage', (), dict(free=10 * 120 - 1))
    monkeypatch.setattr('shutil.disk_usage', lambda path: usage)
    with pytest.raises(StoreError, match='P4 9.6e-07, P5 2.4e-07'):
        StoreWriter(root, PYRAMID, num_frames=10)
    assert files(root) == []
    writer = StoreWriter(root, dataclasses.replace(PYRAMID, levels=[P5]), num_frames=10)
    writer.write_sequence('P5', 's0', names('s0'), values(0, shape=P5.shape))
    # Eight of the ten frames of P5 are there.
    usage.free = 10 * 96 + 2 * 24
    StoreWriter(root, PYRAMID, num_frames=10)
    usage.free -= 1
    with pytest.raises(StoreError, match='P4 9.6e-07, P5 4.8e-08'):
        StoreWriter(root, PYRAMID, num_frames=10)
