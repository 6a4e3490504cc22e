"""Networks that run compiled, or in bfloat16."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmforecast.models.forecasters import BaseForecaster

__all__ = ['compile_networks', 'network_blocks', 'run_in_bfloat16']


def network_blocks(model: BaseForecaster) -> Iterator[tuple[str, nn.Module]]:
    """The plain networks of a forecaster, by name: parts of its predictor and of the encoder's network.

    What is around them reads metainfo, estimates optical flow or builds objects, which no compiler takes.

    Args:
        model: The forecaster.
    """
    for name, part in (('encoder', getattr(model.encoder, 'network', None)), ('predictor', model.predictor)):
        if part is not None:
            yield from _blocks(name, part)


def _blocks(name: str, part: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for child_name, child in part.named_children():
        if isinstance(child, (nn.ModuleList, nn.ModuleDict)):
            yield from _blocks(f'{name}.{child_name}', child)
        elif next(child.parameters(), None) is not None:
            yield f'{name}.{child_name}', child


def compile_networks(model: BaseForecaster, backend: str = 'inductor') -> list[str]:
    """Let ``torch.compile`` compile the networks of a forecaster, each when it runs first.

    Where one cannot be compiled, it runs as it is, and one sentence of the log says so.

    Args:
        model: Changed in place.
        backend: Of ``torch.compile``.

    Returns:
        Names of the networks.
    """
    names = []
    for name, block in network_blocks(model):
        block.forward = _Compiled(name, block.forward, backend)
        names.append(name)
    return names


def run_in_bfloat16(model: BaseForecaster) -> list[str]:
    """Let the networks of a forecaster compute in bfloat16, by autocast; their results are float32 again.

    Args:
        model: Changed in place.

    Returns:
        Names of the networks.
    """
    names = []
    for name, block in network_blocks(model):
        block.forward = _Autocast(block.forward)
        names.append(name)
    return names


class _Compiled:
    """A function that is compiled at its first call, or stays as it is."""

    def __init__(self, name: str, function: Callable, backend: str):
        self.name = name
        self.function = function
        self.backend = backend
        self.run: Callable | None = None  # the compiled function, or the function itself where that fails

    def __call__(self, *args, **kwargs):
        if self.run is self.function:
            return self.function(*args, **kwargs)
        try:
            if self.run is None:
                self.run = torch.compile(self.function, backend=self.backend)
            return self.run(*args, **kwargs)
        except Exception as error:
            result = self.function(*args, **kwargs)  # an error of its own is not one of compiling
            self.run = self.function
            reason = str(error).strip().split('\n')[0]
            print_log(
                f'{self.name} runs without torch.compile, which fails on it: {type(error).__name__}: {reason}',
                logger='current',
                level=logging.WARNING,
            )
            return result


class _Autocast:
    """A function whose convolutions and products are computed in bfloat16."""

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, *args, **kwargs):
        device = next((value.device.type for value in _tensors((args, kwargs))), 'cpu')
        with torch.autocast(device, torch.bfloat16):
            return _to_float(self.function(*args, **kwargs))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors(part)


def _to_float(value: Any) -> Any:
    """The same with float32 in place of bfloat16."""
    if isinstance(value, Tensor):
        return value.float() if value.dtype == torch.bfloat16 else value
    if isinstance(value, dict):
        return {key: _to_float(part) for key, part in value.items()}
    return type(value)(map(_to_float, value)) if type(value) in (list, tuple) else value
