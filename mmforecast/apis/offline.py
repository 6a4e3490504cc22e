"""Scores of a file of forecasts, without the network."""

from collections.abc import Iterator
from os import PathLike
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from mmforecast.evaluation.metrics.clips import sum_counts
from mmforecast.evaluation.results_file import read_results, restore_forecast
from mmforecast.utils.progress import progress_bar

from .evaluate import SCOPE, build_loader

__all__ = ['confusion_of_results', 'evaluate_results', 'iterate_results']


def evaluate_results(cfg: Config, path: str | PathLike) -> dict[str, float]:
    """Score the forecasts that ``tools/test.py --out`` wrote.

    Args:
        cfg: The config that they were made with; only ``test_dataloader``, which gives the truth, and
            ``test_evaluator`` are read.
        path: The file.

    Returns:
        Metrics by name, equal to those of the test itself.

    Raises:
        ValueError: The file is broken, or of another dataset.
        FileNotFoundError: There is no such file.
    """
    records = read_results(path)
    judge, loader = _evaluator_and_loader(cfg)
    for batch, forecasts in iterate_results(records, loader, path):
        judge.process(data_samples=forecasts, data_batch=batch)
    return judge.evaluate(len(loader.dataset))


def confusion_of_results(
    cfg: Config, path: str | PathLike, reference: bool = False
) -> tuple[tuple[str, ...], np.ndarray]:
    """Confusion counts of the forecasts that ``tools/test.py --out`` wrote.

    Args:
        cfg: As for :func:`evaluate_results`. Its ``test_evaluator`` holds FutureSemSegMetric, or
            CityscapesInstanceMetric for the label maps that instances paint.
        path: The file.
        reference: Count against the network's own output on the true frames instead of the labels.

    Returns:
        The names of the C classes, and int64 (n, C, C + 1) by step: pixels by true class (row) and forecast
        class (column), of which the last is "no class".

    Raises:
        ValueError: No metric of the config counts, there is nothing to count, or see :func:`evaluate_results`.
    """
    records = read_results(path)
    judge, loader = _evaluator_and_loader(cfg)
    metric = next((metric for metric in judge.metrics if hasattr(metric, 'confusion_classes')), None)
    if metric is None:
        raise ValueError(
            "the config's test_evaluator counts no classes: a confusion matrix needs FutureSemSegMetric or "
            'CityscapesInstanceMetric'
        )
    for batch, forecasts in iterate_results(records, loader, path):
        judge.process(data_samples=forecasts, data_batch=batch)
    kinds = ('SEG', 'REF') if reference else ('GT',)
    counts = next((sum_counts(metric.results, k) for k in kinds if any(k in r for r in metric.results)), None)
    if counts is None:
        raise ValueError(
            f'{path} has no {"reference, which test_cfg.reference=True adds" if reference else "labels"} to '
            'count against'
        )
    return metric.confusion_classes, counts


def _evaluator_and_loader(cfg: Config) -> tuple[Evaluator, DataLoader]:
    loader = build_loader(cfg)
    with DefaultScope.overwrite_default_scope(SCOPE):
        judge = Evaluator(cfg.test_evaluator)
    judge.dataset_meta = loader.dataset.metainfo
    return judge, loader


def iterate_results(
    records: list[dict], loader: DataLoader, path: str | PathLike
) -> Iterator[tuple[dict[str, Any], list]]:
    """The batches of a loader with their forecasts, see :func:`restore_forecast`.

    Args:
        records: Of :func:`read_results`.
        loader: Of the config's test data, in order.
        path: Of the file, for errors.
    """
    if len(records) != len(loader.dataset):
        raise ValueError(
            f"{path} holds {len(records)} forecasts, but the config's test data have {len(loader.dataset)} "
            'clips: score it with the config, the --cfg-options and the data that it was made with'
        )
    remaining = iter(records)
    for batch in progress_bar(loader, desc='score'):
        try:
            forecasts = [restore_forecast(next(remaining), clip) for clip in batch['data_samples']]
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        yield batch, forecasts
