"""The table and the plot of scores under latency: rows of a config, their sweep, their own latencies."""

import copy
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from os import PathLike
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmforecast.evaluation.functional.streaming import Latency
from mmforecast.evaluation.score_style import score_style
from mmforecast.evaluation.table import format_table
from mmforecast.visualization import plot_metric_curve

from .compare import baseline_entries, baselines_of
from .stream_protocol import StreamRow, StreamScore

__all__ = [
    'UPPER_BOUND',
    'baseline_rows',
    'first_ahead',
    'long_table',
    'network_name',
    'network_row',
    'read_latencies',
    'save_stream_plot',
    'save_times',
    'sweep_table',
    'with_segmentor',
    'write_latencies',
]

UPPER_BOUND = 'without latency'

# What a network without forecasting is called, by its encoder.
_NETWORKS = dict(
    DetectorEncoder='detector',
    DetectorMapEncoder='detector',
    DistanceMapEncoder='detector',
    InstanceMapEncoder='true instances',
    LabelMapEncoder='true labels',
    PrecomputedEncoder='segmentor',
    SegmentorEncoder='segmentor',
)


def with_segmentor(config: Config, segmentor: Config, checkpoint: str | None) -> Config:
    """A copy of an S2S config over another segmentor, whose scores are forecast at the size of the frames.

    Args:
        config: Of an ``S2SForecaster``.
        segmentor: A config of mmsegmentation, of which ``model`` is used.
        checkpoint: Its weights.
    """
    config = copy.deepcopy(config)
    model = segmentor.model.to_dict()
    config.model.encoder = dict(type='SegmentorEncoder', segmentor=model, checkpoint=checkpoint, stride=1)
    return config


def network_name(config: Config) -> str:
    """The name of a config's network without forecasting; 'true labels' or 'true instances' where none is."""
    return ' + '.join(dict.fromkeys(_encoder_names(config.model.encoder)))


def _encoder_names(encoder: Mapping) -> list[str]:
    within = [
        value for value in encoder.values() if isinstance(value, Mapping) and _kind(value).endswith('Encoder')
    ]
    if within:  # of a CachedEncoder, or of one of several parts
        return [name for value in within for name in _encoder_names(value)]
    if _kind(encoder) == 'DistanceMapEncoder' and not encoder.get('detector'):
        return ['true instances']
    return [_NETWORKS.get(_kind(encoder), 'network')]


def _kind(config: Mapping) -> str:
    """The name of the class that a config builds."""
    kind = config.get('type', '')
    return str(getattr(kind, '__name__', kind)).rpartition('.')[2]


def network_row(config: Config, name: str | None = None, factor: str | float = 1) -> StreamRow:
    """The network of a config without forecasting, at ``factor`` times the latency of the table."""
    (entry,) = baseline_entries(config, ['copy-last'])
    name = network_name(config) if name is None else name
    return StreamRow(name, config, model=entry.model, horizon=0, factor=factor)


def baseline_rows(
    config: Config, names: Sequence[str] | None = None, horizon: str | int = 'query'
) -> list[StreamRow]:
    """Baselines of the forecaster of a config; by default all but the oracle, which knows the future."""
    if names is None:
        names = [name for name in baselines_of(config) if name != 'oracle']
    entries = baseline_entries(config, names)
    return [StreamRow(entry.name, config, model=entry.model, horizon=horizon) for entry in entries]


def sweep_table(
    table: Sequence[Sequence[StreamScore]],
    latencies: Sequence[Fraction],
    metrics: Sequence[str],
    bound: StreamScore,
    style: str = 'text',
) -> str:
    """Scores by method (row) and latency (column); rows of the same name are seeds.

    Args:
        table: Of ``evaluate_streams``.
        latencies: Seconds, one per column of ``table``.
        metrics: Of which those that were computed are shown, each at all latencies.
        bound: The network without latency, which is shown in every column.
        style: Of :func:`~mmforecast.evaluation.table.format_table`.
    """
    names = column_names(latencies)
    known = [metric for metric in metrics if metric in bound.scores]
    rows: dict[str, dict] = {}
    for scores in table:
        row = rows.setdefault(scores[0].name, dict(method=scores[0].name))
        for name, score in zip(names, scores, strict=True):
            for metric in known:
                row.setdefault(f'{metric} @{name}', []).append(score.scores[metric])
    cells = {f'{metric} @{name}': [bound.scores[metric]] for metric in known for name in names}
    lines = [{'method': UPPER_BOUND, **cells}, *rows.values()]
    lines = [{key: _single(value) for key, value in line.items()} for line in lines]
    styles = {column: score_style(column.split(' @')[0]) for column in cells}
    return format_table(
        lines,
        ['method', *cells],
        style,
        decimals={column: score.decimals for column, score in styles.items()},
        best={column: score.best for column, score in styles.items()},
        unranked=(UPPER_BOUND,),
    )


