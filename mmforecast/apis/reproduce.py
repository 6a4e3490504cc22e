"""A system's trainings and tables, run one after another from a list, and taken up where they stopped."""

import functools
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config

from mmforecast.fileio.atomic import write_atomically
from mmforecast.utils.checks import check_keys

__all__ = ['Step', 'read_steps', 'remaining_minutes', 'run_steps']

_SECTIONS = ('commands', 'trainings', 'tables', 'image_tables')
_KEYS = dict(
    commands=('name', 'run', 'minutes', 'shows'),
    trainings=('name', 'config', 'seeds', 'from', 'options', 'minutes'),
    tables=('name', 'config', 'rows', 'baselines', 'horizons', 'metrics', 'costs', 'options', 'minutes'),
    image_tables=(
        'name',
        'data',
        'classifiers',
        'rows',
        'number',
        'features',
        'calibrate',
        'options',
        'minutes',
    ),
)
_NEEDED = dict(
    commands=('run',), trainings=('config',), tables=('config',), image_tables=('data', 'classifiers', 'rows')
)
_TAIL = 15  # lines of a failed step's log that are shown


@dataclass
class Step:
    """One command of a list.

    Attributes:
        name: Unique in the list, and the name of its log.
        command: Program and arguments; a Python tool is run by this interpreter.
        minutes: Expected, as the list says.
        seconds: What it took where it is done; None where it is not.
        shows: A file to print once it is done.
    """

    name: str
    command: list[str]
    minutes: float
    seconds: float | None = field(default=None, compare=False)
    shows: Path | None = None

    @property
    def text(self) -> str:
        """The command as a line for a shell."""
        return shlex.join(self.command)


def read_steps(
    path: Path, work_dir: Path, options: Sequence[str] = (), seeds: Sequence[int] | None = None
) -> list[Step]:
    """The steps of a list, with what is known of earlier runs in ``work_dir``.

    A list is a YAML file with up to four sections, run in this order; every entry has a ``name``, and
    ``minutes``, its expected time (for a training, of one seed):

    - ``commands``: ``run``, a command line; ``shows``, a file that it writes, to print once it is done.
    - ``trainings``: ``config``; ``seeds`` (default [0]); ``from``, an earlier training whose last checkpoint
      of the same seed it starts from; ``options``, overrides of the config by dotted name.
    - ``tables``: ``config``, whose baselines and data they have; ``rows``, from a row's name to a training,
      one checkpoint for each of its seeds, or to ``{training: NAME, config: PATH}`` for weights that are
      scored by another config than that of their training, or to ``{config: PATH}`` for what needs none;
      ``baselines``, ``horizons``, ``metrics``, ``costs: true`` and ``options`` as in ``compare``.
    - ``image_tables``, of generated images: ``data``, a config of real ones; ``classifiers``, names of
      trainings, of which each one's first seed is taken; ``rows``, from a row's name to a training;
      ``number``, ``features``, ``calibrate: true`` and ``options`` as in ``evaluate_images.py``.

    Args:
        path: Of the list.
        work_dir: Where trainings, tables, logs and marks of what is done go.
        options: ``name=value`` overrides of the configs of all trainings and tables.
        seeds: Run the trainings with these in place of their own.

    Raises:
        ValueError: The list is not what this says, or has only commands, which ``options`` and ``seeds`` do
            not reach.
    """
    content = yaml.safe_load(path.read_text()) or {}
    check_keys(str(path), _SECTIONS, sections=content)
    if (options or seeds is not None) and content.keys() <= {'commands'}:
        raise ValueError(
            f'{path} has only commands, which no option and no seed reaches; run a list of trainings with them'
        )
    for section in _SECTIONS:
        for entry in content.get(section) or ():
            _check_entry(path, section, entry)
    trainings = {entry['name']: entry for entry in content.get('trainings') or ()}
    if seeds is not None:
        trainings = {name: {**entry, 'seeds': list(seeds)} for name, entry in trainings.items()}
    steps = [
        Step(
            entry['name'],
            _program(shlex.split(entry['run'])),
            float(entry['minutes']),
            shows=Path(entry['shows']) if 'shows' in entry else None,
        )
        for entry in content.get('commands') or ()
    ]
    for entry in trainings.values():
        steps += _training_steps(path, entry, trainings, work_dir, options)
    for section, table_step in (('tables', _table_step), ('image_tables', _image_table_step)):
        steps += [
            table_step(path, entry, trainings, work_dir, options) for entry in content.get(section) or ()
        ]
    names = [step.name for step in steps]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise ValueError(f'{path} has several steps of the name {", ".join(double)}; name them apart')
    for step in steps:
        step.seconds = _seconds_of(step, work_dir)
    return steps


