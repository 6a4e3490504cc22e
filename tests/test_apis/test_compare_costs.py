"""Costs beside scores, and tables of several comparisons as one."""

import copy
import json

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmforecast.apis import (
    Entry,
    baseline_entries,
    compare,
    compare_costs,
    comparison_columns,
    load_config,
    save_comparison,
)
from mmforecast.apis.compare_costs import add_costs, training_minutes
from mmforecast.apis.evaluate import build_loader
from mmforecast.apis.merge_comparisons import merge_rows, merged_table, read_comparison
from mmforecast.fileio.plain_state import to_plain


@pytest.fixture
def cfg(repository, street_root):
    return load_config(
        str(repository / 'configs/s2s/s2s_warp_tiny_synthetic.py'),
        {
            'test_dataloader.dataset.data_root': str(street_root),
            'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
            'test_evaluator.per_class_table': False,
        },
    )


def checkpoint(path, seconds, load_from=None):
    """A checkpoint of a training whose iterations took so long."""
    times = HistoryBuffer(np.array(seconds, float), np.ones(len(seconds), int))
    hub = dict(
        log_scalars=to_plain({'train/time': times}, []),
        runtime_info=dict(cfg=f'load_from = {load_from!r}\n'),
    )
    torch.save(dict(state_dict={}, message_hub=hub), path)
    return str(path)


def test_multiply_adds_of_the_longest_forecast(cfg):
    """One convolution of 3x3 from 4 frames of 19 classes to 1, on 64x128, at each of three steps."""
    plain = dict(type='MultiScalePredictor', widths=((),), kernels=((3,),))
    direct = dict(type='F2MFPredictor', radius=1, embedding=4, shared_widths=(4,), lead=3)
    entries = [
        *baseline_entries(cfg, ['copy-last', 'flow']),
        Entry('one layer', cfg, model=dict(predictor=plain)),
        Entry('direct', cfg, model=dict(predictor=direct)),
    ]
    one_step = 64 * 128 * 9 * (4 * 19) * 19 / 1e9
    before = cfg.pretty_text
    rows = compare(entries, horizons=[1, 3])
    add_costs(rows, entries, 3)
    assert cfg.pretty_text == before, 'the horizons are set in copies'
    assert [row['GMAC'] for row in rows[:3]] == [0, 0, pytest.approx(3 * one_step)]  # no optical flow
    assert rows[3]['GMAC'] > 0
    for row in rows:
        del row['GMAC']
    add_costs(rows, entries, 1)
    assert rows[2]['GMAC'] == pytest.approx(one_step)
    assert 'GMAC' not in rows[3], 'it gives three steps per call'
    assert comparison_columns(rows)[:3] == ['method', 'parameters', 'GMAC']


def test_the_data_set_of_all_rows_is_opened_once(cfg, monkeypatch):
    opened = []
    monkeypatch.setattr(compare_costs, 'build_loader', lambda cfg: opened.append(1) or build_loader(cfg))
    entries = baseline_entries(cfg, ['copy-last', 'flow'])
    other = copy.deepcopy(cfg)
    other.test_dataloader.dataset.clip_step = 2
    entries.append(Entry('other data', other, model=entries[0].model))
    rows = [dict(method=entry.name, steps={3}) for entry in entries]
    add_costs(rows, entries, 3)
    assert len(opened) == 2 and all(row['GMAC'] == 0 for row in rows)


def test_training_time_with_that_of_the_training_before(tmp_path):
    first = checkpoint(tmp_path / 'first.pth', [30, 90])
    assert training_minutes(first) == pytest.approx(2)
    assert training_minutes(checkpoint(tmp_path / 'second.pth', [60], first)) == pytest.approx(3)
    torch.save(dict(state_dict={}), tmp_path / 'published.pth')
    assert training_minutes(str(tmp_path / 'published.pth')) is None
    # a part that is not known must not be left out silently
    for start in ('published.pth', 'gone.pth'):
        assert training_minutes(checkpoint(tmp_path / 'third.pth', [60], str(tmp_path / start))) is None


