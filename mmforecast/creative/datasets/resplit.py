"""A new division of a collection into training, validation and test images."""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Sequence

from mmforecast.utils.checks import check_integer, check_same_length

__all__ = ['PARTS', 'divide']

# The parts of a division, in the order of the shares.
PARTS = ('train', 'val', 'test')


def divide(
    names: Sequence[str], strata: Sequence[Hashable], shares: Sequence[float], seed: int = 0
) -> list[str]:
    """The part of each image: every stratum is divided by the same shares.

    It depends on nothing but names, strata and seed, so that every machine finds the same division. Within a
    stratum, images come in the order of the SHA-256 of seed and name.

    Args:
        names: Of the images, unique, such as relative paths.
        strata: What each image is a case of, such as its class and where it came from.
        shares: Of train, val and test; each above 0, and together 1.
        seed: Another seed is another division.

    Returns:
        One of :data:`PARTS` for each image.

    Raises:
        ValueError: ``shares`` are no such numbers, or a name occurs twice.
    """
    check_same_length('divide', names=names, strata=strata)
    check_integer('divide', 0, seed=seed)
    if len(shares) != len(PARTS) or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(
            f'the shares of {", ".join(PARTS)} must be three numbers above 0 that sum to 1, got {shares!r}'
        )
    if len(set(names)) < len(names):
        raise ValueError('divide: two images have the same name')
    groups = defaultdict(list)
    for number, stratum in enumerate(strata):
        groups[stratum].append(number)
    parts = [''] * len(names)
    for group in groups.values():
        group.sort(key=lambda number: hashlib.sha256(f'{seed}/{names[number]}'.encode()).digest())
        ends = [round(share * len(group)) for share in (shares[0], shares[0] + shares[1], 1)]
        for position, number in enumerate(group):
            parts[number] = PARTS[sum(position >= end for end in ends[:2])]
    return parts
