"""Image lists: one row per image with its labels by attribute, as CSV or JSON."""

import csv
import difflib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmforecast.creative import MISSING_LABEL
from mmforecast.datasets.text_files import read_text

__all__ = ['ImageList', 'ImageRow', 'label_index', 'read_image_list']

# The columns of a list that are no attributes.
RESERVED = ('img_path', 'mask_path', 'split')


@dataclass
class ImageRow:
    """One image of a list.

    Attributes:
        img_path: As written in the list.
        labels: Class name by attribute; '' where it is not labeled.
        mask_path: As written, '' for none.
        split: '' where the list has no splits.
        where: Place in the file, for messages.
    """

    img_path: str
    labels: dict[str, str]
    mask_path: str = ''
    split: str = ''
    where: str = ''


@dataclass
class ImageList:
    """What a list holds: its rows, and sorted class names by attribute, of all splits together."""

    rows: list[ImageRow]
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_image_list(path: str) -> ImageList:
    """Read a CSV file with a header, or a JSON file with a list of objects.

    ``img_path`` is needed; ``mask_path`` and ``split`` are optional; every other column is an attribute. An
    empty field is a missing label. Class names keep their case; blanks around them are taken off.

    Args:
        path: ``*.csv`` or ``*.json``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is neither, not UTF-8, has no rows, no ``img_path``, or a malformed row.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f'there is no image list at {path}')
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in ('.csv', '.json'):
        raise ValueError(f'{path} must be a .csv or .json file')
    text = read_text(path)
    records = _csv_records(text, path) if suffix == '.csv' else _json_records(text, path)
    rows = [_row(record, where) for record, where in records]
    if not rows:
        raise ValueError(f'{path} lists no image')
    attributes = list(dict.fromkeys(name for row in rows for name in row.labels))
    for row in rows:
        row.labels = {name: row.labels.get(name, '') for name in attributes}
    classes = {name: tuple(sorted({row.labels[name] for row in rows} - {''})) for name in attributes}
    return ImageList(rows, classes)


def label_index(name: str, classes: Sequence[str], attribute: str, where: str) -> int:
    """The index of a class; -1 for an empty name.

    Raises:
        ValueError: ``classes`` has no such name.
    """
    if not name:
        return MISSING_LABEL
    if name not in classes:
        close = difflib.get_close_matches(name, classes, n=1)
        hint = f'; did you mean {close[0]!r}?' if close else ''
        raise ValueError(f'{where}: {attribute} is {name!r}, but its classes are {", ".join(classes)}{hint}')
    return list(classes).index(name)


def _csv_records(text: str, path: str) -> list[tuple[dict, str]]:
    try:
        reader = csv.DictReader(io.StringIO(text), strict=True)
        header = [name.strip() for name in reader.fieldnames or ()]
        if len(set(header)) < len(header) or '' in header:
            raise ValueError(f'{path}: the header has an empty or repeated column: {header}')
        reader.fieldnames = header
        records = []
        for record in reader:
            where = f'{path}, line {reader.line_num}'
            if None in record or None in record.values():
                raise ValueError(f'{where} has not as many fields as the header ({len(header)})')
            records.append((record, where))
        return records
    except csv.Error as error:
        raise ValueError(f'{path} is no well-formed CSV file: {error}') from error


def _json_records(text: str, path: str) -> list[tuple[dict, str]]:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is no well-formed JSON file: {error}') from error
    if not isinstance(records, list) or not all(isinstance(entry, Mapping) for entry in records):
        raise ValueError(
            f'{path} must hold a list of objects such as {{"img_path": "a.jpg", "shape": "dress"}}'
        )
    return [(entry, f'{path}, entry {number}') for number, entry in enumerate(records)]


def _row(record: Mapping, where: str) -> ImageRow:
    for key, value in record.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f'{where}: {key} must be text, got {value!r}')
    values = {key: (value or '').strip() for key, value in record.items()}
    if not values.get('img_path'):
        raise ValueError(f'{where} has no img_path, the column with the path of the image')
    labels = {key: value for key, value in values.items() if key not in RESERVED}
    return ImageRow(values['img_path'], labels, values.get('mask_path', ''), values.get('split', ''), where)
