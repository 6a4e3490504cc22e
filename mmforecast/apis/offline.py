"""Scores of a file of forecasts, without the network."""

from collections.abc import Iterator
from os import PathLike
from typing import Any

from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader
from tqdm import tqdm

from mmforecast.evaluation.results_file import read_results, restore_forecast

from .evaluate import SCOPE, build_loader

__all__ = ['evaluate_results', 'iterate_results']


def evaluate_results(cfg: Config, path: str | PathLike) -> dict[str, float]:
    """Score the forecasts that ``tools/test.py --out`` wrote.

    Args:
        cfg: The config that they were made with; only ``test_dataloader``, which gives the truth, and
            ``test_evaluator`` are read.
        path: The file.

    Returns:
        Metrics by name, equal to those of the test itself.

    Raises:
        ValueError: The file is broken, or of another data set.
        FileNotFoundError: There is no such file.
    """
    records = read_results(path)
    loader = build_loader(cfg)
    with DefaultScope.overwrite_default_scope(SCOPE):
        judge = Evaluator(cfg.test_evaluator)
    judge.dataset_meta = loader.dataset.metainfo
    for batch, forecasts in iterate_results(records, loader, path):
        judge.process(data_samples=forecasts, data_batch=batch)
    return judge.evaluate(len(loader.dataset))


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
    for batch in tqdm(loader, desc='score', leave=False, mininterval=1.0):
        try:
            forecasts = [restore_forecast(next(remaining), clip) for clip in batch['data_samples']]
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        yield batch, forecasts
