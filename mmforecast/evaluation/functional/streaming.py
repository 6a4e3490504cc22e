"""Streaming evaluation: the frames that a system of some latency processes, and what it is scored on.

The protocol is that of Li et al., "Towards Streaming Perception", ECCV 2020. At the time of each frame, the
newest output finished by then is scored against the truth of that frame. Times are fractions of a second: an
output that is finished exactly when a frame arrives counts for that frame, so rounding would change scores.
"""

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real

import numpy as np

from mmforecast.utils.checks import check_choice, check_not_empty, check_positive

__all__ = [
    'SCHEDULES',
    'Latency',
    'PairingSummary',
    'StreamOutput',
    'exact',
    'frames_ahead',
    'pair_outputs',
    'simulate_stream',
    'summarize_pairs',
]

SCHEDULES = ('greedy', 'shrinking-tail')

Number = Rational | Real | Decimal | str


def exact(value: Number) -> Fraction:
    """The number as it is written: ``0.06`` and ``'0.06'`` are 3/50, ``'1001/30000'`` is itself.

    Raises:
        ValueError: It is no finite number.
    """
    # str(): the float 0.06 is not 3/50, and NumPy's numbers have no ratio of their own in every version
    given = value if isinstance(value, Rational) else str(value).strip()
    try:
        return Fraction(given)
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"a time or a rate must be a finite number or a fraction as 'p/q', got {value!r}"
        ) from None


def _rate(owner: str, fps: Number) -> Fraction:
    rate = exact(fps)
    if rate <= 0:
        raise ValueError(f'{owner}: fps must be above 0, got {fps!r}')
    return rate


class Latency:
    """The time from the start of a run to its output: fixed, or drawn from measured samples.

    It must include what comes before and after the network, and transfers between devices.

    Args:
        samples: Seconds: one number for a fixed latency, or several, of which each run draws one with equal
            probability.
        speedup: Divides them, as if the machine were so many times as fast.
        seed: Of the draws.

    Raises:
        ValueError: There is no sample, one is negative, or ``speedup`` is not above 0.
    """

    def __init__(self, samples: Number | Iterable[Number], speedup: Number = 1, seed: int = 0):
        several = isinstance(samples, Iterable) and not isinstance(samples, str)
        times = [exact(sample) for sample in (samples if several else [samples])]
        factor = exact(speedup)
        check_not_empty('Latency', samples=times)
        if min(times) < 0:
            raise ValueError(f'Latency: samples must be at least 0, got {float(min(times))}')
        if factor <= 0:
            raise ValueError(f'Latency: speedup must be above 0, got {speedup!r}')
        self.samples = tuple(time / factor for time in times)
        self.seed = seed

    @property
    def mean(self) -> Fraction:
        """The exact mean of the samples."""
        return sum(self.samples, Fraction()) / len(self.samples)

    def draws(self, stream: int = 0) -> Iterator[Fraction]:
        """The run times of one stream, without end; the same for the same ``stream``."""
        rng = np.random.default_rng((self.seed, stream))
        while True:
            yield self.samples[int(rng.integers(len(self.samples)))]


@dataclass(frozen=True)
class StreamOutput:
    """An output of a system that processes a stream.

    Attributes:
        frame: The newest input frame that it used, 0-based.
        started, finished: Seconds after the arrival of frame 0.
    """

    frame: int
    started: Fraction
    finished: Fraction


def simulate_stream(
    num_frames: int,
    fps: Number,
    latency: Latency,
    workers: int | None = 1,
    schedule: str = 'greedy',
    every: int = 1,
    stream: int = 0,
) -> list[StreamOutput]:
    """The outputs of a system that processes a stream as fast as it can.

    Each time it is free it starts on the newest frame that has arrived, unless it has had that one, and waits
    for the next frame otherwise. There is no queue: frames that arrive in between are skipped. Outputs that
    are not finished before the end of the stream, ``num_frames / fps``, are lost.

    Args:
        num_frames: n; frame i arrives at ``i / fps``.
        fps: Frames per second.
        latency: Of each run.
        workers: Runs at the same time: 1, or more for a pipelined system; None starts one on every frame.
        schedule: 'greedy', or 'shrinking-tail' (single worker): wait for the next frame where that brings no
            more frames of delay on average and the input is fresher.
        every: Only frames whose position is a multiple of it are processed.
        stream: Number of the stream, which decides the draws of a measured latency.

    Returns:
        The outputs in the order of their start.
    """
    owner, rate = 'simulate_stream', _rate('simulate_stream', fps)
    check_positive(owner, num_frames=num_frames, every=every)
    check_choice(owner, SCHEDULES, schedule=schedule)
    if workers is not None:
        check_positive(owner, workers=workers)
    if schedule == 'shrinking-tail' and workers != 1:
        raise ValueError(f"{owner}: schedule='shrinking-tail' is for a single worker, got workers={workers!r}")
    tail_rate = latency.mean * rate if schedule == 'shrinking-tail' else None
    draws, outputs = latency.draws(stream), []
    free, fresh = [Fraction()] * (workers or num_frames), 0
    while free:
        now = heapq.heappop(free)
        frame, now = _next_start(now, fresh, rate, every, tail_rate)
        if frame >= num_frames:
            break  # the other workers are free later still
        finished = now + next(draws)
        fresh = frame + 1
        if finished * rate < num_frames:
            outputs.append(StreamOutput(frame, now, finished))
            heapq.heappush(free, finished)
    return outputs


