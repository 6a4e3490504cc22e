"""The scheduler outlives what fails: units, workers, and both again and again."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import pytest

from mmforecast.apis.batch.local_pool import LocalPool, describe_exit
from mmforecast.apis.batch.manifest import Manifest, read_manifest
from mmforecast.apis.batch.pool import BROKEN, DIED, READY, RESULT, Event
from mmforecast.apis.batch.progress import Progress
from mmforecast.apis.batch.scheduler import Scheduler
from mmforecast.apis.batch.units import Shard, Unit
from mmforecast.apis.batch.writing import ResultsError

NAMES = [f'{letter}.mp4' for letter in 'abcdef']


def run(folder, pool, units=None, workers=2, **settings):
    """Do units; the progress."""
    units = [Unit(name, number=number) for number, name in enumerate(NAMES)] if units is None else units
    with Manifest(folder) as manifest:
        progress = Progress(len(units), stream=io.StringIO())
        Scheduler(pool, workers, manifest, progress, **settings).run(units)
    return progress


def states(folder):
    return {entry['video']: entry['state'] for entry in read_manifest(folder)}


def test_all_units_are_done_once(memory_pool, tmp_path):
    pool, told = memory_pool(), []
    progress = run(tmp_path, pool, settle=told.append)
    assert [unit.video for unit in pool.done] == NAMES
    assert states(tmp_path) == dict.fromkeys(NAMES, 'done')
    assert told == [dict(title='toy')] and pool.starts == 2
    assert (progress.num_finished, progress.num_failed, progress.num_frames) == (6, 0, 18)


def test_nothing_to_do_starts_no_worker(memory_pool, tmp_path):
    pool = memory_pool()
    run(tmp_path, pool, units=[])
    run(tmp_path / '.', pool, units=[Unit('a')], workers=8)
    assert pool.starts == 1


def test_a_failed_unit_is_written_down_and_its_files_go(memory_pool, tmp_path):
    left = tmp_path / 'instances' / f'{Unit("b.mp4").name}.parquet'
    left.parent.mkdir()
    left.touch()
    run(tmp_path, memory_pool({'b.mp4': [dict(state='failed', sentence='b.mp4 has no frame')]}))
    assert states(tmp_path) == dict(dict.fromkeys(NAMES, 'done'), **{'b.mp4': 'failed'})
    entry = next(entry for entry in read_manifest(tmp_path) if entry['state'] == 'failed')
    assert entry['sentence'] == 'b.mp4 has no frame' and not left.exists()


def test_a_unit_whose_process_dies_is_tried_again_once(memory_pool, tmp_path):
    leftover = tmp_path / 'labels' / f'.{Unit("a.mp4").name}.npz.123.partial'
    leftover.parent.mkdir()
    leftover.touch()
    pool = memory_pool({'a.mp4': ['SIGKILL'], 'c.mp4': ['SIGSEGV', 'SIGSEGV']})
    progress = run(tmp_path, pool)
    assert states(tmp_path) == dict(dict.fromkeys(NAMES, 'done'), **{'c.mp4': 'failed'})
    sentence = next(entry for entry in read_manifest(tmp_path) if entry['state'] == 'failed')['sentence']
    assert sentence == 'the process that worked on c.mp4 ended 2 times (SIGSEGV)'
    assert (progress.num_finished, progress.num_failed) == (6, 1)
    assert pool.starts == 5 and not leftover.exists()


def test_a_unit_that_takes_too_long_is_failed(memory_pool, tmp_path):
    pool = memory_pool({'b.mp4': [None]})
    run(tmp_path, pool, unit_timeout=0.05)
    assert states(tmp_path) == dict(dict.fromkeys(NAMES, 'done'), **{'b.mp4': 'failed'})
    sentence = next(entry for entry in read_manifest(tmp_path) if entry['state'] == 'failed')['sentence']
    assert sentence == 'b.mp4 took longer than --unit-timeout, 0.05 s' and len(pool.killed) == 1


def test_results_that_cannot_be_written_end_it_and_what_was_done_stays(memory_pool, tmp_path):
    full = dict(state='fatal', sentence='x cannot be written (No space left on device)')
    with pytest.raises(ResultsError, match='No space left'):
        run(tmp_path, memory_pool({'d.mp4': [full]}), workers=1)
    assert states(tmp_path) == dict.fromkeys(NAMES[:3], 'done')


def test_an_interrupted_unit_leaves_no_file(memory_pool, tmp_path):
    class Interrupted(memory_pool):
        def wait(self, seconds):
            if not self.events:
                raise KeyboardInterrupt
            return super().wait(seconds)

    leftover = tmp_path / 'labels' / f'.{Unit("a.mp4").name}.npz.123.partial'
    leftover.parent.mkdir()
    leftover.touch()
    with Manifest(tmp_path) as manifest:
        progress = Progress(1, stream=io.StringIO())
        scheduler = Scheduler(Interrupted({'a.mp4': [None]}), 1, manifest, progress)
        with pytest.raises(KeyboardInterrupt):
            scheduler.run([Unit('a.mp4')])
        scheduler.abandon()
    assert not leftover.exists()


def test_workers_that_cannot_start_end_it(memory_pool, tmp_path):
    class Dying(memory_pool):
        def start(self, worker):
            self.starts += 1
            self.events.append(Event(worker, DIED, 'SIGKILL'))

    class Broken(memory_pool):
        value = dict(state='failed', sentence='there is no config x.py')

        def start(self, worker):
            self.events.append(Event(worker, BROKEN, self.value))

    with pytest.raises(ChildProcessError, match=r'processes end before they have begun a unit \(SIGKILL\)'):
        run(tmp_path, Dying())
    with pytest.raises(ValueError, match='^there is no config x.py$'):
        run(tmp_path, Broken())
    Broken.value = dict(Broken.value, traceback='Traceback ...')
    with pytest.raises(RuntimeError, match='Traceback'):
        run(tmp_path, Broken())


def test_a_long_video_becomes_units(memory_pool, tmp_path):
    split = dict(state='split', units=[(0, 5), (5, 10), (10, 12)])
    pool = memory_pool({'b.mp4': [split]})
    progress = run(tmp_path, pool, workers=1)
    done = [(unit.video, unit.start) for unit in pool.done]
    assert done[:6] == [
        ('a.mp4', None),
        ('b.mp4', None),
        *[('b.mp4', start) for start in (0, 5, 10)],
        ('c.mp4', None),
    ]
    assert progress.num_units == progress.num_finished == 8
    entries = read_manifest(tmp_path)
    assert [entry['state'] for entry in entries if entry['video'] == 'b.mp4'] == ['done'] * 3 + ['split']


def test_one_long_video_keeps_all_workers_busy(memory_pool, tmp_path):
    split = dict(state='split', units=[(place, place + 1) for place in range(6)])
    pool = memory_pool({'a.mp4': [split]})
    run(tmp_path, pool, [Unit('a.mp4')], workers=3)
    assert pool.starts == 3 and len(pool.done) == 7


def test_a_worker_whose_gpu_is_broken_is_replaced(memory_pool, tmp_path):
    broken = dict(state='failed', sentence='RuntimeError: CUDA error: device-side assert triggered')
    pool = memory_pool({'b.mp4': [broken]})
    run(tmp_path, pool, workers=1)
    assert states(tmp_path) == dict(dict.fromkeys(NAMES, 'done'), **{'b.mp4': 'failed'})
    assert pool.killed == [0] and pool.starts == 2


def test_stretches_are_spread_over_shards(memory_pool, tmp_path):
    split = dict(state='split', units=[(0, 5), (5, 10), (10, 12)])
    seen = []
    for index in (1, 2):
        shard = Shard(index, 2, spread=True)
        units = [
            Unit('a.mp4', number=0, plan_only=not shard.owns(0)),
            Unit('b.mp4', number=1, plan_only=not shard.owns(1)),
        ]
        pool = memory_pool(
            {'a.mp4': [split], 'b.mp4': [dict(state='split', units=[(0, 9)])] if index == 1 else []}
        )
        folder = tmp_path / str(index)
        folder.mkdir()
        progress = run(folder, pool, units, shard=shard)
        seen += [(unit.video, unit.start) for unit in pool.done if not (unit.whole and unit.video == 'a.mp4')]
        assert progress.num_units == progress.num_finished
    # shard 1 has looked at b and left it to shard 2
    assert sorted(seen, key=str) == [
        ('a.mp4', 0),
        ('a.mp4', 10),
        ('a.mp4', 5),
        ('b.mp4', None),
        ('b.mp4', None),
    ]


TOY = """
    import os, signal, time

    class Toy:
        built = dict(title='toy')

        def __call__(self, unit, report):
            report(3)
            if unit.video.startswith('kill'):
                os.kill(os.getpid(), signal.SIGKILL)
            if unit.video.startswith('sleep'):
                time.sleep(600)
            return dict(state='done', process=os.getpid(), threads=os.environ['OMP_NUM_THREADS'])

    def build(number, fails=False):
        if fails:
            raise ValueError('there is no such model')
        return Toy()
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A module that worker processes can import."""
    (tmp_path / 'toy_batch_worker.py').write_text(textwrap.dedent(TOY))
    monkeypatch.syspath_prepend(str(tmp_path))
    import toy_batch_worker

    yield toy_batch_worker
    del sys.modules['toy_batch_worker']


def next_events(pool, *kinds):
    """Events until all of these have come."""
    events = []
    while not set(kinds) <= {event.kind for event in events}:
        found = pool.wait(60)
        assert found
        events += found
    return {event.kind: event.value for event in events}


def test_processes(toy):
    """One process: its threads and its death; and one that cannot be built."""
    environment = dict(os.environ)
    pool = LocalPool(toy.build, threads=3)
    try:
        pool.start(0)
        assert next_events(pool, READY)[READY] == dict(title='toy')
        assert dict(os.environ) == environment
        pool.send(0, Unit('a.mp4'))
        result = next_events(pool, RESULT)[RESULT]
        assert result == dict(state='done', process=pool.processes()[0], threads='3')
        pool.send(0, Unit('kill'))
        assert next_events(pool, DIED)[DIED] == 'SIGKILL, as where memory runs out'
        assert pool.processes() == {}
    finally:
        pool.close()
    pool = LocalPool(partial(toy.build, fails=True))
    pool.start(0)
    assert next_events(pool, BROKEN)[BROKEN]['sentence'] == 'ValueError: there is no such model'
    pool.close()


HOLDER = """
import sys
from toy_batch_worker import build
from mmforecast.apis.batch.local_pool import LocalPool
from mmforecast.apis.batch.units import Unit

if __name__ == '__main__':
    pool = LocalPool(build)
    pool.start(0)
    while not pool.wait(60):
        pass
    pool.send(0, Unit('sleep'))
    print(pool.processes()[0], flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_a_process_ends_with_the_one_that_started_it(toy, tmp_path):
    (tmp_path / 'holder.py').write_text(HOLDER)
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    holder = subprocess.Popen(
        [sys.executable, tmp_path / 'holder.py'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    process = int(holder.stdout.readline())
    os.kill(process, 0)  # it is there
    holder.kill()
    holder.communicate()
    for _ in range(100):
        if not _is_running(process):
            return
        time.sleep(0.1)
    pytest.fail(f'process {process} goes on')


def _is_running(process):
    try:
        with open(f'/proc/{process}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


def test_words_on_the_end_of_a_process():
    assert describe_exit(1) == 'exit status 1'
    assert describe_exit(-signal.SIGSEGV) == 'SIGSEGV'
