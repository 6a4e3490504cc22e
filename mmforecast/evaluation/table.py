"""Result tables as aligned text, Markdown or CSV."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from mmforecast.utils.checks import check_choice

_STYLES = ('text', 'markdown', 'csv')


class Cell(NamedTuple):
    """A value as a table shows it, and whether it is the best of its column."""

    text: str
    best: bool


def format_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
    style: str = 'text',
    decimals: int | Mapping[str, int] = 1,
    best: Mapping[str, str] | None = None,
    unranked: Sequence[str] = (),
) -> str:
    """Render a table.

    Args:
        rows: One mapping per row, column name to value. A value is text, an integer (printed as it
            is), a float (rounded), or a sequence of floats, one per seed, which is shown as
            ``mean ± std`` (std of the sample, n - 1; one alone has none). No key, None or NaN means no value.
        columns: Columns to show, in order. All of the rows' keys in order of appearance if None.
        style: 'text' (aligned), 'markdown' or 'csv'. No value is ``-``, in CSV an empty field; CSV
            gives the deviation a column of its own, named after the value's, plus ' std'.
        decimals: Digits after the point, of all columns, or by column; 1 where it names none.
        best: Column name to 'max', 'min' or 'one' (nearest to 1): Markdown sets the best value of these
            columns in bold, and so every row that shows the same rounded value.
        unranked: First-column values of rows that take no part in ``best``, such as an oracle.

    Returns:
        The table, one line per row below the header, without a final newline.

    Raises:
        ValueError: Unknown ``style``, no column at all, or ``best`` names an unknown column or
            direction.
    """
    check_choice('format_table', _STYLES, style=style)
    if columns is None:
        columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        raise ValueError('a table needs at least one column: give columns, or rows with values')
    best = dict(best or {})
    for column, direction in best.items():
        if column not in columns or direction not in ('max', 'min', 'one'):
            raise ValueError(
                f"best must map columns of {list(columns)} to 'max', 'min' or 'one', got '{column}': "
                f"'{direction}'"
            )
    if style == 'csv':
        return _as_csv(rows, columns, _digits(columns, decimals))
    cells = _marked(table_cells(rows, columns, decimals, best, unranked), style)
    return _aligned(columns, cells, [is_numeric(rows, column) for column in columns], style)


def format_groups(
    groups: Mapping[str, Sequence[Mapping[str, Any]]],
    columns: Sequence[str],
    style: str = 'text',
    **settings,
) -> str:
    """Render one table of several groups of rows, each below a line with its name.

    Args:
        groups: Name to rows.
        columns: Columns to show, in order.
        style: 'text' or 'markdown'.
        settings: ``decimals``, ``best`` and ``unranked`` of :func:`format_table`; the best is found within
            each group.
    """
    check_choice('format_groups', ('text', 'markdown'), style=style)
    mark = _mark(style)
    lines = []
    for name, rows in groups.items():
        lines.append([f'{mark}{name}{mark}', *[''] * (len(columns) - 1)])
        lines += _marked(table_cells(rows, columns, **settings), style)
    rows = [row for group in groups.values() for row in group]
    return _aligned(columns, lines, [is_numeric(rows, column) for column in columns], style)


def _mark(style: str) -> str:
    return '**' if style == 'markdown' else ''


def _marked(lines: Sequence[Sequence[Cell]], style: str) -> list[list[str]]:
    mark = _mark(style)
    return [[f'{mark}{cell.text}{mark}' if cell.best else cell.text for cell in line] for line in lines]


def table_cells(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    decimals: int | Mapping[str, int] = 1,
    best: Mapping[str, str] | None = None,
    unranked: Sequence[str] = (),
) -> list[list[Cell]]:
    """The cells of a table row by row; arguments as for :func:`format_table`."""
    digits, best = _digits(columns, decimals), best or {}
    ranked = [row.get(columns[0]) not in unranked for row in rows]
    lines: list[list[Cell]] = [[] for _ in rows]
    for column, number in zip(columns, digits):
        wins = _winners(rows, column, number, best.get(column), ranked)
        for line, row, won in zip(lines, rows, wins):
            line.append(Cell(_cell(row.get(column), number), won))
    return lines


def _digits(columns: Sequence[str], decimals: int | Mapping[str, int]) -> list[int]:
    if not isinstance(decimals, Mapping):
        return [decimals] * len(columns)
    return [decimals.get(column, 1) for column in columns]


def _is_value(value: Any) -> bool:
    return value is not None and not (isinstance(value, Real) and math.isnan(value))


def _over_seeds(value: Any) -> bool:
    return isinstance(value, (list, tuple, np.ndarray))


def _mean_std(value: Sequence[float]) -> tuple:
    """Mean and sample deviation; None for what is not defined."""
    values = np.asarray(value, dtype=np.float64)
    mean = float(values.mean()) if values.size else None
    return mean, float(values.std(ddof=1)) if values.size > 1 else None


def _cell(value: Any, decimals: int) -> str:
    if _over_seeds(value):
        mean, std = _mean_std(value)
        text = _cell(mean, decimals)
        return text if std is None or not _is_value(std) else f'{text} ± {std:.{decimals}f}'
    if not _is_value(value):
        return '-'
    if isinstance(value, Real) and not isinstance(value, (int, np.integer)):
        return f'{value:.{decimals}f}'
    return str(value)


def _score(value: Any) -> float | None:
    """The number a value is ranked by, or None."""
    if _over_seeds(value):
        value = _mean_std(value)[0]
    return float(value) if isinstance(value, Real) and _is_value(value) else None


def is_numeric(rows: Sequence[Mapping], column: str) -> bool:
    """True where a column holds no text."""
    values = [row.get(column) for row in rows]
    return all(_score(value) is not None or not isinstance(value, str) for value in values)


def _winners(
    rows: Sequence[Mapping], column: str, digits: int, direction: str | None, ranked: Sequence[bool]
) -> list[bool]:
    """By row, whether its rounded value is the column's best."""
    scores = [
        _score(row.get(column)) if may_win and direction else None
        for row, may_win in zip(rows, ranked, strict=True)
    ]
    scores = [None if score is None else round(score, digits) for score in scores]
    if direction == 'one':
        scores = [None if score is None else round(abs(score - 1), digits) for score in scores]
    known = [score for score in scores if score is not None]
    winner = (max if direction == 'max' else min)(known, default=None)
    return [score is not None and score == winner for score in scores]


