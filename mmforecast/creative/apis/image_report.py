"""Tables and pictures of an evaluation of images."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmforecast.evaluation.table import format_table
from mmforecast.fileio.atomic import write_atomically, write_png
from mmforecast.visualization import image_grid

from .creativity_calibration import calibration_figure
from .evaluate_images import REAL, Evaluation
from .image_sets import ImageSet

__all__ = ['merge_rows', 'nearest_picture', 'save_report', 'sheet']

_STYLES = dict(text='txt', markdown='md', csv='csv')


def merge_rows(rows: Sequence[dict]) -> list[dict]:
    """Rows of one name become one, with a list of a value per seed."""
    merged: dict[str, dict] = {}
    for row in rows:
        columns = merged.setdefault(row['set'], {key: [] for key in row})
        for key, value in row.items():
            columns[key].append(value)
    return [
        {
            key: values[0] if len(values) == 1 or key in ('set', 'images') else values
            for key, values in columns.items()
        }
        for columns in merged.values()
    ]


def sheet(images: ImageSet, number: int = 64, seed: int = 0) -> np.ndarray:
    """Images of a set, drawn at random, eight in a row."""
    chosen = np.random.default_rng(seed).permutation(len(images))[:number]
    return image_grid([_pixels(images, index) for index in chosen], columns=8, cell=_cell(images))


def nearest_picture(
    images: ImageSet, train: ImageSet, distances: np.ndarray, numbers: np.ndarray, rows: int = 8
) -> np.ndarray:
    """Images beside their nearest training images, with distances: those nearest to any first.

    Args:
        images: Their first column.
        train: Where the others are from.
        distances, numbers: (N, k), see :func:`~mmforecast.evaluation.functional.nearest`.
        rows: How many images.
    """
    k = min(distances.shape[1], 8)
    cells, captions = [], []
    for index in np.argsort(distances[:, 0])[:rows]:
        cells += [_pixels(images, index)] + [_pixels(train, n) for n in numbers[index, :k]]
        captions += [images.names[index][-16:]] + [f'{d:.3g}' for d in distances[index, :k]]
    return image_grid(cells, columns=k + 1, cell=_cell(images), captions=captions)


def _cell(images: ImageSet, about: int = 96) -> int:
    """The side of a cell near ``about`` pixels that shows images at a whole-number scale."""
    side = images.images.shape[-1]
    return side * max(1, round(about / side))


def save_report(
    evaluation: Evaluation,
    sets: Sequence[ImageSet],
    train: ImageSet,
    notes: Sequence[str],
    folder: Path,
) -> None:
    """Write ``table.{txt,md,csv}``, ``per_image.csv``, where there is a calibration ``calibration.csv`` and
    ``<attribute>_calibration.png``, and by set ``<set>_images.png`` and
    ``<set>_nearest.png``.

    Args:
        evaluation: Of ``sets``.
        sets: The held-out real images first, then the others in order.
        train: The training images.
        notes: Sentences put below the text and Markdown tables.
        folder: Made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = merge_rows(evaluation.rows)
    for style, ending in _STYLES.items():
        text = format_table(rows, style=style, decimals=3, unranked=(REAL,))
        if style != 'csv' and notes:
            text += '\n\n' + '\n'.join(notes)
        write_atomically(str(folder / f'table.{ending}'), f'{text}\n'.encode())
    write_atomically(str(folder / 'per_image.csv'), _csv(evaluation.per_image).encode())
    if evaluation.calibration is not None:
        write_atomically(str(folder / 'calibration.csv'), _csv(evaluation.calibration.rows()).encode())
        for attribute in evaluation.calibration.points:
            path = folder / f'{attribute}_calibration.png'
            calibration_figure(evaluation.calibration, attribute, evaluation.rows, path)
    taken: dict[str, int] = {}
    for images, (distances, numbers) in zip(sets, evaluation.neighbors):
        stem = ''.join(c if c.isalnum() or c in '-_' else '-' for c in images.name).strip('-')
        taken[stem] = taken.get(stem, 0) + 1
        stem = f'{stem}-{taken[stem]}' if taken[stem] > 1 else stem
        write_png(folder / f'{stem}_images.png', sheet(images))
        write_png(folder / f'{stem}_nearest.png', nearest_picture(images, train, distances, numbers))


def _csv(rows: Sequence[dict]) -> str:
    buffer = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(buffer, columns, lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _pixels(images: ImageSet, index: int) -> np.ndarray:
    return images.images[index].numpy().transpose(1, 2, 0)