def _check_entry(path: Path, section: str, entry: Any) -> None:
    where = f'{path}: {section}'
    if not isinstance(entry, Mapping):
        raise ValueError(f'{where} must list entries with a name, got {entry!r}')
    check_keys(where, _KEYS[section], entry=entry)
    missing = [key for key in ('name', 'minutes', *_NEEDED[section]) if key not in entry]
    if missing:
        raise ValueError(f'{where}: the entry {entry.get("name", entry)!r} lacks {", ".join(missing)}')


def _program(words: list[str]) -> list[str]:
    return [sys.executable, *words[1:]] if words[0] == 'python' else words


def _training_steps(
    path: Path, entry: Mapping, trainings: Mapping, work_dir: Path, options: Sequence[str]
) -> list[Step]:
    steps = []
    for seed in entry.get('seeds', [0]):
        overrides = {'randomness.seed': seed, **entry.get('options', {})}
        if 'from' in entry:
            first = _training(path, entry['name'], entry['from'], trainings)
            overrides['load_from'] = last_checkpoint(first, seed, work_dir, options)
        command = [sys.executable, 'tools/train.py', entry['config'], '--resume']
        command += ['--work-dir', str(_folder(entry, seed, work_dir))]
        command += ['--cfg-options', *_words(overrides), *options]
        steps.append(Step(f'{entry["name"]}-seed{seed}', command, float(entry['minutes'])))
    return steps


def _table_step(
    path: Path, entry: Mapping, trainings: Mapping, work_dir: Path, options: Sequence[str]
) -> Step:
    out = work_dir / 'tables' / entry['name']
    command = [sys.executable, 'tools/analysis_tools/compare.py', entry['config'], '--out', str(out)]
    for row, given in (entry.get('rows') or {}).items():
        given = given if isinstance(given, Mapping) else dict(training=given)
        check_keys(f'{path}: {entry["name"]}', ('training', 'config'), row=given)
        if 'config' in given and 'training' not in given:
            command += ['--model', row, given['config'], 'none']
            continue
        training = _training(path, entry['name'], given.get('training'), trainings)
        for dumped, checkpoint in _runs(training, work_dir, options):
            command += ['--model', row, given.get('config', dumped), checkpoint]
    for key in ('baselines', 'horizons', 'metrics'):
        if entry.get(key) is not None:
            command += [f'--{key}', *map(str, entry[key])]
    command += ['--costs'] if entry.get('costs') else []
    overrides = [*_words(entry.get('options', {})), *options]
    command += ['--cfg-options', *overrides] if overrides else []
    return Step(f'table-{entry["name"]}', command, float(entry['minutes']), shows=out / 'table.md')


def _image_table_step(
    path: Path, entry: Mapping, trainings: Mapping, work_dir: Path, options: Sequence[str]
) -> Step:
    out = work_dir / 'tables' / entry['name']
    command = [sys.executable, 'tools/analysis_tools/evaluate_images.py', entry['data'], '--out', str(out)]

    def runs(name: str) -> list[tuple[str, str]]:
        return _runs(_training(path, entry['name'], name, trainings), work_dir, options)

    for name in entry['classifiers']:
        command += ['--classifier', *runs(name)[0]]
    for row, name in entry['rows'].items():
        for config, checkpoint in runs(name):
            command += ['--sampler', row, config, checkpoint]
    for key in ('number', 'features'):
        command += [f'--{key}', str(entry[key])] if key in entry else []
    command += ['--calibrate'] if entry.get('calibrate') else []
    command += ['--cfg-options', *_words(entry['options'])] if 'options' in entry else []
    return Step(f'table-{entry["name"]}', command, float(entry['minutes']), shows=out / 'table.md')


