"""Overrides of a config by dotted keys, refused where nothing would read them."""

import difflib
import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ['merge_options']

# Read by mmengine's runners, mmdet's and mmseg's tools or ours, besides the arguments of a runner.
_TOP_LEVEL = {
    'activation_checkpointing',
    'compile',
    'custom_imports',
    'default_scope',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'launcher',
    'model_wrapper_cfg',
    'runner_type',
    'strategy',
    'sync_bn',
    'tta_model',
    'tta_pipeline',
    'work_dir',
}
_FIXED = {
    'env_cfg': {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
    'randomness': {'seed', 'diff_rank_seed', 'deterministic'},
    'auto_scale_lr': {'enable', 'base_batch_size'},
}
_HOOKS = {'runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint'}
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def merge_options(cfg: Any, options: Mapping[str, Any] | None) -> None:
    """Merge options into a config, as mmengine's ``merge_from_dict``; in place.

    A key that isn't in the config is fine where something reads it: an argument of a typed part, which checks
    its arguments itself, or a name that the runner knows. Free dicts, such as ``custom_keys``, take any name;
    one that resembles another gives a warning. So does a variable of the config file, which was used when it
    was read.

    Args:
        cfg: A config.
        options: Values by dotted keys, as ``--cfg-options`` gives them.

    Raises:
        ValueError: Nothing reads a key, or its place is of another kind; the message has the nearest name.
    """
    options = dict(options or {})
    plain = cfg.to_dict()
    for key, value in options.items():
        _check(plain, key.split('.'), value, options)
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f'The options {", ".join(options)} do not fit the config: {error}') from error


def _check(cfg: Mapping, parts: list[str], value: Any, options: Mapping[str, Any]) -> None:
    node = cfg
    for depth, part in enumerate(parts):
        path = parts[:depth]
        if isinstance(node, Mapping):
            if part not in node:
                _check_new(node, path, part, '.'.join(parts), value, options)
                return
            if not depth:
                _warn_of_variable(cfg, part)
            node = node[part]
        elif isinstance(node, Sequence) and not isinstance(node, str):
            if not part.isdigit() or int(part) >= len(node):
                raise ValueError(
                    f'The option {".".join(parts)} is not in the config: {".".join(path)} is a list of '
                    f'{len(node)}, so the next part must be a number from 0 to {len(node) - 1}'
                )
            node = node[int(part)]
        else:
            return  # merge_from_dict says what is wrong
    if isinstance(value, Mapping) and isinstance(node, Mapping) and not value.get('_delete_'):
        for name, inner in value.items():
            _check(cfg, [*parts, name], inner, options)


def _check_new(
    node: Mapping, path: list[str], part: str, key: str, value: Any, options: Mapping[str, Any]
) -> None:
    """Refuse a name that isn't in its parent, if nothing would read it; warn if it may be a slip."""
    place = '.'.join(path)
    if not path:
        known = _TOP_LEVEL | _runner_arguments()
        if part not in known:
            raise _unknown(key, f'nothing reads {part!r}', part, {*node, *known})
    elif len(path) == 1 and (path[0] in _LOADERS or path[0] in _FIXED):
        known = _loader_arguments() if path[0] in _LOADERS else _FIXED[path[0]]
        if part not in known:
            raise _unknown(key, f'{place} takes no {part!r}', part, known)
    elif path == ['default_hooks']:
        names_type = f'default_hooks.{part}.type' in options or isinstance(value, Mapping) and 'type' in value
        if part not in _HOOKS and not names_type and not (value is None and key == f'default_hooks.{part}'):
            raise _unknown(key, f'a new hook {part!r} needs a type', part, {*node, *_HOOKS})
    elif 'type' not in node:
        close = difflib.get_close_matches(part, [str(name) for name in node], n=1, cutoff=0.8)
        if close:
            print(f'Warning: {key} is new in the config, where {place}.{close[0]} exists.', file=sys.stderr)


def _unknown(key: str, why: str, part: str, known: Iterable[Any]) -> ValueError:
    close = difflib.get_close_matches(part, [str(name) for name in known], n=2, cutoff=0.7)
    hint = f'; did you mean {" or ".join(close)}?' if close else ''
    return ValueError(f'The option {key} is not in the config, and {why}{hint}')


def _warn_of_variable(cfg: Mapping, name: str) -> None:
    if name in _TOP_LEVEL | _runner_arguments() or isinstance(cfg[name], Mapping):
        return
    places = [path for path in _paths(cfg) if path.endswith(f'.{name}')]
    instead = f'; set {" or ".join(places[:3])} instead' if places else ''
    print(
        f'Warning: {name} is a variable of the config file, which was used when that was read: a new value '
        f'changes nothing else{instead}.',
        file=sys.stderr,
    )


def _paths(node: Any, path: str = '') -> list[str]:
    found = []
    if isinstance(node, Mapping):
        for key, value in node.items():
            here = f'{path}.{key}' if path else str(key)
            found += [here, *_paths(value, here)]
    return found


def _runner_arguments() -> set[str]:
    from mmengine.runner import Runner  # takes a second, and not every command has options

    return set(inspect.signature(Runner.__init__).parameters) - {'self'}


def _loader_arguments() -> set[str]:
    from torch.utils.data import DataLoader

    extra = {'collate_fn', 'num_batch_per_epoch', 'worker_init_fn', 'sampler', 'batch_sampler', 'dataset'}
    return (set(inspect.signature(DataLoader.__init__).parameters) - {'self'}) | extra
