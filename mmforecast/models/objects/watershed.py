"""Watershed inside each class, from maps and seeds to objects (D2D, ECCVW 2018).

The authors' watershed runs on the map of maxima of the predicted representation. Folding it around the level
of objects, quantizing it and flooding class by class are ours.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import scipy

from .seeds import Claim, place_seeds

# Pixels and their neighbors to the right, and below.
_NEIGHBORS = ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:]))


def flood(altitude: np.ndarray, markers: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Watershed from markers as the minimum spanning forest that is rooted in them.

    That is a watershed cut (Cousty, Bertrand, Najman, Couprie, "Watershed cuts: minimum spanning forests and
    the drop of water principle", PAMI 2009). Nodes are the pixels of the regions. Edges join the four
    neighbors in the same region, and weigh as much as the higher of the two. Of equal edges the one with the
    lower end comes first, then the one nearer to a marker, so that plateaus are shared by distance, then the
    one to the left and above. Up to such ties, the result is that of flooding, which takes the lowest pixel
    within reach at every step.

    Libraries compute something else: scikit-image's ``watershed`` remembers the highest pass on its way, so
    that a basin without a marker is shared rather than flooded whole; OpenCV's draws lines; SciPy's
    ``watershed_ift`` minimizes differences between neighbors.

    Args:
        altitude: (h, w).
        markers: Integer (h, w), 0 for none.
        regions: Integer (h, w), 0 where nothing is flooded; equal numbers may be flooded from each other.

    Returns:
        int32 (h, w): the marker that each pixel belongs to; 0 outside the regions, and where none gets to.
    """
    inside, seeded = regions > 0, (markers > 0) & (regions > 0)
    out = np.zeros(regions.shape, dtype=np.int32)
    if not seeded.any():
        return out

    # 1. Number the pixels of the regions: the nodes of the graph.
    node = np.cumsum(inside.ravel()).reshape(inside.shape) - 1

    # 2. Join neighbors in the same region. The weight of an edge {p, q} is max(h(p), h(q)); the lower end and
    #    the distance to the nearest marker break ties.
    far = cv2.distanceTransform((~seeded).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    edges = []
    for one, other in _NEIGHBORS:
        joined = inside[one] & (regions[one] == regions[other])
        ends = node[one][joined], node[other][joined]
        sides = altitude[one][joined], altitude[other][joined]
        away = (far[one] + far[other])[joined]
        edges.append((*ends, np.maximum(*sides), np.minimum(*sides), away))
    tails, heads, high, low, away = map(np.concatenate, zip(*edges))

    # 3. Replace the weights by their ranks. They all differ, so there is one minimum spanning forest.
    weight = np.empty(len(high))
    weight[np.lexsort((away, low, high))] = np.arange(1, len(high) + 1)

    # 4. Cut the minimum spanning tree into one tree per seed pixel, and give each tree the marker of its root.
    number = _tree_of(tails, heads, weight, roots=node[seeded], count=int(inside.sum()))
    marker_of = np.zeros(number.max() + 1, dtype=np.int32)
    marker_of[number[node[seeded]]] = markers[seeded]
    out[inside] = marker_of[number]
    return out


def _tree_of(
    tails: np.ndarray, heads: np.ndarray, weight: np.ndarray, roots: np.ndarray, count: int
) -> np.ndarray:
    """Number of the tree that each of ``count`` nodes belongs to, in the forest rooted in ``roots``."""
    # 1. Join all roots to one more node by the lightest edges, so that they are all in the spanning tree.
    #    SciPy 1.15 takes 32-bit numbers only.
    tails = np.append(tails, roots).astype(np.int32)
    heads = np.append(heads, np.full(len(roots), count)).astype(np.int32)
    weight = np.append(weight, np.full(len(roots), 0.5))
    # 2. Find the minimum spanning tree.
    graph = scipy.sparse.coo_array((weight, (tails, heads)), shape=(count + 1, count + 1))
    tree = scipy.sparse.csgraph.minimum_spanning_tree(graph.tocsr()).tocoo()
    # 3. Remove that node: what is left is the forest.
    kept = (tree.row != count) & (tree.col != count)
    ends = tree.row[kept], tree.col[kept]
    forest = scipy.sparse.coo_array((np.ones(kept.sum(), dtype=np.int8), ends), shape=(count, count))
    return scipy.sparse.csgraph.connected_components(forest.tocsr(), directed=False)[1]


def altitude_of(maps: np.ndarray, classes: np.ndarray, levels: int = 8) -> np.ndarray:
    """The map of maxima, folded around the level of objects and quantized.

    Where ``maps`` are ``r - 1``, the pixels inside an object have altitude 0. Both its contour, above, and
    its blurred outer rim, below, rise from there: the flood must not leak round an object along its rim.

    Args:
        maps: Float (C, h, w), ``r - 1``.
        classes: Integer (h, w), the channel of the maximum.
        levels: Steps per unit; noise on a plateau would decide what should be ties.

    Returns:
        int32 (h, w).
    """
    highest = np.take_along_axis(maps, classes[None].astype(np.int64), axis=0)[0]
    return np.rint(levels * np.abs(highest)).astype(np.int32)


def grow_objects(
    maps: np.ndarray,
    classes: np.ndarray,
    claims: Sequence[Claim],
    first_channel: int,
    levels: int = 8,
) -> np.ndarray:
    """Objects of one forecast frame: flooding from the seeds of the claims, class by class.

    A part of a class that no seed reaches goes to the claim whose moved mask covers most of it, if that
    covers half of it: an object behind a pole has two.

    Args:
        maps: Float (C, h, w), ``r - 1``.
        classes: Integer (h, w), the channel of the maximum.
        first_channel: Channels from here on are classes with instances.
        levels: See :func:`altitude_of`.

    Returns:
        int32 (h, w): the claim's id, or 0.
    """
    # 1. Place the seeds, and flood each class from those on it.
    markers = place_seeds(claims, classes)
    regions = np.maximum(classes - first_channel + 1, 0)
    grown = flood(altitude_of(maps, classes, levels), markers, regions)
    # 2. Attach the parts that no seed reached to the moved masks that cover them.
    rest = (grown == 0) & (regions > 0)
    for channel in sorted({claim.channel for claim in claims}):
        missed = rest & (classes == channel)
        if missed.any():
            same = [claim for claim in claims if claim.channel == channel]
            grown += _attach(missed, _cover(same, markers))
    return grown


def find_unclaimed(
    classes: np.ndarray, grown: np.ndarray, first_channel: int, min_area: int
) -> list[tuple[int, np.ndarray]]:
    """Connected parts (4 neighbors) of object classes that belong to nobody.

    Returns:
        (channel, bool (h, w)) of those with at least ``min_area`` pixels, by channel and then position.
    """
    found = []
    rest = np.where((grown == 0) & (classes >= first_channel), classes, -1)
    for channel in np.unique(rest[rest >= 0]):
        parts, count = scipy.ndimage.label(rest == channel)
        areas = np.bincount(parts.ravel(), minlength=count + 1)
        found += [(int(channel), parts == n) for n in range(1, count + 1) if areas[n] >= min_area]
    return found


def _cover(claims: Sequence[Claim], markers: np.ndarray) -> np.ndarray:
    """Moved masks of the claims that have a seed, smaller ones on top, int32 (h, w)."""
    cover = np.zeros_like(markers)
    placed = set(np.unique(markers).tolist())
    for claim in sorted(claims, key=lambda claim: (-claim.area, -claim.id)):
        if claim.id in placed:
            body = claim.body[((claim.body >= 0) & (claim.body < markers.shape)).all(axis=1)]
            cover[tuple(body.T)] = claim.id
    return cover


def _attach(rest: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Give each connected part of ``rest`` to what covers half of it or more, int32 (h, w)."""
    parts, count = scipy.ndimage.label(rest)
    out = np.zeros(rest.shape, dtype=np.int32)
    for part, box in enumerate(scipy.ndimage.find_objects(parts, count), start=1):
        inside = parts[box] == part
        votes = np.bincount(cover[box][inside])
        votes[0] = 0
        if 2 * votes.max() >= inside.sum():
            out[box][inside] = votes.argmax()
    return out
