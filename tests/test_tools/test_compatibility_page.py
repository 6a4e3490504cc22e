"""The page of compatibility: its table of Pythons and stacks, and what the matrix of tests puts there."""

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'tools/misc'
PAGE = (ROOT / 'docs/compatibility.md').read_text(encoding='utf-8')


@pytest.fixture
def matrix(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    yield runpy.run_path(str(TOOLS / 'test_matrix.py'))
    for name in [name for name in sys.modules if name.partition('.')[0] == 'compatibility']:
        del sys.modules[name]


def row(python, stack, result, operators='pytorch'):
    return [python, stack, '2.13.0', '2.4.6', '84.2.1', operators, 'tests/test_models', result]


def test_rows_are_sorted_and_replace_those_of_their_python_stack_and_operators(matrix):
    add = matrix['with_matrix_rows']
    page = add(
        PAGE, [row('3.13.0', 'forks', 'old'), row('3.9.1', 'forks', 'first'), row('3.13.0', 'upstream', 'x')]
    )
    page = add(page, [row('3.13.5', 'forks', 'new'), row('3.13.5', 'upstream', 'kernels', 'torchvision')])
    rows = re.findall(r'^\| 3\.(\d+)\.\d+ \| (\w+) \|.* \| (\w+) \|$', page, flags=re.MULTILINE)
    assert [each for each in rows if each[2] in ('first', 'x', 'new', 'old', 'kernels')] == [
        ('9', 'forks', 'first'), ('13', 'upstream', 'x'), ('13', 'upstream', 'kernels'),
        ('13', 'forks', 'new'),
    ]  # fmt: skip
    assert page.partition('## Networks')[2] == PAGE.partition('## Networks')[2]
    assert add(page, []) == page


def test_a_new_page_of_networks_keeps_the_rows():
    page_of = runpy.run_path(str(TOOLS / 'compatibility/page.py'))['page_of']
    with_rows = runpy.run_path(str(TOOLS / 'compatibility/page.py'))['with_matrix_rows']
    former = with_rows(PAGE, [row('3.12.1', 'upstream', '9 passed in 1 min')])
    assert with_rows(page_of([], former), []) == page_of([], former)
    assert '| 3.12.1 | upstream |' in page_of([], former)


@pytest.mark.parametrize(
    'output, words',
    [
        ('....\n611 passed, 3 skipped in 61.20s (0:01:01)\n', '611 passed, 3 skipped in 2 min'),
        (
            'FAILED tests/test_models/test_x.py::test_y - AssertionError\n1 failed, 2 passed in 3.1s',
            '1 failed, 2 passed in 2 min, `test_x.py::test_y`',
        ),
        ('ERROR tests/test_models/test_x.py\n1 error in 3.1s', '1 error in 2 min, `test_x.py`'),
        ('3 passed in 1.2s\n-----\nException occurred in a thread', '3 passed in 2 min'),
        ('no tests ran\n', 'no summary in 2 min'),
    ],
)
def test_outcome_tells_counts_and_failures(matrix, output, words):
    assert matrix['outcome'](output, 120) == words


def test_every_stack_has_requirements(matrix):
    assert matrix['distributions']('upstream') == ['mmcv-lite', 'mmdet', 'mmengine', 'mmsegmentation']
    assert all(name.startswith('onedl-') for name in matrix['distributions']('forks'))
