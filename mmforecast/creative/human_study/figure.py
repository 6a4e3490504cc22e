"""Liking against novelty: the figure of DeSIGN's study."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .answers import Answer
from .summary import bootstrap_interval, image_means

__all__ = ['liking_by_metric', 'liking_figure']


def liking_by_metric(
    answers: Sequence[Answer],
    key: Mapping[str, tuple[str, str]],
    metrics: Mapping[tuple[str, str], Mapping[str, float]],
    metric: str = 'NN distance',
    question: str = 'liking',
) -> list[dict]:
    """One row per set: the means of a metric and of a question over its images that have both.

    Returns:
        Rows with ``set``, ``images``, and of either the mean and the bounds of its 95 % bootstrap interval
        over images, ``<name>``, ``<name> low`` and ``<name> high``; and ``points``, (images, 2).

    Raises:
        ValueError: No image has both.
    """
    means = image_means(answers, question)
    by_set: dict[str, list[tuple[float, float]]] = {}
    for item, liked in means.items():
        value = metrics.get(key[item], {}).get(metric)
        if value is not None:
            by_set.setdefault(key[item][0], []).append((value, liked))
    if not by_set:
        raise ValueError(f'no image of the study has both {metric!r} and answers on {question}')
    rows = []
    for name, points in sorted(by_set.items()):
        row = dict(set=name, images=len(points), points=np.array(points))
        for column, label in enumerate((metric, question)):
            values = row['points'][:, column]
            low, high = bootstrap_interval(values)
            row |= {label: float(values.mean()), f'{label} low': low, f'{label} high': high}
        rows.append(row)
    return rows


def liking_figure(
    rows: Sequence[dict], path: Path, metric: str = 'NN distance', question: str = 'liking', title: str = ''
) -> None:
    """Draw :func:`liking_by_metric`: each image, and by set the mean with both intervals.

    Args:
        rows: See there.
        path: Of the picture.
        metric, question: As there.
        title: Above the axes.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.5, 4.4), layout='constrained')
    for number, row in enumerate(rows):
        color, center = f'C{number}', [row[name] for name in (metric, question)]
        axes.scatter(*row['points'].T, s=9, color=color, alpha=0.25)
        reach = [
            [[row[name] - row[f'{name} low']], [row[f'{name} high'] - row[name]]]
            for name in (metric, question)
        ]
        label = f'{row["set"]} ({row["images"]} images)'
        axes.errorbar(*center, xerr=reach[0], yerr=reach[1], fmt='o', color=color, capsize=3, label=label)
    axes.set(xlabel=f'{metric} to the training images', ylabel=question, title=title)
    axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
