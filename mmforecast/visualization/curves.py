"""Curves of a score against how far ahead is forecast."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from mmforecast.utils.checks import check_not_empty

_MARKERS = 'osD^vPX'


def _figure(**settings):
    """A figure with a canvas for files; see matplotlib's ``Figure``."""
    # Here, because whoever forecasts a video needs no curves, and matplotlib takes half a second.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(**settings)
    FigureCanvasAgg(figure)
    return figure


def plot_metric_curve(
    path: str | PathLike,
    curves: Mapping[str, Sequence[tuple[float, float]]],
    ylabel: str = 'mIoU (%)',
    title: str | None = None,
    xlabel: str = 'seconds ahead',
    levels: Mapping[str, float] | None = None,
) -> None:
    """Plot one line per method and write it to ``path`` (PNG, SVG or PDF, by its ending).

    Args:
        path: File to write; missing folders are made.
        curves: Method name to its (time ahead, value) points. Points with a NaN value are left
            out; a method with one point is a mark.
        ylabel: Name and unit of the value.
        title: Heading, none if None.
        xlabel: Unit of the time.
        levels: Values that do not depend on the time, by name: dashed lines across.

    Raises:
        ValueError: No curve has a point.
    """
    points = {name: sorted((x, y) for x, y in values if not np.isnan(y)) for name, values in curves.items()}
    if not any(points.values()):
        raise ValueError('plot_metric_curve needs at least one point with a value')
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure = _figure(figsize=(7, 4.2), dpi=150, layout='constrained')
    axes = figure.add_subplot()
    for index, (name, values) in enumerate(points.items()):
        if values:
            marker = _MARKERS[index % len(_MARKERS)]
            axes.plot(*zip(*values, strict=True), label=name, marker=marker, linewidth=2, markersize=6)
    for name, value in (levels or {}).items():
        axes.axhline(value, color='#495057', linestyle='--', linewidth=1.2, label=name)
    seconds = sorted({x for values in points.values() for x, _ in values})
    if _far_apart(seconds):
        axes.set_xticks(seconds, [f'{second:.2f}'.rstrip('0').rstrip('.') for second in seconds])
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(axis='y', color='#dee2e6', linewidth=0.8)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(frameon=False)
    if title is not None:
        axes.set_title(title, loc='left')
    figure.savefig(path)


def _far_apart(seconds: Sequence[float]) -> bool:
    """Whether every point in time has room for a tick label of its own."""
    gaps = np.diff(seconds)
    return gaps.size == 0 or bool(gaps.min() > 0.07 * (seconds[-1] - seconds[0]))


def plot_training_curves(
    path: str | PathLike,
    panels: Sequence[Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]]],
    title: str | None = None,
    ylabels: Sequence[str] | None = None,
) -> None:
    """Plot curves against training iterations, panels below each other, and write them to ``path``.

    Args:
        path: File to write; missing folders are made.
        panels: By panel, name of a curve to its iterations, values, and smoothed values. Where those differ,
            the values are drawn faintly below them.
        title: Heading, none if None.
        ylabels: Of the panels.

    Raises:
        ValueError: There is no panel, or one without a curve.
    """
    check_not_empty('plot_training_curves', panels=panels)
    for panel in panels:
        check_not_empty('plot_training_curves', panel=panel)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure = _figure(figsize=(8, 1 + 3.2 * len(panels)), dpi=150, layout='constrained')
    rows = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, curves, ylabel in zip(rows, panels, ylabels or [None] * len(panels), strict=True):
        for index, (name, (steps, values, smoothed)) in enumerate(curves.items()):
            color = f'C{index % 10}'
            marker = _MARKERS[index % len(_MARKERS)] if len(steps) <= 30 else None
            if not np.array_equal(values, smoothed):
                axes.plot(steps, values, color=color, alpha=0.25, linewidth=1)
            axes.plot(steps, smoothed, color=color, label=name, marker=marker, linewidth=1.8)
        axes.set_ylabel(ylabel)
        axes.grid(axis='y', color='#dee2e6', linewidth=0.8)
        axes.spines[['top', 'right']].set_visible(False)
        axes.legend(frameon=False)
    rows[-1].set_xlabel('iteration')
    if title is not None:
        rows[0].set_title(title, loc='left')
    figure.savefig(path)


def plot_histograms(path: str | PathLike, panels: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Plot the distributions of several sets, panels beside each other, and write them to ``path``.

    Args:
        path: File to write; missing folders are made.
        panels: By name of the quantity and its unit, name of a set to its values. A panel ends at the
            percentiles 1 and 99 of all its values; each set has an area of 1.

    Raises:
        ValueError: There is no panel, or a set without values.
    """
    check_not_empty('plot_histograms', panels=panels)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure = _figure(figsize=(3.6 * len(panels), 3.4), dpi=130, layout='constrained')
    for axes, (quantity, sets) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items()):
        for name, values in sets.items():
            check_not_empty('plot_histograms', **{name.replace(' ', '_'): values})
        low, high = np.percentile(np.concatenate([np.asarray(values) for values in sets.values()]), [1, 99])
        bins = np.linspace(low, high if high > low else low + 1, 18)
        for name, values in sets.items():
            shown = np.clip(values, bins[0], bins[-1])
            axes.hist(shown, bins, density=True, histtype='step', linewidth=1.6, label=name)
        axes.set_xlabel(quantity)
        axes.set_yticks([])
        axes.spines[['top', 'right', 'left']].set_visible(False)
    names = figure.axes[0].get_legend_handles_labels()
    figure.legend(*names, loc='outside lower center', ncols=len(names[1]), frameon=False)
    figure.savefig(path)