def _aligned(columns: Sequence[str], cells: list[list[str]], numeric: Sequence[bool], style: str) -> str:
    """Names to the left, numbers to the right, in columns of equal width."""
    lines = [list(columns)] + cells
    if style == 'markdown':
        lines = [[cell.replace('|', r'\|') for cell in line] for line in lines]
    widths = [max(3, *(len(line[index]) for line in lines)) for index in range(len(columns))]

    def pad(line: Sequence[str]) -> list[str]:
        return [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]

    if style == 'text':
        rule = '  '.join('-' * width for width in widths)
        body = ['  '.join(pad(line)).rstrip() for line in lines]
        return '\n'.join([body[0], rule, *body[1:]])
    rule = '|'.join(
        '-' * (width + 1) + (':' if right else '-') for width, right in zip(widths, numeric, strict=True)
    )
    body = [f'| {" | ".join(pad(line))} |' for line in lines]
    return '\n'.join([body[0], f'|{rule}|', *body[1:]])


def _as_csv(rows: Sequence[Mapping], columns: Sequence[str], digits: Sequence[int]) -> str:
    with_std = [column for column in columns if any(_over_seeds(row.get(column)) for row in rows)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow(
        [
            name
            for column in columns
            for name in ([column, f'{column} std'] if column in with_std else [column])
        ]
    )
    for row in rows:
        fields = []
        for column, decimals in zip(columns, digits):
            value = row.get(column)
            mean, std = _mean_std(value) if _over_seeds(value) else (value, None)
            shown = [mean, std] if column in with_std else [mean]
            fields += [_cell(item, decimals) if _is_value(item) else '' for item in shown]
        writer.writerow(fields)
    return buffer.getvalue().rstrip('\n')
