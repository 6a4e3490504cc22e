"""Sixty videos, some of them broken: however the command is driven or killed, the rows are the same."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mmforecast.apis.batch import read_manifest
from mmforecast.apis.batch.inputs import find_inputs
from mmforecast.visualization import write_video

pytestmark = pytest.mark.slow
parquet = pytest.importorskip('pyarrow.parquet')
pytest.importorskip('av')

ROOT = Path(__file__).resolve().parents[3]
# A small detector that finds something in everything.
MODEL = ['--system', 'f2f', '--horizon', '1', '--every', '1', '--threads', '1', '--cfg-options']
MODEL += ['model.encoder.size=(64,96)', 'model.encoder.chunk=1']
MODEL += [f'model.encoder.detector.test_cfg.rcnn.{key}' for key in ('score_thr=0.0', 'max_per_img=3')]
NUM_VIDEOS = 60
BROKEN = 5


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Sixty short videos, a cut one, an empty one, a text, one of two frames; and a pattern in quotes."""
    folder = tmp_path_factory.mktemp("drives of 'today'")
    odd = ['a b', "it's", '"quoted"', 'größe', '日本', '[1]', '#1', '-x', 'a;b', 'a$b']
    names = [*odd, *(f'v{number}' for number in range(NUM_VIDEOS - len(odd)))]
    for seed, name in enumerate(names):
        ground = np.random.default_rng(seed).integers(0, 120, (48, 64, 3), dtype=np.uint8)
        frames = np.repeat(ground[None], 13 + seed % 4, axis=0)
        for number, frame in enumerate(frames):
            frame[12:28, 4 + number : 20 + number] = (250, 200, 40)
        write_video(folder / f'{name}.mp4', list(frames), 10, hold_last=0)
    (folder / 'v0.mp4').write_text('no video')
    (folder / 'v1.mp4').write_bytes(b'')
    whole = (folder / 'v2.mp4').read_bytes()
    (folder / 'v2.mp4').write_bytes(whole[: len(whole) * 2 // 3])
    write_video(folder / 'v3.mp4', [np.zeros((48, 64, 3), np.uint8)] * 2, 10, hold_last=0)
    (folder / 'v4.mp4').unlink()
    (folder / 'v4.mp4').symlink_to(folder / 'gone.mp4')
    assert len(find_inputs([str(folder)])) == NUM_VIDEOS
    return folder


def command(videos, out, *options):
    """The process of a command."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    argv = [sys.executable, '-m', 'mmforecast', 'batch', videos, '--out', out, *MODEL, *options]
    return subprocess.Popen(
        list(map(str, argv)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # a shell that runs the tests in the background lets its children ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def batch(videos, out, *options, status=3):
    process = command(videos, out, *options)
    printed, errors = process.communicate()
    assert process.returncode == status, printed + errors
    return printed + errors


def results(out):
    """All rows, sorted, by table; and the sentences of failures."""
    tables = {}
    for kind in ('forecasts', 'instances'):
        rows = [row for path in out.glob(f'{kind}/*') for row in parquet.read_table(path).to_pylist()]
        tables[kind] = sorted(json.dumps(row, sort_keys=True) for row in rows)
    entries = read_manifest(out)
    assert {entry['state'] for entry in entries} <= {'done', 'failed', 'split'}
    done = sorted(file for entry in entries if entry['state'] == 'done' for file in entry['files'])
    assert done == sorted(path.relative_to(out).as_posix() for path in out.glob('*/*'))
    tables['failures'] = sorted(entry['sentence'] for entry in entries if entry['state'] == 'failed')
    return tables


@pytest.fixture(scope='module')
def expected(videos, tmp_path_factory):
    """What one process gives."""
    out = tmp_path_factory.mktemp('one') / 'out'
    printed = batch(videos, out, '--workers', 1)
    assert f'{NUM_VIDEOS - BROKEN} units done' in printed and f'{BROKEN} units failed' in printed
    found = results(out)
    assert len(found['failures']) == BROKEN
    assert len(found['forecasts']) > 200 and len(found['instances']) > 200
    # everything is known by now
    assert f'{NUM_VIDEOS - BROKEN} of them earlier' in batch(videos, out)
    return found


def test_two_workers(videos, expected, tmp_path):
    batch(videos, tmp_path / 'out', '--workers', 2)
    assert results(tmp_path / 'out') == expected


def test_stretches(videos, expected, tmp_path):
    batch(videos, tmp_path / 'out', '--workers', 2, '--unit-frames', 2)
    assert len(list(tmp_path.glob('out/instances/*'))) > NUM_VIDEOS
    assert results(tmp_path / 'out') == expected


def test_shards(videos, expected, tmp_path):
    out = tmp_path / 'out'
    processes = [command(videos, out, '--shard', f'{index}/3', '--workers', 1) for index in (1, 2, 3)]
    for process in processes:
        process.communicate()
        assert process.returncode in (0, 3)
    assert results(out) == expected
    assert 'of them earlier' in batch(videos, out)


def test_shards_of_stretches(videos, expected, tmp_path):
    for index in (1, 2):
        batch(videos, tmp_path / 'out', '--shard', f'{index}/2', '--workers', 1, '--unit-frames', 2)
    assert results(tmp_path / 'out') == expected


def children(process):
    """Process ids of the workers of a command."""
    try:
        found = Path(f'/proc/{process}/task/{process}/children').read_text().split()
        return [pid for pid in map(int, found) if b'spawn_main' in Path(f'/proc/{pid}/cmdline').read_bytes()]
    except OSError:
        return []


def wait_for_units(out, count, process):
    """Wait until so many units are done, or the command has ended."""
    while process.poll() is None and len(list(out.glob('instances/*.parquet'))) < count:
        time.sleep(0.05)


def test_workers_are_killed(videos, expected, tmp_path):
    chance, out = random.Random(0), tmp_path / 'out'
    process = command(videos, out, '--workers', 2)
    for count in sorted(chance.sample(range(2, NUM_VIDEOS - BROKEN - 8), 4)):
        wait_for_units(out, count, process)
        time.sleep(chance.random() * 0.3)
        workers = children(process.pid)
        assert workers
        os.kill(chance.choice(workers), signal.SIGKILL)
    process.communicate()
    assert process.returncode == 3
    assert results(out) == expected


def test_the_command_is_killed(videos, expected, tmp_path):
    chance, out = random.Random(1), tmp_path / 'out'
    for count in sorted(chance.sample(range(2, NUM_VIDEOS - BROKEN - 8), 4)):
        process = command(videos, out, '--workers', 2)
        wait_for_units(out, count, process)
        time.sleep(chance.random() * 0.3)
        process.kill()
        process.communicate()
    time.sleep(1)  # workers end
    assert len(list(out.glob('instances/*.parquet'))) < NUM_VIDEOS - BROKEN
    batch(videos, out, '--workers', 2)
    assert results(out) == expected


def test_an_interrupted_command_goes_on(videos, expected, tmp_path):
    out = tmp_path / 'out'
    process = command(videos, out, '--workers', 1)
    wait_for_units(out, 3, process)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate()
    assert process.returncode == 130 and 'the same command does what is left' in errors
    batch(videos, out, '--workers', 1)
    assert results(out) == expected


def test_retry_and_timeout(videos, tmp_path):
    out, some = tmp_path / 'out', videos / 'v[0-9].mp4'
    printed = batch(some, out, '--workers', 1, '--unit-timeout', 0.001)
    assert 'took longer than --unit-timeout, 0.001 s' in printed and '10 units failed' in printed
    assert '0 units done' in batch(some, out, '--workers', 1)
    printed = batch(some, out, '--workers', 1, '--retry')
    assert '5 units done' in printed and '5 units failed' in printed


def test_a_folder_that_cannot_be_written(videos, tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/instances').touch()
    printed = batch(videos, tmp_path / 'out', '--workers', 1, status=1)
    assert f'Error: the folder {tmp_path}/out/instances cannot be created' in printed
    (tmp_path / 'out/instances').unlink()


@pytest.fixture
def cluster():
    """A Ray cluster of two nodes on this machine."""
    ray = pytest.importorskip('ray')
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=dict(num_cpus=1, include_dashboard=False))
    cluster.second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def test_ray(videos, expected, tmp_path, cluster):
    batch(videos, tmp_path / 'out', '--ray', cluster.address, '--workers', 2)
    assert results(tmp_path / 'out') == expected


def test_a_node_of_ray_is_killed(videos, expected, tmp_path, cluster):
    out = tmp_path / 'out'
    process = command(videos, out, '--ray', cluster.address, '--workers', 2)
    wait_for_units(out, 8, process)
    cluster.remove_node(cluster.second, allow_graceful=False)
    process.communicate()
    assert process.returncode == 3
    batch(videos, out, '--ray', cluster.address, '--workers', 1, '--retry')
    assert results(out) == expected
