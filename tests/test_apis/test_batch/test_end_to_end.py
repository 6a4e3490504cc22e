"""Sixty videos, some of them broken: however the command is driven, the rows are the same."""

import json
import signal

import pytest

from .commands import BROKEN, NUM_VIDEOS, results, run, start, wait_for_units, write_sixty

pytestmark = pytest.mark.slow
pytest.importorskip('pyarrow')
pytest.importorskip('av')


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Sixty videos, in a folder with quotes in its name."""
    return write_sixty(tmp_path_factory.mktemp("drives of 'today'"))


@pytest.fixture(scope='module')
def expected(videos, tmp_path_factory):
    """What one process gives."""
    out = tmp_path_factory.mktemp('one') / 'out'
    printed = run(videos, out, '--workers', 1)
    assert f'{NUM_VIDEOS - BROKEN} units done' in printed and f'{BROKEN} units failed' in printed
    found = results(out)
    assert len(found['failures']) == BROKEN
    assert len(found['forecasts']) > 200 and len(found['instances']) > 200
    # everything is known by now
    assert f'{NUM_VIDEOS - BROKEN} of them earlier' in run(videos, out)
    return found


def test_two_workers(videos, expected, tmp_path):
    run(videos, tmp_path / 'out', '--workers', 2)
    assert results(tmp_path / 'out') == expected


def test_stretches(videos, expected, tmp_path):
    run(videos, tmp_path / 'out', '--workers', 2, '--unit-frames', 2)
    assert len(list(tmp_path.glob('out/instances/*'))) > NUM_VIDEOS
    assert results(tmp_path / 'out') == expected


def test_shards(videos, expected, tmp_path):
    out = tmp_path / 'out'
    processes = [start(videos, out, '--shard', f'{index}/3', '--workers', 1) for index in (1, 2, 3)]
    for process in processes:
        process.communicate()
        assert process.returncode in (0, 3)
    assert results(out) == expected
    assert 'of them earlier' in run(videos, out)


def test_shards_of_stretches(videos, expected, tmp_path):
    for index in (1, 2):
        run(videos, tmp_path / 'out', '--shard', f'{index}/2', '--workers', 1, '--unit-frames', 2)
    assert results(tmp_path / 'out') == expected


def test_an_interrupted_command_goes_on(videos, expected, tmp_path):
    out = tmp_path / 'out'
    process = start(videos, out, '--workers', 1)
    wait_for_units(out, 3, process)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate()
    assert process.returncode == 130 and 'the same command does what is left' in errors
    run(videos, out, '--workers', 1)
    assert results(out) == expected


def test_json_lines_are_all_that_is_printed(videos, tmp_path):
    process = start(videos / 'v[5-9].mp4', tmp_path / 'out', '--workers', 1, '--log-json')
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    events = [json.loads(line)['event'] for line in printed.splitlines()]
    assert events.count('unit') == 5 and events.count('model') == 1


def test_retry_and_timeout(videos, tmp_path):
    out, some = tmp_path / 'out', videos / 'v[0-9].mp4'
    printed = run(some, out, '--workers', 1, '--unit-timeout', 0.001)
    assert 'took longer than --unit-timeout, 0.001 s' in printed and '10 units failed' in printed
    assert '0 units done' in run(some, out, '--workers', 1)
    printed = run(some, out, '--workers', 1, '--retry')
    assert '5 units done' in printed and '5 units failed' in printed


def test_a_folder_that_cannot_be_written(videos, tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/instances').touch()
    printed = run(videos, tmp_path / 'out', '--workers', 1, status=1)
    assert f'Error: the folder {tmp_path}/out/instances cannot be created' in printed
    (tmp_path / 'out/instances').unlink()


def test_ray(videos, expected, tmp_path, cluster):
    run(videos, tmp_path / 'out', '--ray', cluster.address, '--workers', 2)
    assert results(tmp_path / 'out') == expected
