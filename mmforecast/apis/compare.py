"""One table for any list of trained forecasters and the baselines, on the same clips and horizons."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from mmforecast.evaluation.score_style import score_style
from mmforecast.evaluation.table import Cell, format_table, table_cells
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.registry import MODELS
from mmforecast.structures import ForecastDataSample
from mmforecast.utils.source_configs import first_source
from mmforecast.visualization import plot_metric_curve

from .evaluate import SCOPE, build_forecaster, build_loader, evaluate, replace_parts, with_horizon

# In the order of a table's columns, and each with a curve.
METRICS = (
    *('PQ', 'PQ-things', 'PQ-stuff', 'SQ', 'RQ'),
    *('AP50', 'AP', 'NO-AP50', 'NO-AP50-const', 'mIoU', 'IoU-MO', 'IDF1', 'MOTA'),
    *(
        f'{score}{area}'
        for area in ('', '-MO', '-MO-given', '-iclr16', '-iclr16-flow')
        for score in ('PSNR', 'SSIM', 'sharpness', 'energy')
        if score != 'energy' or 'iclr16' not in area
    ),
    'LPIPS',
)

# Columns that compare_costs.add_costs fills, and the digits after the point that a table shows.
COSTS = {'GMAC': 2, 'training, min': 0}


@dataclass
class Entry:
    """A row to be: a config with its checkpoint, or with ``model`` put in place of keys of the config's.

    Entries of the same name are seeds of one method; their scores are reported as mean ± deviation.
    """

    name: str
    config: Config
    checkpoint: str | None = None
    model: dict | None = None


# Does the runs of (position of the entry, steps), and gives them in this order.
RunAll = Callable[[Sequence[Entry], Sequence[tuple[int, int]], Callable | None], Iterable['Run']]


def baselines_of(config: Config) -> dict[str, dict]:
    """The baselines of the forecaster of ``config``, by name: what they change in its model."""
    kind = config.model.type
    if isinstance(kind, str):  # a pure-Python config gives the class
        kind = MODELS.get(kind)
    if not isinstance(kind, type) or not issubclass(kind, BaseForecaster):
        raise ValueError(
            f'the model of the config is {config.model.type!r}, which has no baselines; give a '
            'config whose model is a forecaster'
        )
    return kind.baselines


def baseline_entries(config: Config, names: Sequence[str] | None = None) -> list[Entry]:
    """Entries of the baselines ``names``, by default all, on the data and the encoder of ``config``."""
    baselines = baselines_of(config)
    names = list(baselines) if names is None else names
    unknown = sorted(set(names) - set(baselines))
    if unknown:
        raise ValueError(f'unknown baselines {unknown}; choose from {list(baselines)}')
    return [Entry(name, config, model=baselines[name]) for name in names]


def apply_baseline(config: Config, name: str) -> None:
    """Put the baseline ``name`` in the place of the forecaster of ``config``; in place."""
    (entry,) = baseline_entries(config, [name])
    # Named with the scope, which the config's own default may differ from.
    parts = {key: _with_scope(part) for key, part in entry.model.items()}
    config.model = replace_parts(config.model.to_dict(), parts)


def _with_scope(part: dict) -> dict:
    """A part's config with the scope in its type, and in those of the parts within it."""
    scoped = {key: _with_scope(value) if isinstance(value, dict) else value for key, value in part.items()}
    return {**scoped, 'type': f'{SCOPE}.{part["type"]}'}


def with_baselines(config: Config, models: Sequence[Entry], names: Sequence[str] | None = None) -> list[Entry]:
    """Entries of a whole table: the baselines ``names`` of ``config``, by default all, then ``models``, then
    the oracle, where it is among the baselines.
    """
    names = list(baselines_of(config)) if names is None else names
    first = baseline_entries(config, [name for name in names if name != 'oracle'])
    return [*first, *models, *baseline_entries(config, [n for n in names if n == 'oracle'])]