def _single(value: str | list[float]) -> str | float | list[float]:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def column_names(latencies: Sequence[Fraction]) -> list[str]:
    """Names of latencies in milliseconds, with as many digits as tell them apart."""
    for digits in range(6):
        names = [f'{1000 * float(latency):.{digits}f} ms' for latency in latencies]
        if len(set(names)) == len(set(latencies)):
            break
    return names


def long_table(table: Sequence[Sequence[StreamScore]], metrics: Sequence[str], style: str = 'text') -> str:
    """One line per method and latency: the scores, and how late the outputs were."""
    lines = [
        {
            'method': score.name,
            'latency (ms)': 1000 * float(score.latency.mean),
            **{metric: score.scores[metric] for metric in metrics if metric in score.scores},
            'outputs': sum(map(len, score.outputs.values())),
            'queries': score.summary.queries,
            'misses': score.summary.misses,
            'in time': score.summary.in_time,
            'mean lag (frames)': None if score.summary.mean_lag is None else float(score.summary.mean_lag),
            'beyond horizon': score.beyond,
        }
        for scores in table
        for score in scores
    ]
    decimals = {metric: score_style(metric).decimals for metric in metrics}
    return format_table(lines, style=style, decimals={**decimals, 'mean lag (frames)': 3})


def first_ahead(
    table: Sequence[Sequence[StreamScore]],
    latencies: Sequence[Fraction],
    metric: str,
    name: str,
    other: str,
) -> Fraction | None:
    """The latency from which one method is above another, up to the longest; None where it is not above there.

    Args:
        table, latencies: As for :func:`sweep_table`.
        metric: Of which more is better; means over seeds.
        name, other: Names of rows.
    """
    ours, theirs = (_means(table, metric, which) for which in (name, other))
    first = None
    for index in sorted(range(len(latencies)), key=latencies.__getitem__, reverse=True):
        if not ours[index] > theirs[index]:
            break
        first = latencies[index]
    return first


def _means(table: Sequence[Sequence[StreamScore]], metric: str, name: str) -> np.ndarray:
    """(latencies,) scores of a row, the mean over seeds."""
    return np.mean([[s.scores[metric] for s in scores] for scores in table if scores[0].name == name], axis=0)


def save_stream_plot(
    path: str | PathLike,
    table: Sequence[Sequence[StreamScore]],
    latencies: Sequence[Fraction],
    metric: str,
    bound: StreamScore,
) -> None:
    """Plot a score against the latency of the table, with the score without latency as a dashed line."""
    names = dict.fromkeys(scores[0].name for scores in table)
    milliseconds = [float(name.split()[0]) for name in column_names(latencies)]
    curves = {name: list(zip(milliseconds, _means(table, metric, name).tolist())) for name in names}
    label = score_style(metric).label(f'streaming {metric}')
    levels = {UPPER_BOUND: bound.scores[metric]}
    plot_metric_curve(path, curves, ylabel=label, xlabel='latency (ms)', levels=levels)


def save_times(path: str | PathLike, table: Sequence[Sequence[StreamScore]]) -> None:
    """Write what was finished when, in exact seconds: by method a list over latencies, and by stream.

    An output is ``[input frame, start, end]``, the frame and the times counted from the stream's first frame.
    """
    times: dict[str, list] = {}
    for scores in table:
        times[scores[0].name] = [
            {
                'latency': [str(sample) for sample in score.latency.samples],
                'outputs': {
                    stream: [[out.frame, str(out.started), str(out.finished)] for out in outputs]
                    for stream, outputs in score.outputs.items()
                },
            }
            for score in scores
        ]
    Path(path).write_text(json.dumps(times) + '\n')


def write_latencies(path: str | PathLike, latencies: Mapping[str, Latency]) -> None:
    """Write latencies by method, in exact seconds, for :func:`read_latencies`."""
    samples = {name: [str(sample) for sample in latency.samples] for name, latency in latencies.items()}
    Path(path).write_text(json.dumps(samples, indent=1) + '\n')


def read_latencies(path: str | PathLike) -> dict[str, Latency]:
    """Latencies by method: a JSON object of a number of seconds, or a list of measured ones, by name.

    Raises:
        ValueError: The file holds something else.
    """
    try:
        content = json.loads(Path(path).read_text())
        return {name: Latency(samples) for name, samples in content.items()}
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f'{path}: latencies are a JSON object of seconds by method, such as '
            f'{{"flow": 0.06, "detector": ["1/20", "3/50"]}}: {error}'
        ) from error
