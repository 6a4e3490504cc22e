"""Pictures of confusion matrices."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmforecast.fileio import partial_file

__all__ = ['plot_confusion_matrix']

_MAX_SIDE = 30.0  # inches


def plot_confusion_matrix(
    path: str | PathLike,
    shares: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str | None = None,
    color_theme: str = 'Blues',
) -> None:
    """Draw a confusion matrix and write it to ``path``, a PNG; missing folders are made.

    Args:
        path: File to write.
        shares: (R, C), percent of each row; a row of NaN, a class that does not occur, stays gray.
        rows: Names of the true classes.
        columns: Names of the forecast classes.
        title: Heading, none if None.
        color_theme: Colormap of matplotlib.

    Raises:
        ValueError: The names do not fit the matrix, or the colormap is unknown.
    """
    if color_theme not in colormaps:
        raise ValueError(f"matplotlib has no colormap {color_theme!r}; 'Blues' and 'viridis' are two it has")
    if shares.shape != (len(rows), len(columns)):
        raise ValueError(
            f'plot_confusion_matrix: shares are {shares.shape}, but there are {len(rows)} names of rows and '
            f'{len(columns)} of columns'
        )
    width, height = (min(2.6 + 0.52 * len(names), _MAX_SIDE) for names in (columns, rows))
    figure = Figure(figsize=(width + 0.6, height), dpi=130, layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_facecolor('#e9ecef')
    image = axes.imshow(shares, cmap=color_theme, vmin=0, vmax=100, aspect='auto')
    figure.colorbar(image, ax=axes, label='% of the true pixels', fraction=0.04, pad=0.02)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha='right', rotation_mode='anchor')
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel('forecast class')
    axes.set_ylabel('true class')
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which='minor', color='white', linewidth=1)
    axes.tick_params(which='minor', length=0)
    for row, column in zip(*np.nonzero(shares >= 0.5), strict=True):
        share = shares[row, column]
        color = 'white' if np.mean(image.cmap(share / 100)[:3]) < 0.6 else '#212529'
        axes.text(column, row, f'{share:.0f}', ha='center', va='center', color=color, fontsize=8)
    if title is not None:
        axes.set_title(title, loc='left')
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with partial_file(path) as partial:
        figure.savefig(partial, format='png')
