"""Existing metrics on the pairs of a stream: one output against the truth of one frame."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmengine.structures import InstanceData, PixelData

from mmforecast.registry import METRICS
from mmforecast.structures import ForecastDataSample

from .metrics import FramePredictionMetric, TrackingMetric

__all__ = ['NO_CLASS', 'StreamScorer', 'forecast_of_step', 'missing_forecast', 'query_sample']

# By field of a map, the value of pixels of which nothing is said; they are errors, not ignored. A metric of
# another kind of map needs an entry here to be scored at queries without an output.
NO_CLASS: dict[str, int] = dict(pred_sem_seg=255, pred_panoptic=0)


def forecast_of_step(sample: ForecastDataSample, step: int, prefix: str = 'pred_') -> dict[str, Any]:
    """The forecast of one step, as the fields of a forecast of one step.

    Args:
        sample: Has a forecast of n steps.
        step: 0-based.
        prefix: Of the fields that are read, 'pred_' or 'ref_'; the result has 'pred_'.
    """
    fields = {}
    for name, value in sample.items():
        if name.startswith(prefix):
            if isinstance(value, PixelData):
                value = PixelData(data=value.data[step : step + 1])
            else:  # a list or a tensor over steps
                value = value[step : step + 1]
            fields[f'pred_{name[len(prefix) :]}'] = value
    return fields


def missing_forecast(like: Mapping[str, Any]) -> dict[str, Any]:
    """The forecast of a query without an output: no class on any pixel, and no instance.

    Args:
        like: A forecast of one step by the same system, for its fields and sizes. Frames are left out.

    Raises:
        ValueError: A field is a map whose value for "nothing" is not known.
    """
    fields: dict[str, Any] = {}
    for name, value in like.items():
        if isinstance(value, PixelData):
            if name not in NO_CLASS:
                raise ValueError(
                    f'a query without an output needs a map {name} that says nothing, but no such value is '
                    f'known: add {name} to mmforecast.evaluation.stream_scorer.NO_CLASS'
                )
            fields[name] = PixelData(data=torch.full_like(value.data, NO_CLASS[name]))
        elif isinstance(value, list):
            fields[name] = [InstanceData()]
    return fields


def query_sample(truth: ForecastDataSample, forecast: Mapping[str, Any]) -> ForecastDataSample:
    """A clip of the one frame of a query, which is all future, with a forecast of it.

    Args:
        truth: The labels of the frame alone (T = 1).
        forecast: Fields of one step.
    """
    sample = ForecastDataSample(metainfo={**truth.metainfo, 'num_past': 0, 'num_future': 1})
    for name, value in [*truth.items(), *forecast.items()]:
        if name.startswith(('gt_', 'pred_')):
            setattr(sample, name, value)
    return sample


class StreamScorer:
    """The metrics of an evaluator, on any selection of pairs; each pair is processed once.

    Args:
        evaluator: Config of a metric whose results add up over frames, such as ``FutureSemSegMetric`` and
            ``CityscapesInstanceMetric``, or a list of them.
        dataset_meta: Of the dataset.

    Raises:
        ValueError: A metric judges a forecast as a whole, or frames, which a missing output has none of.
    """

    def __init__(self, evaluator: dict | Sequence[dict], dataset_meta: dict):
        configs = [evaluator] if isinstance(evaluator, Mapping) else evaluator
        self.metrics: list[BaseMetric] = [METRICS.build(dict(config)) for config in configs]
        for metric in self.metrics:
            if isinstance(metric, (FramePredictionMetric, TrackingMetric)):
                raise ValueError(
                    f'{type(metric).__name__} cannot be taken over single frames of a stream; use '
                    'FutureSemSegMetric or CityscapesInstanceMetric'
                )
            metric.dataset_meta = dataset_meta
        self._results: dict[Hashable, list[list]] = {}

    def __contains__(self, pair: Hashable) -> bool:
        return pair in self._results

    def add(self, pair: Hashable, sample: ForecastDataSample) -> None:
        """Process a pair.

        Args:
            pair: Its name in :meth:`evaluate`.
            sample: Of :func:`query_sample`.
        """
        found = []
        for metric in self.metrics:
            metric.process(dict(inputs=[], data_samples=[sample]), [sample.to_dict()])
            found.append(list(metric.results))
            metric.results.clear()
        self._results[pair] = found

    def evaluate(self, pairs: Iterable[Hashable]) -> dict[str, float]:
        """Scores of these pairs together, each as often as it is named, without the keys of single steps."""
        results = [self._results[pair] for pair in pairs]
        scores: dict[str, float] = {}
        for index, metric in enumerate(self.metrics):
            metric.results = [entry for found in results for entry in found[index]]
            scores.update(metric.evaluate(len(metric.results)))
        return {key: value for key, value in scores.items() if 't+1' not in key.split('/')}
