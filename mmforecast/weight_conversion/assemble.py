"""Levels of F2F that were trained one by one, put together."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ['assemble_levels']

_NET = re.compile(r'^predictor\.nets\.(\d+)\.')


def assemble_levels(stages: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Merge state dicts of F2FForecaster that forecast one level each.

    Args:
        stages: State dict by level name, such as 'P2' or 'P5'; each has one net,
            ``predictor.nets.0``, and the frozen detector.

    Returns:
        State dict with ``predictor.nets.0`` for the finest level, 1 for the next and so on, and the
        detector once.

    Raises:
        ValueError: A stage has another number of nets than one, or what they share differs.
    """
    merged: dict[str, Tensor] = {}
    shared_of: dict[str, dict[str, Tensor]] = {}
    for number, level in enumerate(sorted(stages)):
        state = {re.sub(r'^module\.', '', name): value for name, value in stages[level].items()}
        nets = sorted({match[1] for match in map(_NET.match, state) if match})
        if nets != ['0']:
            raise ValueError(
                f'The checkpoint of {level} should have one net, predictor.nets.0, as the training '
                f'of one level writes it, got {", ".join(nets) or "none"}'
            )
        for name, value in state.items():
            if _NET.match(name):
                merged[_NET.sub(f'predictor.nets.{number}.', name)] = value
        shared_of[level] = {n: value for n, value in state.items() if not _NET.match(n)}
    first, *others = shared_of
    for level in others:
        _require_equal(first, shared_of[first], level, shared_of[level])
    return {**shared_of[first], **merged}


def _require_equal(first: str, ours: Mapping[str, Tensor], other: str, theirs: Mapping[str, Tensor]) -> None:
    differing = sorted(
        name
        for name in {**ours, **theirs}
        if name not in ours or name not in theirs or not torch.equal(ours[name], theirs[name])
    )
    if differing:
        raise ValueError(
            f'{first} and {other} were trained with different detectors: {len(differing)} weights '
            f'differ, the first is {differing[0]}; train all levels on the features of one detector'
        )
