"""Consistency of a resumed run: what the checkpoint must hold, and settings changed since it was written.

mmengine loads the optimizer's and the schedulers' state over whatever the config says, so that a changed
learning rate or schedule would have no effect. Here the config wins: its schedule is computed anew up to the
iteration of the checkpoint, as if it had held from the start, and one warning names what changed.
"""

import os
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import find_latest_checkpoint

from mmforecast.fileio.checkpoint import CheckpointError

__all__ = [
    'apply_changed_settings',
    'optimizer_names',
    'prepare_resume',
    'require_training_state',
    'wrappers_by_name',
]

# How an optimizer computes, not what.
_IMPLEMENTATION = {'params', 'foreach', 'fused', 'capturable', 'differentiable', 'maximize'}
# The progress of a scheduler; all other entries of its state are its settings.
_PROGRESS = {
    'last_step',
    '_global_step',
    '_last_value',
    'base_values',
    'verbose',
    'best',
    'num_bad_epochs',
    'cooldown_counter',
}


def wrappers_by_name(optim_wrapper: OptimWrapper | OptimWrapperDict) -> dict[str, OptimWrapper]:
    """Return optimizer wrappers by the name of their network, '' if there is one for the whole model."""
    return dict(optim_wrapper.items()) if isinstance(optim_wrapper, OptimWrapperDict) else {'': optim_wrapper}


def optimizer_names(optim_wrapper: OptimWrapper | OptimWrapperDict) -> dict[str, str]:
    """Return the class name of every optimizer, by the name of its network."""
    return {
        name: type(wrapper.optimizer).__name__ for name, wrapper in wrappers_by_name(optim_wrapper).items()
    }


def prepare_resume(runner: Any, checkpoint: dict, needs_optimizer: bool) -> None:
    """Refuse a checkpoint that can't be resumed, and put the config's changed settings into it; in place.

    Args:
        runner: About to resume, with its optimizers and schedulers just built.
        checkpoint: As loaded.
        needs_optimizer: False if the run saves its checkpoints without optimizer state.

    Raises:
        CheckpointError: See :func:`require_training_state` and :func:`apply_changed_settings`.
    """
    filename = str(runner._load_from or find_latest_checkpoint(runner.work_dir))
    require_training_state(checkpoint, filename, needs_optimizer)
    if 'optimizer' not in checkpoint:
        runner.logger.warning(
            f'{filename} has no optimizer state, since it was saved with save_optimizer=False: the optimizer '
            'starts anew.'
        )
        return
    changes = apply_changed_settings(runner, checkpoint)
    if changes:
        more = f'; and {len(changes) - 8} more' if len(changes) > 8 else ''
        runner.logger.warning(
            f'The config differs from that of the resumed run: {"; ".join(changes[:8])}{more}. Training '
            "continues with the config's values, and with its schedule as if it had held from the start."
        )


def require_training_state(checkpoint: Mapping, filename: str, needs_optimizer: bool = True) -> None:
    """Refuse to resume from a file that holds less than the state of a training.

    Args:
        checkpoint: As loaded.
        filename: Its path, for the message.
        needs_optimizer: Whether it must hold the state of the optimizer.

    Raises:
        CheckpointError: It is a published file or bare weights, or lacks the optimizer's state, as the files
            of ``save_best`` do.
    """
    start = f'start a new run from its weights with --cfg-options load_from={filename}, without --resume'
    meta = checkpoint.get('meta')
    if not isinstance(meta, Mapping) or not {'iter', 'epoch'} <= set(meta) or 'message_hub' not in checkpoint:
        raise CheckpointError(
            f"{filename} holds weights without the state of a training, so it can't be resumed; {start}"
        )
    if needs_optimizer and 'optimizer' not in checkpoint:
        whole = _periodic_checkpoint(filename, meta)
        advice = f'resume {whole} of the same iteration' if whole else 'resume a periodic checkpoint'
        raise CheckpointError(
            f'{filename} has no optimizer state (files of save_best and save_optimizer=False have none), so '
            f"training can't continue from it as if it had not stopped; {advice}, or {start}"
        )


def _periodic_checkpoint(filename: str, meta: Mapping) -> str | None:
    """Find the checkpoint with optimizer state beside a best one, if it is still there."""
    folder = os.path.dirname(filename)
    for name in (f'iter_{meta["iter"]}.pth', f'epoch_{meta["epoch"]}.pth'):
        path = os.path.join(folder, name)
        if os.path.basename(filename).endswith(f'_{name}') and os.path.exists(path):
            return path
    return None


def apply_changed_settings(runner: Any, checkpoint: dict) -> list[str]:
    """Put the config's optimizer settings and schedules into a checkpoint where they differ; in place.

    Args:
        runner: With its optimizers and schedulers just built, not yet loaded.
        checkpoint: About to be loaded by ``runner.resume``, with an 'optimizer'.

    Returns:
        What changed, each as 'lr was 0.1 and is 0.01'.

    Raises:
        CheckpointError: The optimizers are others, or have other parameters.
    """
    wrappers = wrappers_by_name(runner.optim_wrapper)
    states = checkpoint['optimizer']
    states = {'': states} if 'param_groups' in states else states
    _require_same_optimizers(wrappers, states, checkpoint['meta'].get('optimizers', {}))
    changes = []
    for name, wrapper in wrappers.items():
        ours = _schedulers(runner.param_schedulers, name)
        theirs = _schedulers(checkpoint.get('param_schedulers'), name)
        changed = [*_changed_options(wrapper, states[name]), *_changed_schedules(ours, theirs)]
        if not changed:
            continue
        if any(getattr(scheduler, 'need_val_args', False) for scheduler in ours):
            raise CheckpointError(
                f'{"; ".join(changed)}: a schedule that depends on scores (ReduceOnPlateau) can only be '
                'resumed unchanged; restore these settings, or start from the weights with load_from'
            )
        _replay(ours, checkpoint['meta'], len(runner.train_dataloader))
        for group, saved in zip(wrapper.param_groups, _groups(states[name])):
            saved.update({key: value for key, value in group.items() if key != 'params'})
        if ours:
            _replace_schedulers(checkpoint, name, [scheduler.state_dict() for scheduler in ours])
        changes += [f'{name}.{change}' if name else change for change in changed]
    return changes