def test_training_times_of_seeds(cfg, tmp_path):
    files = [checkpoint(tmp_path / f'{seed}.pth', [60 * minutes]) for seed, minutes in enumerate((2, 4))]
    entries = [Entry('model', cfg, file) for file in files]
    rows = [dict(method='model', steps={1}, curves={})]
    add_costs(rows, entries, 3)
    assert rows[0]['training, min'] == [2, 4] and 'GMAC' not in rows[0]
    save_comparison(rows, comparison_columns(rows), tmp_path)
    assert '3 ± 1' in (tmp_path / 'table.md').read_text()


def row(name, **scores):
    return {'method': name, 'parameters': 0, **{f'{score} @1s': value for score, value in scores.items()}}


def test_a_saved_comparison_keeps_every_seed(tmp_path):
    rows = [{**row('a', mIoU=[50.123, 51.0]), 'steps': {1}, 'curves': {}, 'unit': 'seconds'}]
    save_comparison(rows, comparison_columns(rows), tmp_path)
    assert read_comparison(tmp_path) == [row('a', mIoU=[50.123, 51.0])]
    with pytest.raises(FileNotFoundError, match=r'has no table\.json: give a folder that compare wrote'):
        read_comparison(tmp_path / 'none')


def test_rows_of_several_tables():
    base = [row('copy-last', mIoU=30.0), row('oracle', mIoU=100.0)]
    more = [row('copy-last', PQ=20.0), row('ours', mIoU=40.0)]
    assert merge_rows({'x': base, 'y': more}) == [
        row('copy-last', mIoU=30.0, PQ=20.0),
        row('ours', mIoU=40.0),
        row('oracle', mIoU=100.0),
    ]
    assert base[0] == row('copy-last', mIoU=30.0), 'the tables are as before'
    unknown = {place: [row('copy-last', PQ=float('nan'))] for place in 'xy'}
    assert len(merge_rows(unknown)) == 1
    with pytest.raises(ValueError, match='mIoU @1s of copy-last is 31.0 in y, but 30.0 in x: tables of one'):
        merge_rows({'x': base, 'y': [row('copy-last', mIoU=31.0)]})


def test_the_best_of_each_group_is_bold():
    groups = {
        'True maps': [row('a', mIoU=40.0, PQ=3.0), row('b', mIoU=50.0), row('oracle', mIoU=100.0)],
        'A segmentor': [row('c', mIoU=[20.0, 22.0]), row('d', mIoU=10.0)],
    }
    lines = merged_table(groups, ['PQ', 'mIoU'], 'markdown').splitlines()
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]
    assert cells[0] == ['method', 'parameters', 'PQ @1s', 'mIoU @1s']
    assert cells[2:] == [
        ['**True maps**', '', '', ''],
        ['a', '0', '**3.0**', '40.0'],
        ['b', '0', '-', '**50.0**'],
        ['oracle', '0', '-', '100.0'],
        ['**A segmentor**', '', '', ''],
        ['c', '0', '-', '**21.0 ± 1.4**'],
        ['d', '0', '-', '10.0'],
    ]


def test_tables_are_merged_by_the_tool(run_tool, capsys, tmp_path):
    for name, score in (('one', 40.0), ('two', 50.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'table.json').write_text(json.dumps([row(name, mIoU=score)]))
    tool = 'analysis_tools/merge_tables.py'
    out = tmp_path / 'new' / 'table.md'
    run_tool(tool, '--group', 'All', tmp_path / 'one', tmp_path / 'two', '--style', 'text', '--out', out)
    printed = capsys.readouterr().out
    assert printed.split() == (
        'method parameters mIoU @1s ------ ---------- -------- All one 0 40.0 two 0 50.0'.split()
    )
    assert out.read_text() == printed
    with pytest.raises(SystemExit):
        run_tool(tool, '--group', 'All')
    assert 'name at least one folder' in capsys.readouterr().err
