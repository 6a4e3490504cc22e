"""Streaming evaluation: the hand cases, exactly, and what holds for every latency."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmforecast.evaluation.functional import (
    Latency,
    PairingSummary,
    StreamOutput,
    pair_outputs,
    simulate_stream,
    summarize_pairs,
)
from mmforecast.evaluation.functional.streaming import SCHEDULES, exact, frames_ahead

TIMES = st.fractions(min_value=0, max_value=8, max_denominator=12)
RATES = st.sampled_from([Fraction(1), Fraction(17), Fraction(30000, 1001)])


def inputs_of(outputs, pairs):
    return [None if index is None else outputs[index].frame for index in pairs]


def run(latency, frames=10, fps=1, **options):
    outputs = simulate_stream(frames, fps, Latency(latency), **options)
    return outputs, pair_outputs(outputs, frames, fps)


HAND_CASES = [
    ('1/2', 'greedy', list(range(10)), '- 0 1 2 3 4 5 6 7 8', 1, Fraction(1)),
    (1, 'greedy', list(range(9)), '- 0 1 2 3 4 5 6 7 8', 1, Fraction(1)),
    ('3/2', 'greedy', [0, 1, 3, 4, 6, 7], '- - 0 1 1 3 4 4 6 7', 2, Fraction(9, 4)),
    ('5/2', 'greedy', [0, 2, 5], '- - - 0 0 2 2 2 5 5', 3, Fraction(26, 7)),
    ('3/2', 'shrinking-tail', [0, 2, 4, 6, 8], '- - 0 0 2 2 4 4 6 6', 2, Fraction(5, 2)),
]


@pytest.mark.parametrize('latency, schedule, processed, paired, misses, lag', HAND_CASES)
def test_hand_cases(latency, schedule, processed, paired, misses, lag):
    outputs, pairs = run(latency, schedule=schedule)
    assert [output.frame for output in outputs] == processed
    assert inputs_of(outputs, pairs) == [None if p == '-' else int(p) for p in paired.split()]
    summary = summarize_pairs(outputs, pairs)
    assert (summary.queries, summary.misses, summary.in_time, summary.mean_lag) == (10, misses, 0, lag)


def test_just_off_the_tie_the_shrinking_tail_is_better():
    lags = {}
    for schedule in SCHEDULES:
        outputs, pairs = run('1.51', frames=100, schedule=schedule)
        lags[schedule] = summarize_pairs(outputs, pairs).mean_lag
    assert lags['greedy'] == Fraction(263, 98)  # 2.683673
    assert lags['shrinking-tail'] == Fraction(5, 2)


def test_the_times_of_a_run_are_exact():
    outputs, _ = run('3/2', frames=4, fps='30000/1001')
    assert outputs == []  # a run outlasts the stream
    outputs, _ = run('1001/20000', frames=4, fps='30000/1001')  # one and a half frames
    assert outputs == [
        StreamOutput(0, Fraction(0), Fraction(1001, 20000)),
        StreamOutput(1, Fraction(1001, 20000), Fraction(1001, 10000)),
    ]


@pytest.mark.parametrize(
    'latency', [0.1, '0.1', Decimal('0.1'), np.float64(0.1), np.float32(0.1), Fraction(1, 10)]
)
def test_a_number_is_what_is_written(latency):
    assert exact(latency) == Fraction(1, 10)
    # one frame of a stream of 10 frames per second, to the last bit
    outputs, pairs = run(latency, frames=300, fps=10)
    assert inputs_of(outputs, pairs) == [None, *range(299)]


@given(latency=TIMES, fps=RATES, frames=st.integers(1, 12))
def test_every_frame_processed_at_one_latency_is_a_shift(latency, fps, frames):
    # Courdier and Fleuret (ACCV 2020): what was seen ceil(L * fps) frames ago
    outputs, pairs = run(latency / fps, frames, fps, workers=None)
    shift = math.ceil(latency)
    assert inputs_of(outputs, pairs) == [q - shift if q >= shift else None for q in range(frames)]


@given(latency=TIMES, more=TIMES, workers=st.sampled_from([1, 2, 3, None]), frames=st.integers(1, 12))
def test_pairing(latency, more, workers, frames):
    outputs, pairs = run(latency, frames, workers=workers)
    for query, index in enumerate(pairs):  # by the definition
        done = [output.frame for output in outputs if output.finished <= query]
        assert (max(done) if done else None) == (None if index is None else outputs[index].frame)
    # later outputs never make a later input appear earlier
    late = [StreamOutput(out.frame, out.started, out.finished + more) for out in outputs]
    for before, after in zip(inputs_of(outputs, pairs), inputs_of(late, pair_outputs(late, frames, 1))):
        assert after is None or before is not None and after <= before
    # nor does one that comes after the last query
    extra = [*outputs, StreamOutput(frames - 1, Fraction(0), frames - 1 + Fraction(1, 10**9))]
    assert pair_outputs(extra, frames, 1) == pairs


def test_without_latency_every_frame_is_scored_on_itself():
    outputs, pairs = run(0, frames=5, fps=17)
    assert inputs_of(outputs, pairs) == [0, 1, 2, 3, 4]
    assert summarize_pairs(outputs, pairs) == PairingSummary(5, 0, 5, 0)


def test_a_pipeline_of_two():
    outputs, pairs = run('3/2', frames=6, workers=2)
    assert [(out.frame, out.started) for out in outputs] == [(number, number) for number in range(5)]
    assert inputs_of(outputs, pairs) == [None, None, 0, 1, 2, 3]
    # the newest input counts, in whatever order outputs come
    mixed = [StreamOutput(1, Fraction(1), Fraction(2)), StreamOutput(0, Fraction(0), Fraction(3))]
    assert pair_outputs(mixed, 5, 1) == [None, None, 0, 0, 0]


def test_every_other_frame():
    outputs, _ = run('1/2', frames=7, every=3)
    assert [out.frame for out in outputs] == [0, 3, 6]
    outputs, _ = run('7/2', frames=10, every=2)
    assert [(out.frame, out.started) for out in outputs] == [(0, 0), (4, 4)]  # the third is lost


def test_eta():
    outputs = [StreamOutput(0, Fraction(0), Fraction(1, 2)), StreamOutput(1, Fraction(1), Fraction(3, 2))]
    assert pair_outputs(outputs, 3, 1) == [None, 0, 1]
    assert pair_outputs(outputs, 3, 1, eta='-1/2') == [0, 1, 1]
    assert pair_outputs(outputs, 3, 1, eta='1/2') == [None, 0, 1]
    assert pair_outputs(outputs, 3, 1, eta='0.51') == [None, None, 0]


def test_measured_latencies_are_drawn_again_alike():
    latency = Latency(['0.1', '0.3'], seed=3)
    assert latency.mean == Fraction(1, 5)
    assert Latency(['0.1', '0.3'], speedup=2).samples == (Fraction(1, 20), Fraction(3, 20))
    runs = [simulate_stream(40, 10, latency, stream=number) for number in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]
    taken = {out.finished - out.started for out in runs[0]}
    assert taken == {Fraction(1, 10), Fraction(3, 10)}
    assert simulate_stream(40, 10, Latency(['0.2'] * 5)) == simulate_stream(40, 10, Latency('0.2'))


def test_frames_ahead():
    latency = Latency('3/2')
    output = StreamOutput(4, Fraction(9, 2), Fraction(6))
    assert frames_ahead(output, 7, 'query', 1, latency) == 3
    assert frames_ahead(output, 7, 'latency', 1, latency) == 2  # due at frame 6, whenever it is asked for
    assert frames_ahead(output, 7, 5, 1, latency) == 5


def test_summaries_add_up():
    outputs, pairs = run('3/2')
    parts = [summarize_pairs(outputs, pairs, counted) for counted in (lambda q: q < 4, lambda q: q >= 4)]
    assert parts[0] == PairingSummary(4, 2, 0, 4)
    assert parts[0] + parts[1] == summarize_pairs(outputs, pairs)
    assert summarize_pairs([], [None, None]).mean_lag is None


@pytest.mark.parametrize(
    'call, message',
    [
        (lambda: Latency(-1), 'samples must be at least 0, got -1.0'),
        (lambda: Latency([]), 'samples must not be empty'),
        (lambda: Latency(1, speedup=0), 'speedup must be above 0'),
        (lambda: Latency(float('nan')), "fraction as 'p/q', got nan"),
        (lambda: Latency('fast'), "fraction as 'p/q', got 'fast'"),
        (lambda: Latency('1/0'), "got '1/0'"),
        (lambda: run(1, fps=0), 'fps must be above 0, got 0'),
        (lambda: run(1, frames=0), 'num_frames must be an integer >= 1'),
        (lambda: run(1, workers=0), 'workers must be an integer >= 1'),
        (lambda: run(1, schedule='lazy'), "schedule must be one of 'greedy', 'shrinking-tail'"),
        (lambda: run(1, schedule='shrinking-tail', workers=2), 'for a single worker, got workers=2'),
        (lambda: pair_outputs([], 3, 1, eta=-2), 'eta must be at least -1'),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
