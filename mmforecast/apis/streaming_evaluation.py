"""Scores of forecasters under latency: the newest output that is finished, against the frame of its time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mmengine.registry import DefaultScope

from mmforecast.evaluation.functional.streaming import (
    Latency,
    frames_ahead,
    pair_outputs,
    simulate_stream,
    summarize_pairs,
)
from mmforecast.evaluation.stream_scorer import StreamScorer, missing_forecast, query_sample
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.utils.checks import check_positive
from mmforecast.utils.progress import progress_bar

from .evaluate import SCOPE
from .stream_frames import FrameForecasts, iterate_streams
from .stream_protocol import StreamProtocol, StreamRow, StreamScore

__all__ = ['evaluate_streams', 'measure_latency']


def evaluate_streams(
    rows: Sequence[StreamRow],
    latencies: Mapping[str, Sequence[Latency]] | Sequence[Latency],
    protocol: StreamProtocol | None = None,
) -> list[list[StreamScore]]:
    """Score every row under every latency.

    Args:
        rows: On the same data.
        latencies: Those of the table, or the ones of each row by its name; see ``factor`` and ``extra`` of a
            row.
        protocol: See :class:`StreamProtocol`.

    Returns:
        By row, one result per latency.

    Raises:
        ValueError: Rows have other data, streams are too short, or the metric does not suit.
    """
    protocol = protocol or StreamProtocol()
    if protocol.lead is None:
        protocol = replace(protocol, lead=max(row.lead for row in rows))
    for row in rows:
        if row.lead > protocol.lead:
            raise ValueError(
                f'{row.name} forecasts from {row.lead} frames before the newest one, but lead={protocol.lead}'
            )
    if isinstance(latencies, Mapping):
        missing = [row.name for row in rows if row.name not in latencies]
        if missing:
            raise ValueError(
                f'evaluate_streams: no latencies of {missing}, there are those of {list(latencies)}'
            )
    table, names = [], None
    for row in rows:
        own = latencies[row.name] if isinstance(latencies, Mapping) else latencies
        scores, streams = _evaluate_row(row, [row.latency(base) for base in own], protocol)
        if names not in (None, streams):
            raise ValueError(
                f'{row.name} is evaluated on other frames than the rows before it: give all the same data'
            )
        names = streams
        table.append(scores)
    return table


def _evaluate_row(
    row: StreamRow, latencies: Sequence[Latency], protocol: StreamProtocol
) -> tuple[list[StreamScore], list[tuple[str, int]]]:
    """The results of a row, and the names and lengths of the streams."""
    model = row.build()
    meta, streams = iterate_streams(row.config, protocol.fps)
    with DefaultScope.overwrite_default_scope(SCOPE):
        evaluator = row.config.test_evaluator
        scorer = StreamScorer(_without_groups(evaluator), meta)
    results = [StreamScore(row.name, latency) for latency in latencies]
    scored: list[list] = [[] for _ in latencies]
    seen = []
    for stream in progress_bar(streams, desc=row.name):
        seen.append((stream.id, len(stream)))
        queries = len(stream) - protocol.lead
        if queries <= protocol.warm_up:
            raise ValueError(
                f'sequence {stream.id} has {len(stream)} frames, of which {protocol.lead} are history and '
                f'{protocol.warm_up} warm-up, so that none is scored: lower the stride, num_past or warm_up'
            )
        forecasts = FrameForecasts(model, stream, row.stride)
        asked = [_pair(result, row, forecasts, protocol, number=len(seen) - 1) for result in results]
        _score_pairs(scorer, forecasts, protocol.lead, {pair for pairs in asked for pair in pairs})
        for pairs, kept in zip(asked, scored):
            kept.extend((stream.id, *pair) for pair in pairs)
    for result, pairs in zip(results, scored):
        if not pairs:
            raise ValueError(f'{row.name}: no scored frame of the streams has labels')
        result.scores = scorer.evaluate(pairs)
    return results, seen


def _without_groups(evaluator: dict | Sequence[dict]) -> list[dict]:
    """Configs of metrics without scores by the camera's speed, which single frames don't have."""
    configs = [evaluator] if isinstance(evaluator, Mapping) else evaluator
    return [{key: value for key, value in config.items() if key != 'by_speed'} for config in configs]


def _pair(
    result: StreamScore, row: StreamRow, forecasts: FrameForecasts, protocol: StreamProtocol, number: int
) -> list[tuple[int, int | None, int]]:
    """Simulate a stream and note its lags in ``result``.

    Returns:
        The scored queries that have labels, with the input frame (None for a miss) and the step of the output.
    """
    stream = forecasts.stream
    length = len(stream) - protocol.lead
    outputs = simulate_stream(
        length, stream.fps, result.latency, protocol.workers, protocol.schedule, protocol.every, number
    )
    pairs = pair_outputs(outputs, length, stream.fps, protocol.eta)
    result.outputs[stream.id] = outputs
    counted = [
        query >= protocol.warm_up and any(stream.samples[protocol.lead + query].get('labelled', [True]))
        for query in range(length)
    ]
    result.summary += summarize_pairs(outputs, pairs, counted.__getitem__)
    most = _most_steps(forecasts.model, protocol)
    asked = []
    for query, index in enumerate(pairs):
        if not counted[query]:
            continue
        if index is None:
            asked.append((query, None, 0))
            continue
        output = outputs[index]
        step = frames_ahead(output, query, row.horizon, stream.fps, result.latency) // row.stride
        result.beyond += step > most
        asked.append((query, output.frame, int(min(step, most))))
    return asked


def _most_steps(model: BaseForecaster, protocol: StreamProtocol) -> float:
    limits = [protocol.max_steps or math.inf]
    if not model.feeds_back():
        limits.append(model.predictor.num_outputs)
    return min(limits)


def _score_pairs(
    scorer: StreamScorer, forecasts: FrameForecasts, lead: int, pairs: set[tuple[int, int | None, int]]
) -> None:
    """Forecast what the queries of a stream ask for, and process each pair once."""
    stream = forecasts.stream
    steps_of: dict[int, set[int]] = {}
    for _, frame, step in pairs:
        if frame is not None:
            steps_of.setdefault(frame, set()).add(step)
    nothing = None
    if any(frame is None for _, frame, _ in pairs):
        nothing = missing_forecast(forecasts.read(lead, [0])[0])
    by_frame: dict[int | None, dict] = {None: {0: nothing}}
    for frame in sorted(steps_of):
        by_frame[frame] = forecasts.read(lead + frame, steps_of[frame])
    for query, frame, step in sorted(pairs, key=lambda pair: pair[0]):
        sample = query_sample(stream.samples[lead + query], by_frame[frame][step])
        scorer.add((stream.id, query, frame, step), sample)


def measure_latency(
    row: StreamRow, repeats: int = 10, steps: int = 1, protocol: StreamProtocol | None = None
) -> Latency:
    """The latency of a row on this machine, at batch size 1.

    A run encodes the newest frame, forecasts and decodes; the frames before it are encoded already.
    Encoding is left out where the representation comes with the data (true labels). Reading and decoding
    the picture file are not part of it.

    Args:
        row: Measured as it is; its ``factor`` and ``extra`` are not used.
        repeats: Runs that are measured, on successive frames of the first stream, after one that warms up.
        steps: Forecast steps; a row with ``horizon=0`` does none.
        protocol: Its frame rate.
    """
    check_positive('measure_latency', repeats=repeats, steps=steps)
    protocol = protocol or StreamProtocol()
    model = row.build()
    stream = next(iterate_streams(row.config, protocol.fps)[1])
    forecasts = FrameForecasts(model, stream, row.stride)
    first, count = row.lead, len(stream) - row.lead
    if count < 1:
        raise ValueError(
            f'sequence {stream.id} has {len(stream)} frames, too few for one forecast of {row.name}'
        )
    wanted = [0] if row.horizon == 0 else [steps]
    times = [forecasts.seconds(first + run % count, wanted) for run in range(repeats + 1)]
    return Latency(times[1:])