def compare(
    entries: Sequence[Entry],
    horizons: Sequence[int],
    on_sample: Callable[[str, int, ForecastDataSample, torch.Tensor], None] | None = None,
    run_all: RunAll | None = None,
) -> list[dict]:
    """Evaluate all entries on all horizons.

    Args:
        entries: rows; all must have the same test clips.
        horizons: Numbers of roll-out steps, each a run of its own, scored at its last step.
        on_sample: Called with the entry's name, the horizon, a sample with its forecast and the clip.
        run_all: Does the runs; by default this process, one after another. See
            :func:`~.compare_by_workers.run_by_workers`.

    Returns:
        One dict per method: 'method', 'parameters' (of the predictor), 'steps' (the horizons that it has) and
        the scores, a float or a list of one float per seed. A cell is missing where the entry can't forecast
        just that far; the reason is then in 'note'. 'curves' has, by (metric, horizon), the (time, score)
        points of every step, one list per seed; times are in 'unit': seconds, or steps where the data have
        no frame rate in common.
    """
    rows: dict[str, dict] = {}
    clips: dict[int, list] = {}
    failures: Counter[int] = Counter()
    jobs = [(place, steps) for place in range(len(entries)) for steps in sorted(horizons)]
    for (place, steps), run in zip(jobs, (run_all or _run_here)(entries, jobs, on_sample), strict=True):
        name = entries[place].name
        row = rows.setdefault(name, dict(method=name, steps=set(), curves={}))
        if run.error is not None:
            failures[place] += 1
            if failures[place] == len(horizons):
                raise ValueError(run.error)
            row['note'] = run.error
            continue
        row['parameters'] = run.parameters
        row['steps'].add(steps)
        _check_same_clips(clips, steps, name, run.clips)
        _enter(row, run.scores(), steps, run.step_seconds)
    return [_flatten(row) for row in rows.values()]


@dataclass
class Run:
    """What an entry makes of a horizon.

    Attributes:
        error: Why the entry cannot forecast just that far; None where it can.
        parameters: Of its predictor.
        clips: Sequence and target frames of each.
        step_seconds: Seconds of a step, where the data have a frame rate in common.
        scores: Gives the scores; it is called once, after the clips are known to be the right ones.
    """

    error: str | None = None
    parameters: int = 0
    clips: list = field(default_factory=list)
    step_seconds: float | None = None
    scores: Callable[[], dict[str, float]] = dict


def start_run(entry: Entry, steps: int, on_sample: Callable | None = None) -> Run:
    """Build what a run needs; its scores are computed when they are asked for.

    Random numbers that a model draws do not depend on the runs before.

    Args:
        entry: The row.
        steps: Of the roll-out.
        on_sample: As for :func:`compare`.
    """
    cfg = with_horizon(entry.config, steps)
    seed = partial(torch.manual_seed, 0)
    with torch.random.fork_rng(devices=[]):
        seed()
        try:
            model = build_forecaster(cfg, entry.checkpoint, entry.model)
        except ValueError as error:
            return Run(str(error))
    loader = build_loader(cfg)
    hook = None if on_sample is None else _bind(on_sample, entry.name, steps)

    def scores() -> dict[str, float]:
        with torch.random.fork_rng(devices=[]):
            seed()
            return evaluate(model, loader, cfg.test_evaluator, f'{entry.name}, {steps} steps', hook)

    stride = first_source(cfg.test_dataloader.dataset).get('stride', 1)
    fps = loader.dataset.metainfo.get('fps')
    return Run(
        parameters=sum(p.numel() for p in model.predictor.parameters()),
        clips=_clips_of(loader.dataset),
        step_seconds=stride / fps if fps else None,
        scores=scores,
    )


def _run_here(
    entries: Sequence[Entry], jobs: Sequence[tuple[int, int]], on_sample: Callable | None
) -> Iterator[Run]:
    for place, steps in jobs:
        yield start_run(entries[place], steps, on_sample)


def _enter(row: dict, scores: dict[str, float], steps: int, step_seconds: float | None) -> None:
    """Put the scores of one run into its row: the last step into the table, all steps into curves."""
    row['unit'] = 'seconds' if step_seconds else 'steps'
    horizon = f'{steps * step_seconds:.2f}s' if step_seconds else f'{steps} step{"s" if steps > 1 else ""}'
    curves: dict[str, list] = {}
    for key, value in scores.items():
        kind, _, metric = key.rpartition('/')
        if 't+' not in kind:
            row.setdefault(f'{key} @{horizon}', []).append(value)
        elif kind.startswith('t+'):
            curves.setdefault(metric, []).append((int(kind[2:]) * (step_seconds or 1), value))
    for metric, points in curves.items():
        row['curves'].setdefault((metric, steps), []).append(points)