def _require_same_optimizers(
    wrappers: Mapping[str, OptimWrapper], states: Mapping[str, dict], names: Mapping[str, str]
) -> None:
    advice = 'resume with the optimizer of the checkpoint, or start from its weights with load_from'
    if set(wrappers) != set(states):
        theirs, ours = (', '.join(sorted(keys)) or 'the whole model' for keys in (states, wrappers))
        raise CheckpointError(
            f'The checkpoint has optimizers for {theirs.strip(", ")}, the config for {ours.strip(", ")}; '
            f'{advice}'
        )
    for name, wrapper in wrappers.items():
        ours = type(wrapper.optimizer).__name__
        saved, groups = _groups(states[name]), wrapper.param_groups
        theirs = names.get(name)
        other = theirs is not None and theirs != ours
        if theirs is None and saved and groups:  # a checkpoint without names: by the options alone
            keys, known = _option_keys(saved[0]), _option_keys(groups[0])
            other = bool(keys - known) and bool(known - keys)
            theirs = f'an optimizer with {", ".join(sorted(keys - known))}'
        of = f' of {name}' if name else ''
        if other:
            raise CheckpointError(
                f'The optimizer{of} of the checkpoint is {theirs}, the config has {ours}; {advice}'
            )
        sizes = [[len(group['params']) for group in kind] for kind in (saved, groups)]
        if sizes[0] != sizes[1]:
            raise CheckpointError(
                f'The optimizer{of} of the checkpoint has {len(sizes[0])} groups with {sum(sizes[0])} '
                f'parameters, that of the config {len(sizes[1])} with {sum(sizes[1])}: another part is '
                f'frozen, or paramwise_cfg has changed; {advice}'
            )


def _option_keys(group: Mapping) -> set[str]:
    return {key for key in group if not key.startswith('initial_')} - _IMPLEMENTATION


def _groups(state: Mapping) -> list[dict]:
    """Return the groups in the order of ``OptimWrapper.param_groups``."""
    base = state.get('base_param_settings')
    return [*state['param_groups'], *([base] if base is not None else [])]


def _changed_options(wrapper: OptimWrapper, state: Mapping) -> Iterator[str]:
    """Name changed options of an optimizer, each once; scheduled ones by their initial values."""
    said = set()
    for ours, theirs in zip(wrapper.param_groups, _groups(state)):
        scheduled = {'betas', 'momentum'} if 'initial_momentum' in {**ours, **theirs} else set()
        for key in sorted(_option_keys(ours) & _option_keys(theirs) - scheduled):
            was, now = (group.get(f'initial_{key}', group[key]) for group in (theirs, ours))
            text = f'{key} was {_text(was)} and is {_text(now)}'
            if not _equal(was, now) and text not in said:
                said.add(text)
                yield text


def _changed_schedules(ours: list, theirs: list[dict]) -> Iterator[str]:
    """Name changed settings of the schedulers of one optimizer."""
    if len(ours) != len(theirs):
        yield f'param_scheduler had {len(theirs)} entries and has {len(ours)}'
        return
    for number, (scheduler, saved) in enumerate(zip(ours, theirs)):
        settings, before = _settings(scheduler.state_dict()), _settings(saved)
        place = f'param_scheduler.{number}'
        if set(settings) != set(before):
            yield f'{place} was of another type and is {type(scheduler).__name__}'
            continue
        for key in settings:
            if not _equal(before[key], settings[key]):
                yield f'{place}.{key} was {_text(before[key])} and is {_text(settings[key])}'


def _settings(state: Mapping) -> dict:
    return {key: value for key, value in state.items() if key not in _PROGRESS and not callable(value)}


def _schedulers(schedulers: Any, name: str) -> list:
    if isinstance(schedulers, Mapping):
        return list(schedulers.get(name, ()))
    return list(schedulers or ())


def _replace_schedulers(checkpoint: dict, name: str, states: list[dict]) -> None:
    if name:
        checkpoint.setdefault('param_schedulers', {})[name] = states
    else:
        checkpoint['param_schedulers'] = states


def _replay(schedulers: list, meta: Mapping, epoch_length: int) -> None:
    """Step new schedulers as the finished epochs and iterations of a run would have."""
    iterations, epochs = meta['iter'], meta['epoch']
    if epochs * epoch_length > iterations:  # epochs were shorter then
        epoch_length = iterations // epochs
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of steps before the optimizer's first
        for iteration in range(1, iterations + 1):
            _step(schedulers, by_epoch=False)
            if epochs and iteration % epoch_length == 0 and iteration // epoch_length <= epochs:
                _step(schedulers, by_epoch=True)


def _step(schedulers: list, by_epoch: bool) -> None:
    for scheduler in schedulers:
        if scheduler.by_epoch == by_epoch:
            scheduler.step()


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(_equal, first, second))
    return bool(first == second)


def _text(value: Any) -> str:
    return f'{value:g}' if isinstance(value, float) else str(value)
