"""Errors that a user can fix, in one sentence each."""

import difflib
import inspect
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.registry import Registry, root

import mmforecast
from mmforecast.engine.data_watch import WorkerDiedError, worker_death
from mmforecast.engine.divergence import DivergenceError
from mmforecast.fileio.checkpoint import CheckpointError

__all__ = ['explain']

_PACKAGE = str(Path(mmforecast.__file__).parent)
_HOW_TO_REGISTER = (
    ' A class of your own must be imported to be found: name its module in custom_imports of the config, or '
    "import it in its package's __init__.py."
)
_OF_ITS_OWN = (
    CheckpointError,
    DivergenceError,
    WorkerDiedError,
    FileNotFoundError,
    NotADirectoryError,
)


def explain(error: BaseException, cfg: Any = None) -> str | None:
    """Say what is wrong, where, and what to do, if the cause is the config, data or a checkpoint.

    Args:
        error: As caught.
        cfg: The config of the run, to name the place in it.

    Returns:
        One sentence or two; None for what looks like a defect of a program, whose traceback is
        needed.
    """
    for explanation in (
        _missing_type,
        _wrong_argument,
        _missing_package,
        _from_worker,
        _dead_worker,
        _own_sentence,
    ):
        sentence = explanation(error, cfg)
        if sentence is not None:
            return sentence
    return None


def _missing_type(error: BaseException, cfg: Any) -> str | None:
    """A `type` that no registry knows."""
    found = re.search(r"^'?(\S+) is not in the (?:(\w+)::)?(.+?)\s+registry\.", str(error).strip('"'))
    if not isinstance(error, KeyError) or found is None:
        return None
    name, scope, kind = found.groups()
    suggestion = _did_you_mean(name, _known_types(kind, scope))
    return f'There is no {kind} called {name!r}{_place(cfg, name)}{suggestion}{_HOW_TO_REGISTER}'


def _known_types(kind: str, scope: str | None) -> list[str]:
    """Names for a config of ``scope``: its own and mmengine's bare, others with their prefix."""
    roots = [entry for entry in vars(root).values() if isinstance(entry, Registry) and entry.name == kind]
    names: list[str] = []
    for top in roots:
        names += top.module_dict
        for child in top.children.values():
            own = {**child.module_dict, **getattr(child, 'on_demand', {})}
            names += [name if child.scope == scope else f'{child.scope}.{name}' for name in own]
    return names


def _wrong_argument(error: BaseException, cfg: Any) -> str | None:
    """An argument that the class of a `type` doesn't take, or lacks."""
    found = re.search(r'^(\w+)\.__init__\(\) (got an unexpected keyword argument|missing)', str(error))
    frame = _innermost(error)
    if not isinstance(error, TypeError) or found is None or frame is None or 'obj_cls' not in frame.f_locals:
        return None
    built = frame.f_locals['obj_cls']
    if getattr(built, '__name__', None) != found.group(1):
        return None
    where = _place(cfg, built.__name__)
    if found.group(2) == 'missing':
        return f'{built.__name__}{where} lacks{str(error).split("missing", 1)[1]}.'
    argument = str(error).split("'")[1]
    known = [name for name in inspect.signature(built.__init__).parameters if name != 'self']
    return f'{built.__name__}{where} takes no argument {argument!r}{_did_you_mean(argument, known)}'


def _missing_package(error: BaseException, cfg: Any) -> str | None:
    """A package that a logging back end or a custom import needs."""
    if not isinstance(error, ImportError):
        return None
    first: BaseException = error
    while first.__cause__ or first.__context__:
        first = first.__cause__ or first.__context__
    if str(error).startswith('Failed to import custom modules'):
        return (
            f"custom_imports of the config can't be imported ({first}): install what is missing, or put the "
            'folder '
            'of the module on PYTHONPATH'
        )
    owners = [type(frame.f_locals.get('self')).__name__ for frame, _ in traceback.walk_tb(error.__traceback__)]
    backends = [name for name in owners if name.endswith('VisBackend')]
    if not backends:
        return None
    package = getattr(first, 'name', None)
    needs = f'needs the package {package}, which is not installed' if package else f"can't be used: {error}"
    return (
        f'{backends[-1]}{_place(cfg, backends[-1])} {needs}; install it, or take the back end out of '
        'visualizer.vis_backends'
    )


def _from_worker(error: BaseException, cfg: Any) -> str | None:
    """What a data-loading worker raised: torch passes it on as text, traceback and all."""
    text = str(error)
    if not text.startswith('Caught ') or 'in DataLoader worker process' not in text:
        return None
    files = re.findall(r'^\s*File "([^"]+)"', text, flags=re.MULTILINE)
    sentence = text.strip().split('\n')[-1].partition(': ')[2]
    return sentence if files and files[-1].startswith(_PACKAGE) and _is_about_input(error) else None


def _dead_worker(error: BaseException, cfg: Any) -> str | None:
    """A data-loading process that is gone, of a loop that doesn't know what it was loading."""
    death = worker_death(error) if isinstance(error, RuntimeError) else None
    return None if death is None else str(death)


def _own_sentence(error: BaseException, cfg: Any) -> str | None:
    """What this package or the tool raised on purpose, and files that aren't there."""
    if isinstance(error, _OF_ITS_OWN):
        return str(error)
    frame = _innermost(error)
    raised_here = frame is not None and frame.f_globals.get('__name__', '').split('.')[0] in (
        'mmforecast',
        '__main__',
    )
    return str(error) if raised_here and _is_about_input(error) else None


def _is_about_input(error: BaseException) -> bool:
    return isinstance(error, (ValueError, OSError, ImportError))  # of a package to install


def _innermost(error: BaseException) -> Any:
    frames = list(traceback.walk_tb(error.__traceback__))
    return frames[-1][0] if frames else None


def _place(cfg: Any, name: str) -> str:
    places = [path for path, value in _types(cfg or {}) if value == name]
    if not places:
        # The class may be written with its scope's prefix.
        places = [path for path, value in _types(cfg or {}) if value.rpartition('.')[2] == name]
    return f' (in the config at {" and ".join(places)})' if places else ''


def _types(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    items = node.items() if hasattr(node, 'items') else enumerate(node)
    for key, value in items:
        here = (*path, str(key))
        if key == 'type' and isinstance(value, str):
            yield '.'.join(here), value
        elif hasattr(value, 'items') or isinstance(value, (list, tuple)):
            yield from _types(value, here)


def _did_you_mean(name: str, known: list[str]) -> str:
    lower = {entry.lower(): entry for entry in known}
    close = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.7)
    return f'; did you mean {" or ".join(lower[entry] for entry in close)}?' if close else '.'
