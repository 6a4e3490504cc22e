"""Result tables in their three styles."""

import csv
import io

import numpy as np
import pytest

from mmforecast.evaluation import format_table
from mmforecast.evaluation.score_style import score_style

ROWS = [
    {'Method': 'copy-last', 'mIoU': [40.0, 42.0], 'PSNR': 20.04, 'Params': 0},
    {'Method': 'S2S', 'mIoU': [50.0, 50.0], 'PSNR': float('nan'), 'Params': 1654950},
    {'Method': 'oracle', 'mIoU': [99.9]},
]


def test_text_is_aligned():
    assert format_table(ROWS).splitlines() == [
        'Method           mIoU  PSNR   Params',
        '---------  ----------  ----  -------',
        'copy-last  41.0 ± 1.4  20.0        0',
        'S2S        50.0 ± 0.0     -  1654950',
        'oracle           99.9     -        -',
    ]


def test_markdown_marks_the_best_that_may_win():
    table = format_table(
        ROWS,
        columns=['Method', 'mIoU', 'PSNR'],
        style='markdown',
        decimals=2,
        best={'mIoU': 'max', 'PSNR': 'min'},
        unranked=['oracle'],
    )
    assert table.splitlines() == [
        '| Method    |             mIoU |      PSNR |',
        '|-----------|-----------------:|----------:|',
        '| copy-last |     41.00 ± 1.41 | **20.04** |',
        '| S2S       | **50.00 ± 0.00** |         - |',
        '| oracle    |            99.90 |         - |',
    ]


def test_the_best_may_be_the_nearest_to_1():
    rows = [{'Method': name, 'energy': value} for name, value in [('a', 0.91), ('b', 1.05), ('c', [0.9, 1.0])]]
    rows += [{'Method': 'oracle', 'energy': 1.0}, {'Method': 'd', 'energy': 0.95}]
    table = format_table(rows, style='markdown', decimals=2, best={'energy': 'one'}, unranked=['oracle'])
    assert table.count('**') == 6 and '**1.05**' in table and '**0.95' in table
    assert score_style('energy-MO').best == 'one' and score_style('t+1/energy').decimals == 3


def test_what_rounds_to_the_best_is_best():
    rows = [{'Method': name, 'mIoU': value} for name, value in [('a', 50.04), ('b', 49.96), ('c', 49.94)]]
    table = format_table(rows, style='markdown', best={'mIoU': 'max'})
    assert table.count('**50.0**') == 2
    assert '**49.9**' not in table


def test_pipes_do_not_break_markdown():
    table = format_table([{'Method': 'a|b', 'mIoU': 1.0}], style='markdown')
    assert r'a\|b' in table


def test_csv_reads_back_as_numbers():
    rows = list(csv.DictReader(io.StringIO(format_table(ROWS, style='csv', decimals=2))))
    assert list(rows[0]) == ['Method', 'mIoU', 'mIoU std', 'PSNR', 'Params']
    assert [float(rows[0]['mIoU']), float(rows[0]['mIoU std'])] == [41.0, 1.41]
    assert (rows[1]['PSNR'], rows[2]['mIoU std'], rows[2]['Params']) == ('', '', '')


def test_numpy_values_are_numbers_too():
    rows = [{'n': np.int64(3), 'x': np.float32(1.25), 'seeds': np.array([1.0, 3.0])}]
    assert format_table(rows).splitlines()[-1].split() == ['3', '1.2', '2.0', '±', '1.4']


@pytest.mark.parametrize(
    'kwargs, message',
    [
        ({'style': 'html'}, "style must be one of .*got 'html'"),
        ({'best': {'AP': 'max'}}, "best must map columns .*'AP'"),
        ({'best': {'mIoU': 'most'}}, "best must map columns .*'most'"),
        ({'columns': []}, 'at least one column'),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        format_table(ROWS, **kwargs)


def test_columns_have_digits_of_their_own():
    rows = [
        {'Method': 'a', 'SSIM': [0.9124, 0.9126], 'PSNR': 24.54, 'AP': 10.25},
        {'Method': 'b', 'SSIM': 0.9126, 'PSNR': 24.51, 'AP': 10.24},
    ]
    settings = dict(decimals={'SSIM': 3, 'PSNR': 1}, best={'SSIM': 'max', 'PSNR': 'min'})
    assert [line.split() for line in format_table(rows, style='text', **settings).splitlines()] == [
        ['Method', 'SSIM', 'PSNR', 'AP'],
        ['------', '-------------', '----', '----'],
        ['a', '0.912', '±', '0.000', '24.5', '10.2'],
        ['b', '0.913', '24.5', '10.2'],
    ]
    marked = format_table(rows, style='markdown', **settings)
    # Of the digits that are shown, one SSIM is the best, and both PSNR are.
    assert '**0.913**' in marked and '**0.912' not in marked and marked.count('**24.5**') == 2
    assert format_table(rows, style='csv', **settings).splitlines()[2] == 'b,0.913,,24.5,10.2'


@pytest.mark.parametrize(
    'name, label, decimals, best',
    [
        ('mIoU', 'mIoU (%)', 1, 'max'),
        ('SEG/IoU-MO', 'SEG/IoU-MO (%)', 1, 'max'),
        ('PSNR-iclr16-flow', 'PSNR-iclr16-flow (dB)', 2, 'max'),
        ('t+2/SSIM-MO', 't+2/SSIM-MO', 3, 'max'),
        ('LPIPS', 'LPIPS', 3, 'min'),
    ],
)
def test_scores_are_read_by_their_names(name, label, decimals, best):
    style = score_style(name)
    assert (style.label(name), style.decimals, style.best) == (label, decimals, best)
