"""Measure what the scheduler of a batch costs: its units are done by workers that sleep.

Its numbers are in docs/scale.md. Actors of Ray need the extra ray. Each occupies a part of a processor, so
that a machine of two cores holds 64 of them, and none imports PyTorch, so that they need 100 MB each.
"""

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mmforecast.apis.batch.local_pool import LocalPool
from mmforecast.apis.batch.manifest import Manifest
from mmforecast.apis.batch.pool import Event, WorkerPool
from mmforecast.apis.batch.progress import Progress
from mmforecast.apis.batch.ray_pool import RayPool
from mmforecast.apis.batch.scheduler import Scheduler

# Seconds that Ray gives a process to start, in which it would otherwise be replaced on a slow machine.
_START = 600


@dataclass(frozen=True)
class Nap:
    """A unit of work, as the manifest and the scheduler know it."""

    name: str
    start: None = None
    stop: None = None
    plan_only: bool = False

    @property
    def video(self) -> str:
        """What the manifest calls it."""
        return self.name

    @property
    def title(self) -> str:
        """What sentences call it."""
        return self.name


class Sleeper:
    """A worker whose units take a time that is known.

    Args:
        seconds: Of each.
    """

    built = dict(title='sleeper')

    def __init__(self, seconds: float):
        self.seconds = seconds

    def __call__(self, unit: Nap, report: Callable[[int], None] = lambda frames: None) -> dict:
        """Do a unit."""
        time.sleep(self.seconds)
        return dict(state='done', forecasts=1, instances=0, frames=1, files=[], seconds=self.seconds)


def build(number: int, seconds: float) -> Sleeper:
    """The worker of a process of its own."""
    return Sleeper(seconds)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--workers', type=int, nargs='+', default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument('--seconds', type=float, default=2.0, help='of a unit (default: 2)')
    parser.add_argument('--rounds', type=int, default=5, help='units of each worker (default: 5)')
    parser.add_argument(
        '--local', action='store_true', help='processes of this machine in place of Ray actors'
    )
    return parser.parse_args()


def simulate(pool: WorkerPool, workers: int, rounds: int) -> tuple[float, float]:
    """Seconds from the first unit to the last, and the driver's processor seconds among them."""
    units = [Nap(f'{number}.mp4') for number in range(workers * rounds)]
    with tempfile.TemporaryDirectory() as folder, Manifest(folder) as manifest:
        waiting = _AllReady(pool, workers)
        scheduler = Scheduler(waiting, workers, manifest, Progress(len(units), stream=io.StringIO()))
        scheduler.run(units)
        spent = time.monotonic() - waiting.begin, time.process_time() - waiting.begin_cpu
    for worker in range(workers):
        pool.kill(worker)
    return spent


class _AllReady:
    """A pool that says nothing before all of its workers are ready."""

    def __init__(self, pool: WorkerPool, workers: int):
        self.pool = pool
        self.missing = workers
        self.events: list[Event] = []

    def __getattr__(self, name: str):
        return getattr(self.pool, name)

    def wait(self, seconds: float) -> list[Event]:
        """The events that have come."""
        found = self.pool.wait(seconds)
        if not self.missing:
            return found
        self.events += found
        self.missing -= len(found)
        if self.missing:
            return []
        self.begin, self.begin_cpu = time.monotonic(), time.process_time()
        return self.events


def open_ray(workers: int, seconds: float) -> RayPool:
    """Actors of one cluster of this machine, each of which occupies a part of a processor."""
    import ray

    if not ray.is_initialized():
        ray.init(
            'local',
            num_cpus=2,
            include_dashboard=False,
            logging_level='ERROR',
            log_to_driver=False,
            _system_config=dict(worker_register_timeout_seconds=_START),
        )
    return RayPool(partial(build, seconds=seconds), processors=1 / max(64, workers))


def main() -> None:
    args = parse_args()
    print(f'load of the machine: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores')
    print('workers  units  seconds  added per unit (s)  driver per unit (ms)')
    for workers in args.workers:
        if args.local:
            pool = LocalPool(partial(build, seconds=args.seconds))
        else:
            pool = open_ray(workers, args.seconds)
        elapsed, driver = simulate(pool, workers, args.rounds)
        units = workers * args.rounds
        added = elapsed / args.rounds - args.seconds
        print(
            f'{workers:7}  {units:5}  {elapsed:7.2f}  {added:18.3f}  {driver / units * 1000:20.1f}', flush=True
        )


if __name__ == '__main__':
    main()
