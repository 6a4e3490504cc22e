"""What stands in for ``mmcv._ext``: the operators served, and a clear error for the others."""

import inspect
import logging
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NoReturn

import torch

from . import (
    attention,
    carafe,
    deform_conv,
    focal_loss,
    masked_conv,
    nms,
    psa_mask,
    roi_align,
    roi_pool,
    soft_nms,
)
from .finder import EXTENSION, OPS_ENV
from .torchvision_kernels import torchvision_operators

__all__ = ['MissingOperatorError', 'fill_extension', 'stand_in', 'use_extension']

PARTS = attention, carafe, focal_loss, masked_conv, nms, psa_mask, roi_align, roi_pool, soft_nms


class MissingOperatorError(NotImplementedError):
    """An operator that only mmcv's compiled extension has."""


def fill_extension(module: ModuleType, requested: str = 'auto') -> None:
    """Put the operators into a module, and say in the log which; worker processes leave that to the main one.

    Args:
        module: ``mmcv._ext``.
        requested: As the environment variable: `'pytorch'`, `'torchvision'`, or `'auto'` for
            torchvision where it works.

    Raises:
        ImportError: torchvision is asked for and does not work.
    """
    failure = _fill(module, requested)
    # known by its name before a spawned process has a parent
    if multiprocessing.current_process().name != 'MainProcess':
        return
    where = "on torchvision's kernels" if module.KERNELS == 'torchvision' else 'in PyTorch'
    reason = 'mmcv is installed without compiled operators'
    if requested in ('torchvision', 'pytorch'):
        reason = f'{OPS_ENV}={requested}'
    remark = f'; torchvision is installed but does not work ({failure})' if failure else ''
    _say(f'{reason}: mmforecast runs them {where}{remark}.')


def _say(message: str) -> None:
    """Log at INFO, on the standard error: mmengine's logger would write to the output, where results go."""
    logger = logging.getLogger('mmforecast.ops')
    if not logger.handlers:
        handler = logging.StreamHandler()
        layout = '%(asctime)s - mmforecast - %(levelname)s - %(message)s'
        handler.setFormatter(logging.Formatter(layout, '%m/%d %X'))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    logger.info(message)


def stand_in(kernels: str) -> ModuleType:
    """A module like ``mmcv._ext`` with the operators of `'pytorch'` or `'torchvision'`."""
    module = ModuleType(EXTENSION)
    _fill(module, kernels)
    return module


@contextmanager
def use_extension(extension: ModuleType) -> Iterator[None]:
    """Let mmcv's operators call another extension for a while, as to compare two of them."""
    import mmcv.ops  # noqa: F401

    parts = [
        part
        for name, part in sys.modules.items()
        if name.startswith('mmcv.ops.') and hasattr(part, 'ext_module')
    ]
    before = [part.ext_module for part in parts]
    try:
        for part in parts:
            part.ext_module = extension
        yield
    finally:
        for part, own in zip(parts, before):
            part.ext_module = own


def _fill(module: ModuleType, requested: str) -> str | None:
    """Put the operators into a module; return why torchvision does not work, if it is there."""
    functions = {name: getattr(part, name) for part in PARTS for name in part.__all__}
    functions.update(deform_conv.entry_points(deform_conv.convolve, deform_conv.gradients))
    functions.update(get_compiler_version=_not_compiled, get_compiling_cuda_version=_not_compiled)
    kernels, failure = 'pytorch', None
    if requested != 'pytorch':
        try:
            functions.update(torchvision_operators())
            kernels = 'torchvision'
        # A torchvision that was built for another torch fails in ways of its own.
        except Exception as error:
            failure = f'{error}'.split('\n')[0]
            if requested == 'torchvision':
                message = f'{OPS_ENV}=torchvision, but torchvision does not work here: {failure}'
                raise ImportError(message) from error
            if isinstance(error, ModuleNotFoundError):
                failure = None
    vars(module).update(functions, KERNELS=kernels, __getattr__=_missing)
    return failure


def _not_compiled() -> str:
    return 'none: the operators are those of mmforecast.ops'


def _missing(name: str) -> Callable[..., NoReturn]:
    """An operator that is not served: mmcv looks up all of them when it is imported."""
    if name.startswith('__'):
        raise AttributeError(name)

    def missing(*args, **kwargs) -> NoReturn:
        raise MissingOperatorError(
            f"mmcv's operator {name}, called by {_caller()}, runs only in mmcv's compiled extension, and "
            'mmcv is installed without it; `python tools/misc/check_env.py` prints the command that '
            'compiles it'
        )

    missing.__name__ = name
    return missing


def _caller() -> str:
    """The innermost network outside mmcv that is being run, or else the function."""
    frame, function = inspect.currentframe().f_back.f_back, None
    while frame is not None:
        module = frame.f_globals.get('__name__', '')
        if module.split('.')[0] not in ('mmcv', 'torch'):
            function = function or f'{module}.{frame.f_code.co_name}'
            owner = frame.f_locals.get('self')
            if isinstance(owner, torch.nn.Module):
                return f'{type(owner).__module__}.{type(owner).__name__}'
        frame = frame.f_back
    return function or 'unknown code'
