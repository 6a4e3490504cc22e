"""Names of the image files in a folder: which are one video, in what order, and where frames are missing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from os.path import splitext
from statistics import median

from .opening import VideoError

__all__ = ['FrameNames', 'arrange_frames', 'find_breaks', 'natural_key']

_WHOLE = re.compile(r'([0-9]+)')
_DECIMAL = re.compile(r'([0-9]+(?:\.[0-9]+)?)')

# Words in the names of what lies beside frames but is no frame.
_NO_FRAMES = frozenset(
    'annotation annotations depth disp disparity edge edges flow gt instance instanceids instances label '
    'labelids labels labeltrainids mask masks matte normal normals seg segmentation semantic trimap'.split()
)

# A step between numbers that is longer than this times the usual one is a gap.
_GAP = 1.5


@dataclass(frozen=True)
class FrameNames:
    """The frames of one video.

    Attributes:
        names: Files, oldest first.
        left_out: Images in the folder that are no frames of it.
        decimal: Whether numbers in the names have decimal points.
    """

    names: list[str]
    left_out: list[str]
    decimal: bool


def natural_key(name: str, decimal: bool = False) -> tuple:
    """Sorts names by the values of the numbers in them: frame2 before frame10.

    Args:
        decimal: Whether a point between digits is a decimal point: t0.05 before t0.1.
    """
    parts = (_DECIMAL if decimal else _WHOLE).split(name)
    return [Decimal(part) if index % 2 else part.lower() for index, part in enumerate(parts)], name


def arrange_frames(names: Sequence[str]) -> FrameNames:
    """Choose the images that are the frames of a video, and sort them.

    Names that differ in their numbers alone are a series. Series named as optical flow, masks, labels or
    depth are left out, and so are single images beside a series.

    Raises:
        VideoError: Several series are left, as of two cameras.
    """
    decimal = _has_decimals([splitext(name)[0] for name in names])
    series = _series(names, decimal)
    numbered = {key: files for key, files in series.items() if len(files) > 1}
    if len(series) > 1 and numbered and 2 * len(series) <= len(names):
        frames = numbered
        if len(numbered) > 1:
            frames = {key: files for key, files in numbered.items() if not _words(key) & _NO_FRAMES}
        if len(frames) != 1:
            patterns = ', '.join(sorted(_pattern(key) for key in numbered))
            raise VideoError(
                f'holds several series of images ({patterns}), which are not one video: put the frames of '
                'each video into a folder of its own'
            )
        (chosen,) = frames.values()
    else:
        chosen = list(names)
    chosen = sorted(chosen, key=lambda name: natural_key(splitext(name)[0], decimal))
    return FrameNames(chosen, sorted(set(names) - set(chosen)), decimal)


def find_breaks(names: Sequence[str], decimal: bool = False) -> list[int]:
    """Positions of frames that do not follow the one before: their numbers are further apart than usual.

    The number of a frame is the first one in the names that always grows, else the last one that differs.
    In the latter case frames whose other numbers differ belong together where the last number carries
    over, as nanoseconds to seconds.

    Args:
        names: Sorted names of one series.
        decimal: See :func:`natural_key`.
    """
    tokens = [(_DECIMAL if decimal else _WHOLE).split(splitext(name)[0])[1::2] for name in names]
    if len(names) < 3 or len({len(row) for row in tokens}) > 1:
        return []
    columns = [[Decimal(token) for token in column] for column in zip(*tokens)]
    varying = [number for number, column in enumerate(columns) if len(set(column)) > 1]
    if not varying:
        return []
    growing = [n for n in varying if all(a < b for a, b in pairwise(columns[n]))]
    if growing:
        return _gaps(columns[growing[0]], [True] * (len(names) - 1))
    last = varying[-1]
    others = list(zip(*(columns[number] for number in varying[:-1]))) or [()] * len(names)
    together = [a == b for a, b in pairwise(others)]
    gaps = set(_gaps(columns[last], together))
    step = _usual_step(columns[last], together)
    for place, same in enumerate(together, start=1):
        if not same and not _carries(others[place - 1 : place + 1], tokens, last, place, step):
            gaps.add(place)
    return sorted(gaps)


def _series(names: Sequence[str], decimal: bool) -> dict[tuple[str, ...], list[str]]:
    """Names by what stays in them; by their suffixes too, where two files share a stem."""
    stems = [splitext(name)[0] for name in names]
    by_suffix = len(set(stems)) < len(stems)
    series: dict[tuple[str, ...], list[str]] = {}
    for name, stem in zip(names, stems):
        texts = (_DECIMAL if decimal else _WHOLE).split(stem.lower())[::2]
        suffix = splitext(name)[1].lower() if by_suffix else ''
        series.setdefault((*texts, suffix), []).append(name)
    return series


def _pattern(key: tuple[str, ...]) -> str:
    return '*'.join(key[:-1]) + key[-1]


def _words(key: tuple[str, ...]) -> set[str]:
    return set(re.findall('[a-z]+', ' '.join(key[:-1])))


def _has_decimals(stems: Sequence[str]) -> bool:
    """Whether points between digits are decimal points, and do not separate whole numbers.

    They do separate where two names would be of one value (0.1 and 0.10), and where the numbers after the
    point go on over a change of their length (0.9, 0.10, 0.11).
    """
    if not any(re.search(r'[0-9]\.[0-9]', stem) for stem in stems):
        return False
    keys = [tuple(natural_key(stem, decimal=True)[0]) for stem in stems]
    if len(set(keys)) < len(set(stem.lower() for stem in stems)):
        return False
    whole: dict[str, list[str]] = {}
    for stem in stems:
        head, point, fraction = stem.rpartition('.')
        if point and fraction.isdecimal():
            whole.setdefault(head, []).append(fraction)
    return not any(_counts_on(fractions) for fractions in whole.values())


def _counts_on(fractions: list[str]) -> bool:
    values = sorted(map(int, fractions))
    is_plain = all(fraction == str(int(fraction)) for fraction in fractions)
    is_run = all(b - a == 1 for a, b in pairwise(values))
    return is_plain and is_run and len({len(fraction) for fraction in fractions}) > 1


def _usual_step(numbers: list[Decimal], together: list[bool]) -> Decimal | None:
    steps = [b - a for (a, b), same in zip(pairwise(numbers), together) if same and b > a]
    return median(steps) if steps else None


def _gaps(numbers: list[Decimal], together: list[bool]) -> list[int]:
    step = _usual_step(numbers, together)
    if step is None:
        return []
    limit = step * Decimal(_GAP)
    pairs = enumerate(zip(pairwise(numbers), together), start=1)
    return [place for place, ((a, b), same) in pairs if same and b - a > limit]


def _carries(
    others: list[tuple], tokens: list[list[str]], last: int, place: int, step: Decimal | None
) -> bool:
    """Whether the last number begins anew because the one before it grew by one."""
    if step is None or not others[0] or others[1][-1] - others[0][-1] != 1 or others[0][:-1] != others[1][:-1]:
        return False
    before, after = tokens[place - 1][last], tokens[place][last]
    across = Decimal(after) - Decimal(before)
    return any(0 < across + full <= step * Decimal(_GAP) for full in (60, 10 ** len(before)))
