"""Schedules of the configs: each ends where its training does."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config

REPOSITORY = Path(__file__).resolve().parents[1]
FILES = sorted(path for path in (REPOSITORY / 'configs').rglob('*.py') if '_base_' not in path.parts)


def schedulers(node):
    """All schedulers, also those of several optimizers."""
    if isinstance(node, dict):
        return [node] if 'type' in node else [s for part in node.values() for s in schedulers(part)]
    return [s for part in node or () for s in schedulers(part)]


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


def test_files_that_configs_name_are_there():
    found = 0
    for path in (REPOSITORY / 'configs').rglob('*.py'):
        for name in re.findall(r'\b(?:configs|tools)/[\w./-]+\.(?:py|sh|md)\b', path.read_text()):
            found += 1
            assert (REPOSITORY / name).is_file(), f'{path} names {name}'
    assert found > 10