def _next_start(
    now: Fraction, fresh: int, rate: Fraction, every: int, tail_rate: Fraction | None
) -> tuple[int, Fraction]:
    """The frame that a worker takes which is free at ``now``, and the time at which it starts on it.

    Args:
        fresh: The oldest frame that was not taken yet.
        tail_rate: Mean latency in frames where the schedule shrinks tails.
    """
    frame = max(math.floor(now * rate), fresh)
    while True:
        start = max(now, Fraction(frame) / rate)
        tail = start * rate - frame
        waits = tail_rate is not None and 1 < tail_rate < math.floor(tail + tail_rate)
        if frame % every == 0 and not waits:
            return frame, start
        frame += 1


def pair_outputs(
    outputs: Sequence[StreamOutput], num_frames: int, fps: Number, eta: Number = 0
) -> list[int | None]:
    """The output that is scored at each query.

    Query i is at ``(i - eta) / fps``. What is scored there is the output of the newest input among those
    finished by then, that moment included.

    Args:
        outputs: In any order.
        num_frames: Queries.
        fps: Frames per second.
        eta: At least -1; below 0, queries are later than their frames, and an output has more time.

    Returns:
        By query, the index in ``outputs``; None where none is finished: a miss.
    """
    rate, shift = _rate('pair_outputs', fps), exact(eta)
    if shift < -1:
        raise ValueError(f'pair_outputs: eta must be at least -1, got {eta!r}')
    order = sorted(range(len(outputs)), key=lambda index: outputs[index].finished)
    pairs, newest, taken = [], None, 0
    for query in range(num_frames):
        time = (query - shift) / rate
        while taken < len(order) and outputs[order[taken]].finished <= time:
            index = order[taken]
            if newest is None or outputs[index].frame >= outputs[newest].frame:
                newest = index
            taken += 1
        pairs.append(newest)
    return pairs


@dataclass(frozen=True)
class PairingSummary:
    """How late the outputs of a stream are.

    Attributes:
        queries: All of them.
        misses: Those without an output.
        in_time: Those whose output is of the very frame.
        total_lag: Frames from the input of the output to the query, summed over the others.
    """

    queries: int = 0
    misses: int = 0
    in_time: int = 0
    total_lag: int = 0

    @property
    def mean_lag(self) -> Fraction | None:
        """Mean frames from input to query; None where all are misses."""
        answered = self.queries - self.misses
        return Fraction(self.total_lag, answered) if answered else None

    def __add__(self, other: 'PairingSummary') -> 'PairingSummary':
        return PairingSummary(
            self.queries + other.queries,
            self.misses + other.misses,
            self.in_time + other.in_time,
            self.total_lag + other.total_lag,
        )


def summarize_pairs(
    outputs: Sequence[StreamOutput],
    pairs: Sequence[int | None],
    counted: Callable[[int], bool] | None = None,
) -> PairingSummary:
    """Misses and lags of the pairs of :func:`pair_outputs`.

    Args:
        counted: Whether a query counts; by default all do.
    """
    chosen = [query for query in range(len(pairs)) if counted is None or counted(query)]
    lags = [query - outputs[pairs[query]].frame for query in chosen if pairs[query] is not None]
    return PairingSummary(len(chosen), len(chosen) - len(lags), lags.count(0), sum(lags))


def frames_ahead(output: StreamOutput, query: int, horizon: str | int, fps: Number, latency: Latency) -> int:
    """How many frames after its newest input an output is read.

    Args:
        horizon: 'query', the frame that is asked for: the output holds forecasts of all the frames up to it.
            'latency', the first frame at which the output is expected to be finished, by its start and the
            mean latency: one forecast, which is right when it arrives and is kept until the next one. Or the
            number itself.
    """
    if horizon == 'query':
        return query - output.frame
    if horizon == 'latency':
        return math.ceil((output.started + latency.mean) * exact(fps)) - output.frame
    return horizon
