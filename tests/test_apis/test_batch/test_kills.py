"""Processes, nodes and commands that are killed, and disks that take no more: no row is lost or doubled."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .commands import BROKEN, FRAMES, NUM_VIDEOS, results, run, start, wait_for_units, workers_of, write_sixty

pytestmark = pytest.mark.slow
pytest.importorskip('pyarrow')
pytest.importorskip('av')

ROUNDS = 10


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    return write_sixty(tmp_path_factory.mktemp('drives'))


@pytest.fixture(scope='module')
def expected(videos, tmp_path_factory):
    """What a command gives that nobody disturbs."""
    out = tmp_path_factory.mktemp('whole') / 'out'
    run(videos, out, '--workers', 1, model=FRAMES)
    found = results(out)
    assert len(found['arrays']) == NUM_VIDEOS - BROKEN and len(found['failures']) == BROKEN
    return found


def moments(chance):
    """Numbers of units at which something is killed."""
    return sorted(chance.sample(range(NUM_VIDEOS - BROKEN - 4), ROUNDS))


def started(process, *arguments, **more):
    """The process of a command that still runs, or else that of a new one."""
    if process is not None and process.poll() is None:
        return process
    return start(*arguments, model=FRAMES, **more)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has just ended


@pytest.mark.parametrize('seed', [0, 1])
def test_workers_and_commands_are_killed(videos, expected, tmp_path, seed):
    chance, out, process, killed = random.Random(seed), tmp_path / 'out', None, []
    for count in moments(chance):
        process = started(process, videos, out, '--workers', 2)
        wait_for_units(out, count, process)
        time.sleep(chance.random() * 0.5)
        victim = chance.choice([process.pid, *workers_of(process.pid)])
        kill(victim)
        killed.append('command' if victim == process.pid else 'worker')
        if victim == process.pid:
            process.communicate()
    process.communicate()
    assert set(killed) == {'command', 'worker'}
    # a unit whose process was killed twice is failed until it is tried again
    run(videos, out, '--workers', 2, '--retry', model=FRAMES)
    assert results(out) == expected


def actors(cluster):
    """Process ids of the actors of a cluster, which its raylets have started."""
    raylets = [info.process.pid for node in cluster.list_all_nodes() for info in node.all_processes['raylet']]
    found = []
    for raylet in raylets:
        for file in Path(f'/proc/{raylet}/task').glob('*/children'):
            found += [int(pid) for pid in file.read_text().split() if is_actor(pid)]
    return found


def is_actor(pid):
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes().startswith(b'ray::_Actor')
    except OSError:  # it has just ended
        return False


def test_nodes_of_ray_are_killed(videos, expected, tmp_path, cluster):
    chance, out, process, killed = random.Random(0), tmp_path / 'out', None, []
    options = ['--ray', cluster.address, '--workers', 2]
    for count in moments(chance):
        process = started(process, videos, out, *options)
        wait_for_units(out, count, process)
        time.sleep(chance.random())
        victim = chance.choice(['node', 'node', 'actor', 'command'])
        if victim == 'node':
            cluster.remove_node(cluster.second, allow_graceful=False)
            cluster.second = cluster.add_node(num_cpus=1)
        elif victim == 'actor' and (found := actors(cluster)):
            kill(chance.choice(found))
        else:
            victim = 'command'
            process.kill()
            process.communicate()
        killed.append(victim)
    process.communicate()
    assert set(killed) == {'node', 'actor', 'command'}
    run(videos, out, *options, '--retry', model=FRAMES)
    assert results(out) == expected


@pytest.fixture
def disk(tmp_path):
    """Words of a command that runs another one with a disk of its own, whose content is copied to ``kept``."""
    (tmp_path / 'disk').mkdir()
    (tmp_path / 'kept').mkdir()

    def words(options):
        script = f"""
            cd {tmp_path}
            mount -t tmpfs tmpfs disk && cp -a kept/. disk && mount -o remount,{options} disk || exit 77
            "$@"
            status=$?
            cp -a disk/. kept
            exit $status
        """
        return ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, 'sh']

    tried = shutil.which('unshare') and subprocess.run([*words('size=1m'), 'true'], capture_output=True)
    if not tried or tried.returncode:
        pytest.skip('no disk can be mounted here')
    return words


def assert_one_sentence(printed, reason):
    (line,) = [line for line in printed.splitlines() if line.startswith('Error: ')]
    assert reason in line and 'cannot be written' in line and 'give another output folder' in line
    assert 'Traceback' not in printed


# the second size leaves no room for anything but the manifest
@pytest.mark.parametrize('size', ['900k', '16k', '4k'])
def test_a_full_disk(videos, expected, tmp_path, disk, size):
    before = disk(f'size={size}')
    printed = run(videos, tmp_path / 'disk', '--workers', 2, model=FRAMES, before=before, status=1)
    assert_one_sentence(printed, 'No space left')
    kept = tmp_path / 'kept'
    assert not list(kept.glob('*/.*.partial')), 'unfinished files take the room that there is'
    done = len(list(kept.glob('forecasts/*')))
    assert (2 < done < NUM_VIDEOS - BROKEN) == (size == '900k')
    printed = run(videos, kept, '--workers', 2, model=FRAMES)
    assert f'{done} of them earlier' in printed or not done
    assert results(kept) == expected


def test_a_disk_that_becomes_read_only(videos, expected, tmp_path, disk):
    kept = tmp_path / 'kept'
    process = start(videos, kept, '--workers', 1, model=FRAMES)
    wait_for_units(kept, 3, process)
    process.kill()
    process.communicate()
    printed = run(videos, tmp_path / 'disk', model=FRAMES, before=disk('ro'), status=1)
    assert_one_sentence(printed, 'Read-only file system')
    assert len(list(kept.glob('forecasts/*'))) >= 3
    run(videos, kept, '--workers', 1, model=FRAMES)
    assert results(kept) == expected
