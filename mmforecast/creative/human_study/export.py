"""Writing a study: pictures and forms for each rater, and the key, which they must not see."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmforecast.creative.datasets import FitToSquare, LoadRGBImage
from mmforecast.fileio.atomic import write_atomically, write_png
from mmforecast.visualization import image_grid

from .assignment import Item
from .form import render_form
from .questions import QUESTIONS

__all__ = ['KEY_COLUMNS', 'export_study']

KEY_COLUMNS = ('item', 'set', 'image')

_INTRODUCTION = """Open rater_{n}.html in a browser, answer there, and send back the file that it saves.

Or, without a browser: please look at the pictures rater_{n}_page_*.png one by one, and fill in rater_{n}.csv:
one line per picture, whose number is written below it (images/<number>.png shows it alone). Leave a field
empty where you have no answer.

"""


def export_study(
    items: Sequence[Item],
    shares: Sequence[Sequence[Item]],
    folder: Path,
    key: Path,
    size: int = 256,
    per_page: int = 12,
) -> None:
    """Write ``images/<item>.png``, and by rater ``rater_<n>.csv``, ``rater_<n>_page_<p>.png``,
    ``rater_<n>.txt``, and ``rater_<n>.html``, which takes the place of all three.

    All images are brought to one size and written anew, so that neither size nor file says where they are
    from.

    Args:
        items: All images.
        shares: Those of each rater, in order.
        folder: For the raters; must not exist yet, or be empty.
        key: CSV file with set and file name of each item.
        size: Side in pixels.
        per_page: Images per picture.

    Raises:
        ValueError: ``key`` lies in ``folder``.
        FileExistsError: ``folder`` holds something, or ``key`` exists.
    """
    if folder.resolve() in key.resolve().parents:
        raise ValueError(f'the key {key} would lie in {folder}, which the raters get: put it elsewhere')
    if key.exists() or (folder.exists() and any(folder.iterdir())):
        taken = key if key.exists() else folder
        raise FileExistsError(f'{taken} exists: a study is not overwritten, choose another place')
    pictures = {item.id: _fitted(item.path, size) for item in items}
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    key.parent.mkdir(parents=True, exist_ok=True)
    for number, picture in pictures.items():
        write_png(folder / 'images' / f'{number}.png', picture)
    for number, share in enumerate(shares, 1):
        _write_rater(folder, f'{number:02d}', share, pictures, size, per_page)
    rows = [(item.id, item.set, item.image) for item in sorted(items, key=lambda item: item.id)]
    write_atomically(str(key), _csv([KEY_COLUMNS, *rows]))


def _write_rater(
    folder: Path,
    name: str,
    share: Sequence[Item],
    pictures: dict[str, np.ndarray],
    size: int,
    per_page: int,
) -> None:
    blank = [''] * len(QUESTIONS)
    header = ['item', *(question.name for question in QUESTIONS)]
    form = _csv([header, *([item.id, *blank] for item in share)])
    write_atomically(str(folder / f'rater_{name}.csv'), form)
    questions = '\n'.join(f'{question.name}: {question.text}' for question in QUESTIONS)
    text = _INTRODUCTION.format(n=name) + questions + '\n'
    write_atomically(str(folder / f'rater_{name}.txt'), text.encode())
    page = render_form(f'rater_{name}', [(item.id, pictures[item.id]) for item in share])
    write_atomically(str(folder / f'rater_{name}.html'), page.encode())
    for page in range(-(-len(share) // per_page)):
        shown = [item.id for item in share[page * per_page : (page + 1) * per_page]]
        grid = image_grid([pictures[i] for i in shown], 4, size, captions=shown, gap=8)
        write_png(folder / f'rater_{name}_page_{page + 1}.png', grid)


def _fitted(path: str, size: int) -> np.ndarray:
    results = LoadRGBImage()(dict(img_path=path))
    return FitToSquare(size, max_enlarge=64)(results)['img']


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator='\n').writerows(rows)
    return buffer.getvalue().encode()
