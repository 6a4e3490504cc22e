"""Assignment of images to participants, under anonymous numbers."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmforecast.datasets.image_files import IMAGE_SUFFIXES
from mmforecast.datasets.junk_files import visible_names
from mmforecast.utils.checks import check_not_empty, check_positive

__all__ = ['Item', 'assign', 'draw_items']


@dataclass(frozen=True)
class Item:
    """One image of a study.

    Attributes:
        id: What raters see of it: a number drawn by chance.
        set: Where it is from.
        image: File name in the set's folder.
        path: Of the file.
    """

    id: str
    set: str
    image: str
    path: str


def draw_items(folders: Mapping[str, str], per_set: int, seed: int = 0) -> list[Item]:
    """As many images of every set, drawn by chance, with numbers that say nothing.

    Args:
        folders: Folder by name of the set.
        per_set: Images of each.
        seed: Of the draw.

    Returns:
        Items, set by set.

    Raises:
        FileNotFoundError: A folder is missing.
        ValueError: A folder has fewer images, or there is no set.
    """
    check_not_empty('draw_items', folders=folders)
    check_positive('draw_items', per_set=per_set)
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(len(folders) * per_set) + 1
    width = len(str(len(numbers)))
    items: list[Item] = []
    for name, folder in folders.items():
        if not os.path.isdir(folder):
            raise FileNotFoundError(f'there is no folder {folder} of the set {name!r}')
        files = [file for file in visible_names(folder) if file.lower().endswith(IMAGE_SUFFIXES)]
        if len(files) < per_set:
            raise ValueError(
                f'the set {name!r} has {len(files)} images in {folder}, but {per_set} of every set '
                'are wanted: add images, or lower --per-set'
            )
        for index in sorted(rng.permutation(len(files))[:per_set]):
            number = f'{numbers[len(items)]:0{width}d}'
            items.append(Item(number, name, files[index], os.path.join(folder, files[index])))
    return items


def assign(items: Sequence[Item], raters: int, ratings: int, seed: int = 0) -> list[list[Item]]:
    """Share the items out: each goes to ``ratings`` raters, and raters get equal numbers of every set, but
    for one.

    Args:
        items: Set by set, see :func:`draw_items`.
        raters: How many people there are.
        ratings: How many of them see each image.
        seed: Of the order that each rater sees.

    Returns:
        By rater, the items in the order shown.

    Raises:
        ValueError: There are fewer raters than ratings.
    """
    if not 1 <= ratings <= raters:
        raise ValueError(
            f'each image needs {ratings} different raters, but there are {raters}: raise --raters or '
            'lower --ratings'
        )
    rng = np.random.default_rng(seed)
    shares: list[list[Item]] = [[] for _ in range(raters)]
    turn = 0
    for number in range(len(items)):
        for _ in range(ratings):
            shares[turn % raters].append(items[number])
            turn += 1
    return [[share[index] for index in rng.permutation(len(share))] for share in shares]