def comparison_columns(rows: Sequence[dict], metrics: Sequence[str] = METRICS) -> list:
    """Columns of a comparison in reading order: method, parameters, costs, then by horizon the ``metrics``."""
    found = dict.fromkeys(key for row in rows for key in row)
    times = dict.fromkeys(key.split(' @')[1] for key in found if ' @' in key)
    scores = [f'{metric} @{time}' for time in times for metric in metrics]
    return ['method', 'parameters', *(key for key in (*COSTS, *scores) if key in found)]


def comparison_table(rows: Sequence[dict], columns: Sequence[str], style: str = 'text') -> str:
    """A comparison by ``format_table``, each score with its digits; bold, in Markdown: see save_comparison."""
    return format_table(rows, columns, style, **table_style(columns))


def comparison_cells(rows: Sequence[dict], columns: Sequence[str]) -> list[list[Cell]]:
    """The cells of :func:`comparison_table`, row by row."""
    return table_cells(rows, columns, **table_style(columns))


def table_style(columns: Sequence[str]) -> dict:
    """How a table shows the scores of these columns: arguments of ``format_table``."""
    styles = {column: score_style(column.split(' @')[0]) for column in columns if '@' in column}
    return dict(
        decimals={**COSTS, **{column: score.decimals for column, score in styles.items()}},
        best={column: score.best for column, score in styles.items()},
        unranked=('oracle',),
    )


def save_comparison(rows: Sequence[dict], columns: Sequence[str], folder: Path) -> None:
    """Write ``table.txt``, ``.md`` (the best score but the oracle's in bold), ``.csv``, ``.json``, and curves.

    ``table.json`` has the score of every seed, for :func:`~.merge_comparisons.read_comparison`.
    ``curve_<metric>.png`` shows the metric against the time ahead, at every step of the longest horizon.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for style, ending in (('text', 'txt'), ('markdown', 'md'), ('csv', 'csv')):
        (folder / f'table.{ending}').write_text(comparison_table(rows, columns, style) + '\n')
    shown = [{key: row[key] for key in columns if key in row} for row in rows]
    (folder / 'table.json').write_text(json.dumps(shown, indent=1) + '\n')
    longest = longest_horizon(rows)
    if longest > 1:
        for metric in METRICS:
            _plot(rows, metric, longest, folder / f'curve_{metric}.png')


def longest_horizon(rows: Sequence[dict]) -> int:
    """Steps of the longest forecast that a comparison has curves of; 1 where there are none."""
    return max((key[1] for row in rows for key in row['curves']), default=1)


def _plot(rows: Sequence[dict], metric: str, steps: int, path: Path) -> None:
    """The metric against the time ahead, mean over seeds, of every method that goes ``steps`` far."""
    curves = {}
    for row in rows:
        seeds = row['curves'].get((metric, steps))
        if seeds:
            mean = np.mean(np.array(seeds), axis=0)
            curves[row['method']] = [(float(x), float(y)) for x, y in mean]
    if curves:
        label, unit = score_style(metric).label(metric), rows[0].get('unit', 'seconds')
        plot_metric_curve(path, curves, ylabel=label, xlabel=f'{unit} ahead')


def _bind(on_sample, name: str, steps: int):
    return lambda sample, clip: on_sample(name, steps, sample, clip)


def _flatten(row: dict) -> dict:
    return {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in row.items()}


def _clips_of(dataset) -> list[tuple]:
    infos = map(dataset.get_data_info, range(len(dataset)))
    return [(info['sequence_id'], tuple(info['frame_indices'][info['num_past'] :])) for info in infos]


def _check_same_clips(clips: dict[int, list], steps: int, name: str, targets: list) -> None:
    """Scores on different clips can't stand in one table."""
    first = clips.setdefault(steps, targets)
    if first != targets:
        raise ValueError(
            f'{name} is evaluated on other clips than the entries before it '
            f'({len(targets)} against {len(first)}, or other frames); give all configs '
            'the same test data, stride and anchor'
        )
