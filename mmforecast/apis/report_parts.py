"""Parts of a report, from the results of a comparison."""

import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

import mmforecast
from mmforecast.evaluation.score_style import explain_score, score_style
from mmforecast.utils.check_env import installed_versions
from mmforecast.utils.source_configs import first_source
from mmforecast.visualization.report import (
    Chart,
    ConfigView,
    Group,
    Metric,
    Row,
    Series,
    Table,
    TableCell,
    line_chart,
)

from .compare import comparison_cells, longest_horizon

__all__ = [
    'charts_of',
    'config_view',
    'data_sentence',
    'environment',
    'meanings_of',
    'styled_series',
    'table_of',
]

_PACKAGES = ('torch', 'mmengine', 'mmcv', 'mmdet', 'mmsegmentation', 'numpy')


def styled_series(rows: Sequence[dict]) -> dict[str, Series]:
    """A line without points for each method: its color, dash and marker. The oracle's is gray."""
    names = [row['method'] for row in rows if row['method'] != 'oracle']
    styles = {name: index for index, name in enumerate(names)}
    return {row['method']: Series(row['method'], [], styles.get(row['method'])) for row in rows}


def charts_of(
    rows: Sequence[dict], metrics: Sequence[str], series: dict[str, Series]
) -> tuple[list[Chart], list[Series]]:
    """A chart of each metric that was measured at every step of the longest horizon.

    Returns:
        The charts, and the lines that stand in any of them; none where only one step is forecast.
    """
    longest = longest_horizon(rows)
    if longest == 1:
        return [], []
    charts, shown = [], {}
    for metric in metrics:
        lines = []
        for row in rows:
            seeds = row['curves'].get((metric, longest))
            if seeds:
                name = row['method']
                lines.append(Series(name, _over_seeds(seeds), series[name].style))
                shown[name] = series[name]
        points = [y for line in lines for _, y, _ in line.points]
        if points and not np.isnan(points).all():
            style, unit = score_style(metric), rows[0].get('unit', 'seconds')
            label = style.label(metric)
            charts.append(Chart(metric, line_chart(lines, f'{unit} ahead', label, style.decimals)))
    return charts, [one for name, one in series.items() if name in shown]


def _over_seeds(seeds: Sequence) -> list[tuple[float, float, float | None]]:
    """(time, mean, deviation) of curves of (time, score), one per seed."""
    values = np.array(seeds, dtype=np.float64)
    spread = values[..., 1].std(axis=0, ddof=1).tolist() if len(values) > 1 else [None] * len(values[0])
    return [(float(x), float(y), s) for (x, y), s in zip(values.mean(axis=0), spread)]


def table_of(rows: Sequence[dict], columns: Sequence[str], series: dict[str, Series]) -> Table:
    """The comparison's table, its scores grouped by the time ahead."""
    lead = [column for column in columns if ' @' not in column]
    times = dict.fromkeys(column.split(' @')[1] for column in columns if ' @' in column)
    groups = []
    for time in times:
        names = [c.split(' @')[0] for c in columns if c.endswith(f' @{time}')]
        styles = [score_style(name) for name in names]
        metrics = [Metric(name, style.unit, style.best) for name, style in zip(names, styles)]
        groups.append(Group(time.removesuffix('s') + ' s' if time[-2:-1].isdigit() else time, metrics))
    ordered = [*lead, *(f'{m.name} @{t}' for t, g in zip(times, groups) for m in g.metrics)]
    starts = set(np.cumsum([len(lead), *(len(group.metrics) for group in groups)]).tolist())
    table = Table(lead, groups, [])
    for row, cells in zip(rows, comparison_cells(rows, ordered)):
        texts = [_thousands(row.get(c), cell.text) for c, cell in zip(ordered, cells)]
        shown = [
            TableCell(text, cell.best, index in starts) for index, (text, cell) in enumerate(zip(texts, cells))
        ]
        table.rows.append(Row(texts[0], shown[1:], series.get(row['method'])))
    table.has_oracle = any(row['method'] == 'oracle' for row in rows)
    table.has_seeds = any(isinstance(row.get(c), list) for row in rows for c in ordered[1:])
    return table


def _thousands(value: object, text: str) -> str:
    return f'{value:,}' if isinstance(value, int) else text


def meanings_of(metrics: Sequence[str]) -> list[tuple[str, str]]:
    """Each metric with its line of plain words, of those that have one."""
    found = [(metric, explain_score(metric)) for metric in metrics]
    return [(metric, text[0].upper() + text[1:]) for metric, text in found if text]


def data_sentence(cfg: Config, dataset, horizons: Sequence[int]) -> str:
    """What was forecast: clips, past frames and times ahead."""
    settings = first_source(cfg.test_dataloader.dataset)
    fps, stride, past = dataset.metainfo.get('fps'), settings.get('stride', 1), settings.num_past
    unit = (lambda n: f'{n * stride / fps:.2f} s') if fps else (lambda n: f'{n} step' + 's' * (n > 1))
    ahead = ' and '.join(unit(steps) for steps in sorted(horizons))
    where = ', '.join(str(settings[key]) for key in ('data_root', 'split') if settings.get(key) is not None)
    kind = settings.type if isinstance(settings.type, str) else settings.type.__name__
    gap = f', {stride / fps:.2f} s apart' if fps else ''
    return (
        f'Data: {len(dataset)} clips of {kind} ({where}). From {past} past frames{gap}, '
        f'each method forecasts {ahead} ahead.'
    )


def config_view(name: str, cfg: Config) -> ConfigView:
    """A config's own text, and it with all that it inherits."""
    path = str(cfg.filename or '')
    own = Path(path).read_text(encoding='utf-8') if path and Path(path).is_file() else ''
    return ConfigView(name, path, own, cfg.pretty_text)


def environment() -> list[tuple[str, str]]:
    """What this process runs on: versions, revision, device and command."""
    found = [('mmforecast', f'{mmforecast.__version__}{_revision()}')]
    found.append(('Python', platform.python_version()))
    versions = installed_versions(_PACKAGES)
    found += [(name, versions[name]) for name in _PACKAGES if versions[name] is not None]
    if torch.cuda.is_available():
        device = f'{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}'
    else:
        device = f'CPU, {torch.get_num_threads()} thread' + 's' * (torch.get_num_threads() > 1)
    found += [('Device', device), ('System', f'{platform.system()} {platform.machine()}')]
    return [*found, ('Command', shlex.join(sys.argv))]


def _revision() -> str:
    """Of the checkout that the package lies in, if it is one."""
    root = Path(mmforecast.__file__).resolve().parents[1]
    if not (root / '.git').exists():
        return ''

    def git(*arguments: str) -> str:
        command = ['git', '-C', str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = ', with changes' if git('status', '--porcelain', '--untracked-files=no') else ''
        return f' (git {git("rev-parse", "--short", "HEAD")}{changed})'
    except (OSError, subprocess.CalledProcessError):
        return ''
