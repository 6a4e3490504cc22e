"""Workers without processes, and small videos."""

import numpy as np
import pytest

from mmforecast.apis.batch.pool import DIED, FRAMES, READY, RESULT, Event
from mmforecast.visualization import write_video


class MemoryPool:
    """Workers whose units end as the test says, at once.

    Args:
        outcomes: By the path of a video, what becomes of its units, one try after the other: the result, the
            words on how the process died, or None, where it works for ever. All others are done.
    """

    def __init__(self, outcomes=None):
        self.outcomes = {video: list(ends) for video, ends in (outcomes or {}).items()}
        self.events, self.alive, self.done, self.killed, self.starts = [], set(), [], [], 0

    def start(self, worker):
        assert worker not in self.alive
        self.alive.add(worker)
        self.starts += 1
        self.events.append(Event(worker, READY, dict(title='toy')))

    def send(self, worker, unit):
        assert worker in self.alive
        self.done.append(unit)
        ends = self.outcomes.get(unit.video)
        end = ends.pop(0) if ends else dict(state='done', forecasts=1, instances=2, frames=3, files=[])
        if isinstance(end, str):
            self.alive.remove(worker)
            self.events.append(Event(worker, DIED, end))
        elif end is not None:
            self.events += [Event(worker, FRAMES, 3), Event(worker, RESULT, dict(end))]

    def wait(self, seconds):
        events, self.events = self.events, []
        return events

    def kill(self, worker):
        self.alive.remove(worker)
        self.killed.append(worker)

    def close(self):
        self.alive.clear()


@pytest.fixture
def memory_pool():
    """The class of a pool without processes."""
    return MemoryPool


@pytest.fixture
def make_video():
    """Write a video of a square that moves over noise: ``make_video(path, num_frames, seed=0)``."""
    pytest.importorskip('av')

    def make(path, num_frames, seed=0, size=(40, 60)):
        ground = np.random.default_rng(seed).integers(0, 120, (*size, 3), dtype=np.uint8)
        frames = np.repeat(ground[None], num_frames, axis=0)
        for number, frame in enumerate(frames):
            frame[12:28, 4 + number : 20 + number] = (250, 200, 40)
        write_video(path, list(frames), 10, hold_last=0)
        return path

    return make


@pytest.fixture
def cluster():
    """A Ray cluster of two nodes with a processor each; ``cluster.second`` is not the head."""
    ray = pytest.importorskip('ray')
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=dict(num_cpus=1, include_dashboard=False))
    cluster.second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()
