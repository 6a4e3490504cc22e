"""The time that exported graphs take, in that of the same parts in PyTorch."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from mmforecast.models.forecasters import BaseForecaster
from mmforecast.utils.checks import check_positive
from mmforecast.utils.timing import Spent, timed

from .export import ExportedPart, example_graphs
from .graphs import Graph
from .sessions import open_session

__all__ = ['PartTime', 'time_parts']


@dataclass
class PartTime:
    """Times of a part of a forecaster, in seconds, pair by pair.

    Attributes:
        name: Of the part.
        pytorch, graph: Of each run.
    """

    name: str
    pytorch: list[Spent]
    graph: list[Spent]

    def medians(self, clock: bool = False) -> tuple[float, float]:
        """Of PyTorch and of the graph: processor time, or time on the clock."""
        return tuple(statistics.median(run[clock] for run in runs) for runs in (self.pytorch, self.graph))

    def ratio(self, clock: bool = False) -> float:
        """Median of graph / PyTorch; below 1 the graph is faster."""
        pairs = zip(self.pytorch, self.graph, strict=True)
        return statistics.median(graph[clock] / pytorch[clock] for pytorch, graph in pairs)


def time_parts(
    model: BaseForecaster,
    folder: str | Path,
    parts: Sequence[ExportedPart],
    size: tuple[int, int],
    steps: int | None = None,
    runs: int = 10,
    threads: int = 1,
) -> list[PartTime]:
    """Run the graphs of an export and the same parts in PyTorch by turns.

    Args:
        model: That was exported, on the CPU.
        folder: Of the export.
        parts: As ``export_forecaster`` returned them; those without a file are left out.
        size, steps: As exported.
        runs: Pairs of runs, after two that are not counted.
        threads: Of PyTorch, and of onnxruntime.
    """
    check_positive('time_parts', runs=runs, threads=threads)
    graphs = example_graphs(model.eval(), size, model.test_steps if steps is None else steps)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return [
            _time_pair(part.name, graphs[part.name], Path(folder) / part.file, runs, threads)
            for part in parts
            if part.file is not None
        ]
    finally:
        torch.set_num_threads(before)


def _time_pair(name: str, graph: Graph, path: Path, runs: int, threads: int) -> PartTime:
    session = open_session(path, threads)
    arrays = {key: value.detach().numpy() for key, value in graph.inputs.items()}
    module = graph.module.eval()

    @torch.inference_mode()
    def pytorch() -> None:
        module(*graph.inputs.values())

    calls: tuple[Callable[[], object], ...] = (pytorch, lambda: session(arrays))
    times: tuple[list, list] = ([], [])
    for turn in range(runs + 2):
        for side in (0, 1) if turn % 2 else (1, 0):
            times[side].append(timed(calls[side])[0])
    return PartTime(name, *(spent[2:] for spent in times))
