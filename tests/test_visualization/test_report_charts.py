"""Inline SVG: what is drawn, where."""

import re
from xml.etree import ElementTree

import pytest

from mmforecast.visualization.report import Series, line_chart
from mmforecast.visualization.report.charts import NUM_STYLES, nice_ticks, swatch

SVG = '{http://www.w3.org/2000/svg}'


def parse(svg):
    plain = str.replace(svg, '<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return ElementTree.fromstring(plain)


def texts(tree, name):
    found = tree.iter(f'{SVG}text')
    return [text.text for text in found if name in text.get('class').split()]


def corners(path):
    return [tuple(map(float, pair)) for pair in re.findall(r'([\d.]+) ([\d.]+)', path.get('d'))]


@pytest.mark.parametrize(
    'low, high, ticks',
    [
        (0, 100, [0, 25, 50, 75, 100]),
        (12.3, 47.9, [10, 20, 30, 40, 50]),
        (0.81, 0.97, [0.8, 0.85, 0.9, 0.95, 1.0]),
        (-3, 3, [-4, -2, 0, 2, 4]),
        (100, 100, [100, 125]),
        (0, 0, [0, 0.25]),
    ],
)
def test_ticks_are_round_and_cover_the_range(low, high, ticks):
    assert nice_ticks(low, high) == pytest.approx(ticks)


def test_points_lie_where_their_values_are():
    tree = parse(line_chart([Series('a', [(1, 0, None), (3, 100, None)], 0)], 'steps ahead', 'x (%)'))
    (line,) = [p for p in tree.iter(f'{SVG}path') if p.get('class') == 'line']
    (x0, y0), (x1, y1) = corners(line)
    rows = {t.text: float(t.get('y')) - 4 for t in tree.iter(f'{SVG}text') if 'end' in t.get('class')}
    columns = {t.text: float(t.get('x')) for t in tree.iter(f'{SVG}text') if t.get('class') == 'tick middle'}
    assert (y0, y1) == pytest.approx((rows['0'], rows['100']), abs=0.11)
    assert (x0, x1) == pytest.approx((columns['1'], columns['3']), abs=0.11)
    assert texts(tree, 'label') == ['steps ahead', 'x (%)']
    assert [title.text for title in tree.iter(f'{SVG}title')] == [
        'a: 0.0 at 1 steps ahead',
        'a: 100.0 at 3 steps ahead',
    ]
    assert tree.get('aria-label') == 'x (%) against steps ahead: a from 0.0 to 100.0'


def test_seeds_get_a_band():
    points = [(1, 50, 5.0), (2, 40, 10.0)]
    tree = parse(line_chart([Series('a', points, 1)], 's', 'mIoU'))
    (band,) = [p for p in tree.iter(f'{SVG}path') if 'band' in p.get('class')]
    (_, top), (_, top2), (_, low2), (_, low) = corners(band)
    assert low2 - top2 == pytest.approx(2 * (low - top), abs=0.3)
    assert 'a: 50.0 ± 5.0 at 1 s' in [title.text for title in tree.iter(f'{SVG}title')]
    alone = line_chart([Series('a', [(1, 50, None), (2, 40, None)], 1)], 's', 'mIoU')
    assert 'band' not in alone


def test_values_without_a_number_are_left_out():
    nan = float('nan')
    tree = parse(line_chart([Series('a', [(1, 5, None), (2, nan, None), (3, 4, None)], 0)], 's', 'y'))
    (line,) = [p for p in tree.iter(f'{SVG}path') if p.get('class') == 'line']
    assert len(corners(line)) == 2
    with pytest.raises(ValueError, match='at least one point with a value: there is no y'):
        line_chart([Series('a', [(1, nan, None)], 0)], 's', 'y')


def test_an_oracle_far_off_is_told_and_not_drawn():
    method = Series('a', [(1, 30, None), (2, 20, None)], 0)
    far, near = (Series('oracle', [(1, y, None), (2, y, None)]) for y in (100, 33))
    tree = parse(line_chart([method, far], 's', 'y'))
    assert texts(tree, 'beyond') == ['oracle, off the chart: 100.0']
    assert '100' not in texts(tree, 'tick')
    assert len([p for p in tree.iter(f'{SVG}path') if p.get('class') == 'line']) == 1
    tree = parse(line_chart([method, near], 's', 'y'))
    assert not texts(tree, 'beyond')
    assert len([p for p in tree.iter(f'{SVG}path') if p.get('class') == 'line']) == 2


def test_lines_differ_by_more_than_their_color(repository):
    css = (repository / 'mmforecast/visualization/report/page.css').read_text()
    assert all(css.count(f'--c{index}: #') == 2 for index in range(NUM_STYLES))  # light and dark
    marks = {str(swatch(Series('a', [], index))).split('7.0', 1)[1] for index in range(NUM_STYLES)}
    assert len(marks) == NUM_STYLES


def test_names_are_escaped():
    svg = line_chart([Series('<b> & "c"', [(1, 1, None)], 0)], '<x>', '<y>')
    assert '<b>' not in svg and '<x>' not in svg and '<y>' not in svg
    assert parse(svg).get('aria-label').startswith('<y> against <x>: <b> & "c" from')
