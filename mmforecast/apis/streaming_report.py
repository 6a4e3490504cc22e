"""The whole of streaming evaluation in one call: rows from configs, the sweep over latencies, files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmforecast.evaluation.functional.streaming import Latency, Number, exact
from mmforecast.models.utils.load_network import weights_to_train

from .compare import baselines_of
from .evaluate import load_config
from .stream_frames import frame_rate
from .stream_protocol import StreamProtocol, StreamRow, StreamScore
from .streaming_evaluation import evaluate_streams, measure_latency
from .streaming_table import (
    baseline_rows,
    column_names,
    first_ahead,
    long_table,
    network_row,
    save_stream_plot,
    save_times,
    sweep_table,
    with_segmentor,
    write_latencies,
)

__all__ = ['METRICS', 'load_row_configs', 'stream_rows', 'streaming_report']

METRICS = ('mIoU', 'IoU-MO', 'AP50', 'AP', 'PQ')
DELAYS = (0, 1, 2, 3, 4, 6, 9)


def stream_rows(
    config: Config,
    models: Sequence[tuple[str, Config, str | None]] = (),
    networks: Sequence[tuple[str, Config, Number]] = (),
    baselines: Sequence[str] | None = None,
    horizon: str | int = 'query',
    stride: int | None = None,
) -> list[StreamRow]:
    """The rows of a table: networks without forecasting, baselines, and trained forecasters.

    Args:
        config: Of a forecaster; its data, encoder and baselines are taken.
        models: Name, config and checkpoint (None where the config names the weights) of forecasters; the same
            name for seeds of one method.
        networks: Name, config and factor on the latency of further networks without forecasting; the same
            name for seeds of one network.
        baselines: Names; by default all but the oracle.
        horizon: Of all that forecast, see ``StreamRow``.
        stride: Frames between past frames and between steps, of all rows; None leaves that of each config.

    Raises:
        ValueError: A predictor has weights to train and no checkpoint, or two rows that differ share a name.
    """
    trained = [StreamRow(name, cfg, checkpoint, horizon=horizon) for name, cfg, checkpoint in models]
    kinds = (
        [network_row(config)],
        [network_row(cfg, name, factor) for name, cfg, factor in networks],
        baseline_rows(config, baselines, horizon),
        trained,
    )
    names = [name for kind in kinds for name in dict.fromkeys(row.name for row in kind)]
    if len(set(names)) < len(names):
        raise ValueError(f'rows must have different names, got {names}')
    for row in trained:
        if row.checkpoint is None and weights_to_train(row.build().predictor):
            raise ValueError(
                f"{row.name}: its predictor has weights to train, so name a checkpoint; 'none' is for a "
                "config that names the predictor's own"
            )
    rows = [row for kind in kinds for row in kind]
    return rows if stride is None else [row.with_stride(stride) for row in rows]


def streaming_report(
    rows: Sequence[StreamRow],
    latencies: Sequence[Number] | None = None,
    delays: Sequence[Number] = DELAYS,
    latencies_of: Mapping[str, Latency] | None = None,
    measure: int | None = None,
    protocol: StreamProtocol | None = None,
    metrics: Sequence[str] = METRICS,
    out: Path | None = None,
) -> list[str]:
    """Evaluate rows over latencies, and write tables, plots and times.

    Args:
        rows: Of :func:`stream_rows`, or of several calls that are seeds of each other. The score of the first
            row's network without latency, the mean over its seeds, is the upper bound.
        latencies: Of the table, in seconds; by default ``delays`` frames of the first stream's rate.
        delays: In frames.
        latencies_of: A latency for each row, by its name: a second table.
        measure: Measure them instead, by so many runs each.
        protocol: See :class:`StreamProtocol`.
        metrics: Scores of the tables, of those that the evaluator of the rows gives.
        out: Folder for ``sweep.txt``, ``.md`` and ``.csv``, ``streams.csv``, ``latency_<metric>.png`` and
            ``times.json``; and, of the second table, ``own.txt``, ``.md``, ``.csv`` and ``latencies.json``.

    Returns:
        What to print: the tables, and from which latency on forecasts are above the networks.
    """
    protocol = protocol or StreamProtocol()
    if latencies is None:
        rate = frame_rate(rows[0].config, protocol.fps)
        latencies = [exact(delay) / rate for delay in delays]
    seconds = sorted({exact(latency) for latency in latencies})
    own = _own_latencies(rows, latencies_of, measure, protocol)
    bound = _upper_bound(rows, protocol)
    table = evaluate_streams(rows, [Latency(second) for second in seconds], protocol)
    known = [metric for metric in metrics if metric in bound.scores]
    if not known:
        raise ValueError(f'none of the metrics {list(metrics)} was computed; there are {sorted(bound.scores)}')
    lines = [sweep_table(table, seconds, known, bound), '', *_sentences(rows, table, seconds, known)]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for style, ending in (('text', 'txt'), ('markdown', 'md'), ('csv', 'csv')):
            (out / f'sweep.{ending}').write_text(sweep_table(table, seconds, known, bound, style) + '\n')
        (out / 'streams.csv').write_text(long_table(table, known, 'csv') + '\n')
        save_times(out / 'times.json', table)
        for metric in known:
            save_stream_plot(out / f'latency_{metric}.png', table, seconds, metric, bound)
    if own is not None:
        lines += ['', *_own_table(rows, own, protocol, known, out)]
    return lines


def _upper_bound(rows: Sequence[StreamRow], protocol: StreamProtocol) -> StreamScore:
    """The mean score of the first row and its seeds without latency."""
    seeds = [row for row in rows if row.name == rows[0].name]
    table = evaluate_streams(seeds, [Latency(0)], _same_lead(rows, protocol))
    found = [score for (score,) in table]
    means = {key: float(np.mean([score.scores[key] for score in found])) for key in found[0].scores}
    return replace(found[0], scores=means)


def _same_lead(rows: Sequence[StreamRow], protocol: StreamProtocol) -> StreamProtocol:
    return replace(protocol, lead=max(row.lead for row in rows)) if protocol.lead is None else protocol


def _own_latencies(
    rows: Sequence[StreamRow],
    given: Mapping[str, Latency] | None,
    measure: int | None,
    protocol: StreamProtocol,
) -> dict[str, Latency] | None:
    """The latency of each row by its name; None where neither is asked for."""
    if given is None and measure is None:
        return None
    if given is not None and measure is not None:
        raise ValueError('streaming_report takes latencies_of or measure, not both')
    names = list(dict.fromkeys(row.name for row in rows))
    if measure is not None:
        firsts = {name: next(row for row in rows if row.name == name) for name in names}
        return {name: _measured(row, measure, protocol) for name, row in firsts.items()}
    missing = [name for name in names if name not in given]
    if missing or set(given) - set(names):
        raise ValueError(f'latencies_of must name every row: {names}; it names {list(given)}')
    return dict(given)


def _measured(row: StreamRow, repeats: int, protocol: StreamProtocol) -> Latency:
    """The measured latency of a row that forecasts as far ahead as it takes to do so."""
    short = measure_latency(row, min(repeats, 3), protocol=protocol)
    steps = math.ceil(short.mean * frame_rate(row.config, protocol.fps) / row.stride)
    steps = max(1, min(steps, protocol.max_steps or steps))
    return measure_latency(row, repeats, steps, protocol)


def _own_table(
    rows: Sequence[StreamRow],
    own: Mapping[str, Latency],
    protocol: StreamProtocol,
    metrics: Sequence[str],
    out: Path | None,
) -> list[str]:
    """Every row at its own latency."""
    plain = [replace(row, factor=1, extra=0) for row in rows]
    table = evaluate_streams(plain, {name: [latency] for name, latency in own.items()}, protocol)
    if out is not None:
        write_latencies(out / 'latencies.json', own)
        for style, ending in (('text', 'txt'), ('markdown', 'md'), ('csv', 'csv')):
            (out / f'own.{ending}').write_text(long_table(table, metrics, style) + '\n')
    return [long_table(table, metrics)]


def _sentences(
    rows: Sequence[StreamRow],
    table: Sequence[Sequence[StreamScore]],
    seconds: Sequence[Fraction],
    metrics: Sequence[str],
) -> list[str]:
    """From which latency on forecasts are above each network, by metric."""
    names = dict(zip(seconds, column_names(seconds)))
    networks = dict.fromkeys(row.name for row in rows if row.horizon == 0)
    forecasts = dict.fromkeys(row.name for row in rows if row.horizon != 0)
    lines = []
    for metric in metrics:
        for network in networks:
            found = []
            for name in forecasts:
                first = first_ahead(table, seconds, metric, name, network)
                found.append(f'{name} {"nowhere" if first is None else f"from {names[first]} on"}')
            if found:
                lines.append(f'{metric} above {network}: {", ".join(found)}')
    return lines


def load_row_configs(
    config: str,
    segmentor: tuple[str, str] | None = None,
    models: Sequence[tuple[str, str, str]] = (),
    networks: Sequence[tuple[str, str, str, str]] = (),
    options: dict | None = None,
) -> dict:
    """The arguments ``config``, ``models`` and ``networks`` of :func:`stream_rows`, from files.

    Args:
        config: Path of the config of a forecaster.
        segmentor: Config of mmsegmentation and checkpoint, in place of the encoders of ``config`` and of
            ``models``.
        models: Name, config and checkpoint or 'none'.
        networks: Name, config (of mmsegmentation or of a forecaster), checkpoint or 'none', and factor.
        options: Dotted overrides of the configs of forecasters.
    """

    def over_segmentor(cfg: Config) -> Config:
        if segmentor is None:
            return cfg
        return with_segmentor(cfg, load_config(segmentor[0]), _path(segmentor[1]))

    base = load_config(config, options)

    def network(path: str, checkpoint: str) -> Config:
        cfg = load_config(path)
        if _is_forecaster(cfg):
            return load_config(path, options)
        return with_segmentor(base, cfg, _path(checkpoint))

    return dict(
        config=over_segmentor(base),
        models=[
            (name, over_segmentor(load_config(path, options)), _path(checkpoint))
            for name, path, checkpoint in models
        ],
        networks=[(name, network(path, checkpoint), factor) for name, path, checkpoint, factor in networks],
    )


def _is_forecaster(config: Config) -> bool:
    try:
        baselines_of(config)
    except ValueError:
        return False
    return True


def _path(checkpoint: str) -> str | None:
    return None if checkpoint == 'none' else checkpoint
