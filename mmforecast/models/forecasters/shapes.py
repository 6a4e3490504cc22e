"""Shapes that are said once, by the model or its encoder, and handed to the predictor when it is built."""

import inspect
import warnings
from typing import Any

from mmforecast.registry import MODELS

# Who says a shape, for error messages.
OWNERS = dict(
    num_past='the model',
    channels='the representation',
    num_levels='the representation',
    out_channels='its target',
    class_scores='the representation',
)
_RENAMED_TYPES = dict(F2FNeck='mmforecast.F2FPredictor')
_RENAMED_ARGUMENTS = {
    'MultiScalePredictor': dict(in_channels='channels'),
    'PrecomputedEncoder': dict(num_channels='channels'),
}


def class_of(config: dict) -> Any:
    """The class, or the function, that a config builds; None where the registry doesn't know it."""
    kind = config.get('type')
    return MODELS.get(kind) if isinstance(kind, str) else kind


def accepted_arguments(kind: Any) -> set[str]:
    """Names of the arguments that a class takes, with those that ``**kwargs`` passes on to its bases."""
    if not inspect.isclass(kind):
        return set(inspect.signature(kind).parameters)
    names: set[str] = set()
    for base in kind.__mro__:
        if '__init__' not in vars(base):
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names


def complete_config(config: dict, shapes: dict[str, int]) -> dict:
    """A predictor's config with the ``shapes`` that its class takes and that neither of the two sets."""
    kind = class_of(config)
    if kind is None:
        return config  # building it says what is wrong
    accepted = accepted_arguments(kind)
    missing = {
        name: value
        for name, value in shapes.items()
        if name in accepted and config.get(name) is None and getattr(kind, name, None) is None
    }
    return {**config, **missing}


def check_shapes(predictor: Any, shapes: dict[str, int], owner: str) -> None:
    """Raise a ValueError where a predictor was built for other shapes than it gets.

    Args:
        owner: Name of the forecaster, for the message.
    """
    for name, value in shapes.items():
        wanted = getattr(predictor, name, None)
        if wanted not in (None, value):
            raise ValueError(
                f'{owner}: {type(predictor).__name__} was built for {name}={wanted}, but {OWNERS[name]} has '
                f"{name}={value}; leave {name} out of the predictor's config, or make them agree"
            )


def rename(config: dict) -> dict:
    """A part's config with today's names for what had others, each with a DeprecationWarning."""
    name = str(getattr(config.get('type'), '__name__', config.get('type'))).rpartition('.')[2]
    renamed = dict(config)
    if name in _RENAMED_TYPES:
        renamed['type'] = _RENAMED_TYPES[name]
        _warn(f'{name} of a forecaster is called {_RENAMED_TYPES[name].rpartition(".")[2]} now')
    for old, new in _RENAMED_ARGUMENTS.get(name, {}).items():
        if old in renamed:
            renamed[new] = renamed.pop(old)
            _warn(f'{old} of {name} is called {new} now')
    return renamed


def _warn(message: str) -> None:
    warnings.warn(f'{message}; rename it in the config', DeprecationWarning, stacklevel=4)
