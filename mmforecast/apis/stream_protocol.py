"""What a streaming evaluation is of: the protocol, its methods, and their results."""

import copy
from dataclasses import dataclass, field, replace

from mmengine.config import Config

from mmforecast.evaluation.functional.streaming import (
    SCHEDULES,
    Latency,
    Number,
    PairingSummary,
    StreamOutput,
    exact,
)
from mmforecast.models.forecasters import BaseForecaster
from mmforecast.utils.checks import check_at_least, check_choice, check_integer, check_positive
from mmforecast.utils.source_configs import first_source, source_configs

from .evaluate import build_forecaster

__all__ = ['HORIZONS', 'StreamProtocol', 'StreamRow', 'StreamScore']

HORIZONS = ('query', 'latency')


@dataclass(frozen=True)
class StreamProtocol:
    """What all rows of a table have in common.

    Attributes:
        workers, schedule, every: Of :func:`~mmforecast.evaluation.functional.streaming.simulate_stream`.
        eta: Of :func:`~mmforecast.evaluation.functional.streaming.pair_outputs`.
        fps: Frames per second; None takes that of each sequence.
        lead: Frames before each stream, which are past for all and are neither processed nor asked for; None
            takes as many as the longest history of a row.
        warm_up: Queries at the beginning of each stream that are not scored. The first ones are misses, the
            more the longer the latency.
        max_steps: Most forecast steps of an output; later queries get the last one. None sets no limit.
    """

    workers: int | None = 1
    schedule: str = 'greedy'
    every: int = 1
    eta: Number = 0
    fps: Number | None = None
    lead: int | None = None
    warm_up: int = 0
    max_steps: int | None = None

    def __post_init__(self):
        owner = type(self).__name__
        check_choice(owner, SCHEDULES, schedule=self.schedule)
        check_positive(owner, every=self.every)
        check_integer(owner, 0, warm_up=self.warm_up)
        if self.max_steps is not None:
            check_positive(owner, max_steps=self.max_steps)
        if self.lead is not None:
            check_integer(owner, 0, lead=self.lead)


@dataclass
class StreamRow:
    """A method.

    Attributes:
        name: In the table.
        config: Its ``test_dataloader`` gives streams and truth, and the stride of the forecaster.
        checkpoint: Of the config's model; None where it names its own weights.
        model: Parts in place of the config's, as of a baseline.
        horizon: How far ahead an output is read, see
            :func:`~mmforecast.evaluation.functional.streaming.frames_ahead`: 'query', 'latency', or a number
            of frames; 0 is the network without forecasting.
        factor, extra: Its latency is ``factor`` times that of the table, plus ``extra`` seconds.
    """

    name: str
    config: Config
    checkpoint: str | None = None
    model: dict | None = None
    horizon: str | int = 'query'
    factor: Number = 1
    extra: Number = 0

    def __post_init__(self):
        if isinstance(self.horizon, str):
            check_choice('StreamRow', HORIZONS, horizon=self.horizon)
        else:
            check_integer('StreamRow', 0, horizon=self.horizon)
        check_at_least('StreamRow', 0, factor=exact(self.factor), extra=exact(self.extra))

    @property
    def stride(self) -> int:
        """Frames between the past frames of a clip, and between forecast steps."""
        return first_source(self.config.test_dataloader.dataset).get('stride', 3)

    @property
    def lead(self) -> int:
        """Frames that the first forecast of a stream needs before its newest one."""
        return (self.config.model.get('num_past', 4) - 1) * self.stride

    def with_stride(self, stride: int) -> 'StreamRow':
        """The same row with another stride."""
        config = copy.deepcopy(self.config)
        for source in source_configs(config.test_dataloader.dataset):
            source.stride = stride
        return replace(self, config=config)

    def latency(self, base: Latency) -> Latency:
        """The row's own latency where that of the table is ``base``."""
        factor, extra = exact(self.factor), exact(self.extra)
        return Latency([factor * sample + extra for sample in base.samples], seed=base.seed)

    def build(self) -> BaseForecaster:
        """The forecaster, in eval mode."""
        return build_forecaster(self.config, self.checkpoint, self.model)


@dataclass
class StreamScore:
    """The result of a row under one latency.

    Attributes:
        name: Of the row.
        latency: Its own.
        scores: By metric, over all scored queries of all streams.
        summary: Misses and lags of these queries.
        beyond: Queries that the longest forecast does not reach.
        outputs: By stream, what was finished when.
    """

    name: str
    latency: Latency
    scores: dict[str, float] = field(default_factory=dict)
    summary: PairingSummary = PairingSummary()
    beyond: int = 0
    outputs: dict[str, list[StreamOutput]] = field(default_factory=dict)