def _training(path: Path, user: str, name: str, trainings: Mapping) -> Mapping:
    if name not in trainings:
        known = ', '.join(trainings) or 'none'
        raise ValueError(f'{path}: {user} needs a training {name!r}, but there are {known}')
    return trainings[name]


def _runs(training: Mapping, work_dir: Path, options: Sequence[str]) -> list[tuple[str, str]]:
    """Of each seed, the config that the run dumped, which has all overrides, and the last checkpoint."""
    return [
        (
            str(_folder(training, seed, work_dir) / Path(training['config']).name),
            last_checkpoint(training, seed, work_dir, options),
        )
        for seed in training.get('seeds', [0])
    ]


def last_checkpoint(training: Mapping, seed: int, work_dir: Path, options: Sequence[str] = ()) -> str:
    """Path of the checkpoint that a training of a list ends with.

    Where processor time ends it, its last iteration is not known before: then it is the folder of the run.
    """
    config = read_config(training['config'])
    if any(hook['type'] == 'ProcessorTimeHook' for hook in config.get('custom_hooks', ())):
        return str(_folder(training, seed, work_dir))
    loop = config.get('train_cfg') or {}
    overrides = {**training.get('options', {}), **dict(option.split('=', 1) for option in options)}
    for kind, name in (('max_iters', 'iter'), ('max_epochs', 'epoch')):
        length = overrides.get(f'train_cfg.{kind}', loop.get(kind))
        if length is not None:
            return str(_folder(training, seed, work_dir) / f'{name}_{length}.pth')
    raise ValueError(f'{training["config"]} has no train_cfg, so {training["name"]} can not be trained')


@functools.cache
def read_config(path: str) -> Config:
    """A config file, which takes half a second to read and which every seed asks for."""
    return Config.fromfile(path)


def _folder(training: Mapping, seed: int, work_dir: Path) -> Path:
    return work_dir / f'{training["name"]}-seed{seed}'


def _words(options: Mapping[str, Any]) -> list[str]:
    return [f'{name}={value}' for name, value in options.items()]


def _mark(step: Step, work_dir: Path) -> Path:
    return work_dir / 'done' / f'{step.name}.json'


def _seconds_of(step: Step, work_dir: Path) -> float | None:
    """What the step took, where it was done by the same command."""
    mark = _mark(step, work_dir)
    if not mark.exists():
        return None
    done = json.loads(mark.read_text())
    return done['seconds'] if done['command'] == step.text else None


def remaining_minutes(steps: Sequence[Step]) -> float:
    """Expected minutes of the steps that are not done, at the pace of those that are."""
    done = [step for step in steps if step.seconds is not None]
    expected = sum(step.minutes for step in done)
    pace = sum(step.seconds for step in done) / 60 / expected if expected else 1.0
    return pace * sum(step.minutes for step in steps if step.seconds is None)


def run_steps(steps: Sequence[Step], work_dir: Path, show: Callable[[str], None] = print) -> bool:
    """Run what is not done, one step after another, each with a log in ``work_dir/logs``.

    Returns:
        Whether all steps are done; it stops at the first that fails.
    """
    for number, step in enumerate(steps, 1):
        place = f'[{number}/{len(steps)}] {step.name}'
        if step.seconds is not None:
            show(f'{place}: done before')
            continue
        show(f'{place}: about {step.minutes:.3g} min, {remaining_minutes(steps):.0f} min to go in all')
        start = time.monotonic()
        log = work_dir / 'logs' / f'{step.name}.log'
        if not _run(step, log, show):
            return False
        step.seconds = time.monotonic() - start
        mark = _mark(step, work_dir)
        mark.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(str(mark), json.dumps(dict(command=step.text, seconds=step.seconds)).encode())
        if step.shows is not None and step.shows.exists():
            show(step.shows.read_text())
    return True


def _run(step: Step, log: Path, show: Callable[[str], None]) -> bool:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('w') as file:
        file.write(f'{step.text}\n')
        file.flush()
        status = subprocess.run(step.command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    if status:
        tail = '\n'.join(log.read_text(errors='replace').splitlines()[-_TAIL:])
        show(
            f'{tail}\n{step.name} failed with status {status}; its log is {log}. '
            'Run the same command to go on.'
        )
    return status == 0
