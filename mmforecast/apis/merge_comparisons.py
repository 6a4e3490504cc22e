"""Tables of several comparisons as one, in groups of methods that start from the same representation."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmforecast.evaluation.table import format_groups

from .compare import METRICS, comparison_columns, table_style

__all__ = ['merge_rows', 'merged_table', 'read_comparison']


def read_comparison(folder: Path) -> list[dict]:
    """The rows that :func:`~.compare.save_comparison` has written into a folder.

    Raises:
        FileNotFoundError: It holds no ``table.json``.
    """
    path = Path(folder, 'table.json')
    if not path.exists():
        raise FileNotFoundError(f'{folder} has no table.json: give a folder that compare wrote with --out')
    return json.loads(path.read_text())


def merge_rows(tables: Mapping[str, Sequence[dict]]) -> list[dict]:
    """The rows of several tables on the same clips and representation, the oracle's last.

    Rows of one name, such as a baseline that stands in two tables, become one.

    Args:
        tables: Where a table comes from, for messages, to its rows.

    Raises:
        ValueError: Two rows of one name have different values in a column.
    """
    merged: dict[str, dict] = {}
    origin: dict[tuple[str, str], str] = {}
    for place, rows in tables.items():
        for row in rows:
            name = row['method']
            known = merged.setdefault(name, {})
            for column, value in row.items():
                # as they are written, so that a score that is not a number is the same in both
                if json.dumps(known.setdefault(column, value)) != json.dumps(value):
                    raise ValueError(
                        f'{column} of {name} is {value} in {place}, but {known[column]} in '
                        f'{origin[name, column]}: tables of one group need the same test clips and encoder'
                    )
                origin.setdefault((name, column), place)
    oracle = merged.pop('oracle', None)
    return [*merged.values(), *([oracle] if oracle else [])]


def merged_table(
    groups: Mapping[str, Sequence[dict]], metrics: Sequence[str] = METRICS, style: str = 'text'
) -> str:
    """One table of groups of rows, with the best score of each group in bold in Markdown.

    Args:
        groups: Name to rows, as of :func:`merge_rows`.
        metrics: Scores to show, in order.
        style: 'text' or 'markdown'.
    """
    columns = comparison_columns([row for rows in groups.values() for row in rows], metrics)
    return format_groups(groups, columns, style, **table_style(columns))
