"""The manifest survives whatever ends its writer."""

import json
import multiprocessing
import os

import pytest

from mmforecast.apis.batch.manifest import Manifest, read_manifest
from mmforecast.apis.batch.units import Shard, Unit
from mmforecast.apis.batch.writing import ResultsError

A, B = Unit('a.mp4'), Unit("b 'ß'\udcff.mp4")


def states(folder):
    return {entry['video']: entry['state'] for entry in read_manifest(folder)}


def test_the_last_word_counts_and_a_torn_line_does_not(tmp_path):
    with Manifest(tmp_path) as manifest:
        manifest.record_all([(A, 'left', {}), (B, 'left', {})])
        entry = manifest.record(A, 'failed', sentence='a.mp4 has no frame')
        assert entry['sentence'] == 'a.mp4 has no frame' and manifest.state(B) == 'left'
        assert states(tmp_path) == {A.video: 'failed', B.video: 'left'}
        before = manifest.path.read_bytes()
    assert len(manifest.path.read_bytes().splitlines()) == 2  # one line per unit at the end
    for cut in range(len(before) - 20, len(before)):
        manifest.path.write_bytes(before[:cut])
        assert states(tmp_path) == {A.video: 'left', B.video: 'left'}
    with Manifest(tmp_path) as again:
        again.record(B, 'done', forecasts=3)
    assert states(tmp_path) == {A.video: 'left', B.video: 'done'}
    assert all(json.loads(line) for line in again.path.read_text().splitlines())


@pytest.mark.parametrize('line', ['{"unit": "a", "sta\n', '[1]\n', '{"unit": "a"}\n'])
def test_a_damaged_line_is_named(tmp_path, line):
    with Manifest(tmp_path) as manifest:
        manifest.record(A, 'done')
    with open(manifest.path, 'a') as file:
        file.write(line)
    with pytest.raises(ValueError, match=r'manifest\.jsonl, line 2, is no.*: remove the line'):
        read_manifest(tmp_path)


def test_an_error_leaves_what_was_appended(tmp_path):
    with pytest.raises(KeyboardInterrupt), Manifest(tmp_path) as manifest:
        manifest.record(A, 'done')
        raise KeyboardInterrupt
    assert states(tmp_path) == {A.video: 'done'}


def test_a_full_disk_is_a_sentence_to_the_end(tmp_path):
    if not os.path.exists('/dev/full'):
        pytest.skip('there is no /dev/full')
    with pytest.raises(ResultsError, match=r'manifest\.jsonl cannot be written \(No space left'):
        with Manifest(tmp_path) as manifest:
            manifest.record(A, 'done')
            manifest._handle.close()
            manifest._handle = open('/dev/full', 'ab')
            manifest.record(B, 'done')
    assert states(tmp_path) == {A.video: 'done'}


def test_shards_have_files_of_their_own_and_know_of_each_other(tmp_path):
    with Manifest(tmp_path, Shard(1, 2)) as one, Manifest(tmp_path, Shard(2, 2)) as two:
        one.record(A, 'done')
        two.record(B, 'failed', sentence='no')
    assert sorted(path.name for path in tmp_path.glob('*.jsonl')) == [
        'manifest-1-of-2.jsonl',
        'manifest-2-of-2.jsonl',
    ]
    with Manifest(tmp_path) as all_:
        assert (all_.state(A), all_.state(B), all_.state(Unit('c'))) == ('done', 'failed', None)
        all_.record(B, 'done')
    assert states(tmp_path) == {A.video: 'done', B.video: 'done'}


def test_stretches_are_units(tmp_path):
    with Manifest(tmp_path) as manifest:
        manifest.record(A, 'split', units=[[0, 5], [5, 9]])
    with Manifest(tmp_path) as manifest:
        assert manifest.stretches(A) == [Unit('a.mp4', 0, 5), Unit('a.mp4', 5, 9)]


def _write(folder):
    with Manifest(folder):
        pass


def test_one_writer_at_a_time(tmp_path):
    with Manifest(tmp_path):
        with pytest.raises(OSError, match='another command is writing results to'):
            _write(tmp_path)
        with Manifest(tmp_path, Shard(1, 2)):
            pass
    _write(tmp_path)


def test_a_writer_that_is_killed_leaves_no_lock(tmp_path):
    context = multiprocessing.get_context('fork')
    locked = context.Event()

    def hold():
        with Manifest(tmp_path) as manifest:
            manifest.record(A, 'left')
            locked.set()
            context.Event().wait()

    process = context.Process(target=hold)
    process.start()
    assert locked.wait(20)
    with pytest.raises(OSError, match='another command'):
        _write(tmp_path)
    process.kill()
    process.join()
    _write(tmp_path)
    assert states(tmp_path) == {A.video: 'left'}


def test_an_unwritable_folder_is_one_sentence():
    with pytest.raises(
        ResultsError, match=r'/proc/self/.manifest.lock cannot be written \(.*\): give another'
    ):
        _write('/proc/self')
