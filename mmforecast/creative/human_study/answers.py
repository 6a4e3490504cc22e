"""Reading what comes back: the key, the raters' forms and the images' metrics."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .export import KEY_COLUMNS
from .questions import QUESTIONS

__all__ = ['Answer', 'read_answers', 'read_key', 'read_metrics']


@dataclass(frozen=True)
class Answer:
    """What one rater says of one image.

    Attributes:
        rater: Name of the form, without its ending.
        item: Number of the image.
        values: By question; what was left empty is missing.
    """

    rater: str
    item: str
    values: Mapping[str, float]


def read_key(path: Path) -> dict[str, tuple[str, str]]:
    """Set and file name by item.

    Raises:
        FileNotFoundError, ValueError: The file is missing, no CSV, lacks a column, or repeats an item.
    """
    key: dict[str, tuple[str, str]] = {}
    for where, row in _rows(path, KEY_COLUMNS):
        if row['item'] in key:
            raise ValueError(f'{where} repeats item {row["item"]}')
        key[row['item']] = (row['set'], row['image'])
    return key


def read_answers(paths: Sequence[Path], key: Mapping[str, tuple[str, str]]) -> list[Answer]:
    """All forms.

    Args:
        paths: One form per rater.
        key: See :func:`read_key`.

    Raises:
        FileNotFoundError, ValueError: A form is missing, no CSV, lacks a column, names an unknown item or one
            twice, has an answer that is no option, or all forms are empty.
    """
    answers: list[Answer] = []
    seen: dict[str, Path] = {}
    for path in paths:
        if path.stem in seen:
            raise ValueError(
                f'{path} and {seen[path.stem]} are of one rater by their names: rename one, or leave it out'
            )
        seen[path.stem] = path
        answers += _read_form(path, key)
    if not any(answer.values for answer in answers):
        raise ValueError('none of the forms holds an answer: are they the ones that were filled in?')
    return answers


def _read_form(path: Path, key: Mapping[str, tuple[str, str]]) -> list[Answer]:
    answers: dict[str, Answer] = {}
    for where, row in _rows(path, ('item', *(question.name for question in QUESTIONS))):
        item = row['item']
        if item not in key:
            raise ValueError(f'{where}: item {item!r} is not in the key: is it of another study?')
        if item in answers:
            raise ValueError(f'{where} repeats item {item}')
        values = {}
        for question in QUESTIONS:
            if not row[question.name]:
                continue
            value = question.value(row[question.name])
            if value is None:
                raise ValueError(
                    f'{where}: {question.name} is {row[question.name]!r}, but must be one of '
                    f'{", ".join(question.options)}, or empty'
                )
            values[question.name] = value
        answers[item] = Answer(path.stem, item, values)
    return list(answers.values())


def read_metrics(path: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Metrics of single images by set and file name, as ``evaluate_images.py`` writes ``per_image.csv``.

    Columns that hold no numbers are left out; an empty field is a missing value.

    Raises:
        FileNotFoundError, ValueError: The file is missing, no CSV, or lacks ``set`` or ``image``.
    """
    metrics = {}
    for _, row in _rows(path, ('set', 'image')):
        numbers = {name: _number(text) for name, text in row.items() if name not in ('set', 'image')}
        known = {name: value for name, value in numbers.items() if value is not None}
        metrics[row['set'], row['image']] = known
    return metrics


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _rows(path: Path, columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The rows of a CSV file that has ``columns``, each with its place; blanks are taken off."""
    if not path.is_file():
        raise FileNotFoundError(f'there is no file {path}')
    try:
        text = path.read_text(encoding='utf-8-sig')
        # Spreadsheets of many countries write semicolons.
        delimiter = ';' if text.partition('\n')[0].count(';') else ','
        reader = csv.DictReader(text.splitlines(), delimiter=delimiter, strict=True)
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        missing = [name for name in columns if name not in reader.fieldnames]
        if missing:
            raise ValueError(
                f'{path} has no column {", ".join(missing)}: its first line must name the columns '
                f'{", ".join(columns)}'
            )
        rows = []
        for row in reader:
            where = f'{path}, line {reader.line_num}'
            if None in row or None in row.values():
                raise ValueError(
                    f'{where} has not as many fields as the first line ({len(reader.fieldnames)})'
                )
            rows.append((where, {name: value.strip() for name, value in row.items()}))
        return rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f'{path} is no CSV file in UTF-8: {error}') from error
