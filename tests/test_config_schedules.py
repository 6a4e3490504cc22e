"""Schedules of the configs: each ends where its training does, with rates that can be used."""

import json
import re
from functools import lru_cache
from pathlib import Path

import mmengine.optim  # noqa: F401, registers the schedulers
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS

REPOSITORY = Path(__file__).resolve().parents[1]
FILES = sorted(path for path in (REPOSITORY / 'configs').rglob('*.py') if '_base_' not in path.parts)

# Iterations of a training whose rates are gone through step by step.
SHORT = 5000


def schedulers(node):
    """All schedulers, also those of several optimizers."""
    return [scheduler for given in lists_of_schedulers(node) for scheduler in given]


@pytest.mark.parametrize('path', FILES, ids=lambda path: f'{path.parent.name}/{path.stem}')
def test_schedule_ends_with_the_training(path):
    cfg = Config.fromfile(path)
    train = cfg.get('train_cfg') or {}
    by_epoch = 'max_epochs' in train
    length = train.get('max_epochs', train.get('max_iters'))
    for scheduler in schedulers(cfg.get('param_scheduler')):
        text = f'{scheduler} in a training of {length}'
        assert length is not None, text
        milestones = scheduler.get('milestones', [])
        if scheduler.get('by_epoch', True) != by_epoch:
            continue  # a warm-up in iterations of a training in epochs, say
        assert scheduler.get('begin', 0) < length, text
        assert all(milestone < length for milestone in milestones), text
        if 'end' in scheduler:
            assert scheduler.end <= length, text
        if scheduler.type in ('CosineAnnealingLR', 'PolyLR'):  # these go all the way down
            assert scheduler.get('end', scheduler.get('T_max')) == length, text
    if by_epoch or length is None or length > SHORT:
        return
    for given in lists_of_schedulers(cfg.get('param_scheduler')):
        if not any(scheduler.get('by_epoch', True) for scheduler in given):
            rates = rates_of(json.dumps([scheduler.to_dict() for scheduler in given]), length)
            assert all(0 <= rate <= 1 + 1e-9 for rate in rates) and max(rates) > 0.9, given


def lists_of_schedulers(node):
    """Those of each optimizer."""
    if isinstance(node, dict) and 'type' not in node:
        return [entry for part in node.values() for entry in lists_of_schedulers(part)]
    return [[node] if isinstance(node, dict) else list(node or ())]


@lru_cache
def rates_of(text, length):
    """The rates of a training, relative to that of its optimizer, of schedulers that are given as JSON."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    given = dict(optimizer=optimizer)
    built = [PARAM_SCHEDULERS.build(scheduler, default_args=given) for scheduler in json.loads(text)]
    rates = []
    for _ in range(length):
        rates.append(optimizer.param_groups[0]['lr'])
        for scheduler in built:
            scheduler.step()
    return rates


def test_files_that_configs_name_are_there():
    found = 0
    for path in (REPOSITORY / 'configs').rglob('*.py'):
        for name in re.findall(r'\b(?:configs|tools)/[\w./-]+\.(?:py|sh|md)\b', path.read_text()):
            found += 1
            assert (REPOSITORY / name).is_file(), f'{path} names {name}'
    assert found > 10
