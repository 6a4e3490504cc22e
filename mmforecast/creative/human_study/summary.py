"""Summary of the answers: means with intervals by set, and correlations with metrics."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmforecast.utils.checks import check_not_empty

from .answers import Answer
from .questions import QUESTIONS

__all__ = ['bootstrap_interval', 'correlations', 'image_means', 'summarize']


def bootstrap_interval(
    values: Sequence[float], level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """The percentile interval of the mean, by drawing values with replacement.

    Args:
        values: One per image, at least one.
        level: Share of the resampled means inside.
        resamples: How many are drawn.
        seed: Of the draw.

    Raises:
        ValueError: There are no values.
    """
    values = np.asarray(values, np.float64)
    check_not_empty('bootstrap_interval', values=values)
    drawn = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    low, high = np.quantile(values[drawn].mean(1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def summarize(answers: Sequence[Answer], key: Mapping[str, tuple[str, str]], seed: int = 0) -> list[dict]:
    """One row per set: images, ratings, and by question the mean of the images' means.

    The interval in brackets is that of :func:`bootstrap_interval` over images, 95 %: how much another
    choice of images would change. It doesn't cover another choice of raters.

    Returns:
        Rows for ``format_table``, sets in the order of their names.
    """
    rows = []
    for name in sorted({name for name, _ in key.values()}):
        own = [answer for answer in answers if key[answer.item][0] == name and answer.values]
        row = dict(set=name, images=len({answer.item for answer in own}), ratings=len(own))
        for question in QUESTIONS:
            means = list(image_means(own, question.name).values())
            if means:
                low, high = bootstrap_interval(means, seed=seed)
                row[question.shown] = f'{np.mean(means):.2f} [{low:.2f}, {high:.2f}]'
        rows.append(row)
    return rows


def correlations(
    answers: Sequence[Answer],
    key: Mapping[str, tuple[str, str]],
    metrics: Mapping[tuple[str, str], Mapping[str, float]],
) -> list[dict]:
    """Pearson's r between metrics and mean answers, over the images of all sets.

    Args:
        answers: See :func:`read_answers`.
        key: See :func:`read_key`.
        metrics: See :func:`read_metrics`.

    Returns:
        One row per metric: ``images`` with both, and r by question; without r where fewer than three images
        have both or one of both is the same for all.

    Raises:
        ValueError: No image of the study has metrics.
    """
    by_item = {item: metrics[place] for item, place in key.items() if place in metrics}
    if not by_item:
        raise ValueError(
            'none of the images of the study is in the file of metrics: set and image must be '
            'named there as in the key'
        )
    rows = []
    for metric in dict.fromkeys(name for values in by_item.values() for name in values):
        row = dict(metric=metric, images=0)
        for question in QUESTIONS:
            means = image_means(answers, question.name)
            shared = [item for item in means if metric in by_item.get(item, ())]
            row['images'] = max(row['images'], len(shared))
            pairs = np.array([(by_item[item][metric], means[item]) for item in shared])
            if len(pairs) >= 3 and pairs.std(axis=0).min() > 1e-12:
                row[question.shown] = float(np.corrcoef(pairs.T)[0, 1])
        rows.append(row)
    return rows


def image_means(answers: Sequence[Answer], question: str) -> dict[str, float]:
    """The mean over raters by item, of the items with an answer."""
    values: dict[str, list[float]] = {}
    for answer in answers:
        if question in answer.values:
            values.setdefault(answer.item, []).append(answer.values[question])
    return {item: float(np.mean(given)) for item, given in values.items()}
