"""Seeds of the watershed: the places where the objects of tracks are expected in a forecast frame.

D2D (Couprie et al., ECCVW 2018) takes extrapolated centroids for seeds. Moved cores, and what happens to
seeds that miss their class or meet others, are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .distance_maps import inner_distance
from .object_map import ObjectMap
from .tracks import Track

SEEDS = ('core', 'centroid')


@dataclass(frozen=True)
class Claim:
    """A track that looks for its object in a forecast frame.

    Attributes:
        id: 1, 2, ..., what its pixels hold in the result.
        channel: Of its class in the maps.
        area: Of its object when it was last seen.
        centroid: (row, column) where it is expected.
        seed: int64 (P, 2), the rows and columns that it is grown from; they may lie outside the frame.
        body: int64 (A, 2), its whole last mask, moved.
    """

    id: int
    channel: int
    area: int
    centroid: np.ndarray
    seed: np.ndarray
    body: np.ndarray


def make_claims(
    tracks: Sequence[Track],
    newest: ObjectMap,
    time: int,
    steps: int,
    first_channel: int,
    seeds: str = 'core',
    scale: bool = False,
) -> list[Claim]:
    """Claims, ``steps`` later, of the tracks that were seen in the newest frame.

    Args:
        newest: Objects of the newest frame, at ``time``.
        first_channel: Channel of label 0.
        seeds: 'centroid', a block of 3x3 pixels at the extrapolated centroid; 'core', the pixels of the last
            mask that are at least half as far from its contour as its innermost pixel is, moved along.
        scale: Masks also grow or shrink as the areas of their tracks did.
    """
    seen = [track for track in tracks if track.times[-1] == time]
    distance = inner_distance(newest.index_map) if seeds == 'core' else None
    claims = []
    for track in seen:
        body = newest.pixels(track.members[-1])
        centroid = track.centroid_after(steps)
        factor = track.scale_after(steps) if scale else 1.0
        move = _Move(track.centroids[-1], centroid, factor)
        if seeds == 'core':
            depth = distance[tuple(body.T)]
            seed = move(body[depth >= 0.5 * depth.max()])
        else:
            seed = block_around(np.rint(centroid).astype(int))
        channel = first_channel + track.label
        claims.append(Claim(track.id + 1, channel, track.areas[-1], centroid, seed, move(body)))
    return claims


@dataclass(frozen=True)
class _Move:
    """Moves pixels from around one centroid to around another, scaled."""

    start: np.ndarray
    end: np.ndarray
    factor: float

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        if self.factor == 1:
            return pixels + np.rint(self.end - self.start).astype(int)
        return np.rint(self.end + self.factor * (pixels - self.start)).astype(int)


def block_around(pixel: np.ndarray) -> np.ndarray:
    """int64 (9, 2): the 3x3 pixels around a (row, column)."""
    return pixel + np.stack(np.mgrid[-1:2, -1:2], axis=-1).reshape(-1, 2)


def place_seeds(claims: Sequence[Claim], classes: np.ndarray) -> np.ndarray:
    """Markers of the claims on the pixels of their own class.

    Smaller objects come first, as large ones have pixels to spare. A seed without a free pixel of its class
    moves to the nearest one, not farther than the square root of its area from the centroid; a claim that
    has none there has left the scene.

    Args:
        classes: Integer (h, w), the channel of each pixel.

    Returns:
        int32 (h, w): the claim's id, or 0.
    """
    markers = np.zeros(classes.shape, dtype=np.int32)
    for claim in sorted(claims, key=lambda claim: (claim.area, claim.id)):
        seed = _free(claim.seed, claim, classes, markers)
        if not len(seed):
            nearest = _nearest_free(claim, classes, markers)
            if nearest is None:
                continue
            seed = _free(block_around(nearest), claim, classes, markers)
        markers[tuple(seed.T)] = claim.id
    return markers


def _free(pixels, claim: Claim, classes: np.ndarray, markers: np.ndarray) -> np.ndarray:
    """Those of ``pixels`` (P, 2) that lie in the frame, on the claim's class, and on no other seed."""
    pixels = pixels[((pixels >= 0) & (pixels < classes.shape)).all(axis=1)]
    place = tuple(pixels.T)
    return pixels[(classes[place] == claim.channel) & (markers[place] == 0)]


def _nearest_free(claim: Claim, classes: np.ndarray, markers: np.ndarray) -> np.ndarray | None:
    """The free pixel of the claim's class that is nearest to its centroid, if it is near."""
    reach = np.sqrt(claim.area)
    low = np.maximum(np.floor(claim.centroid - reach).astype(int), 0)
    high = np.ceil(claim.centroid + reach).astype(int) + 1
    if (high <= 0).any():
        return None
    window = tuple(slice(a, b) for a, b in zip(low, high))
    free = np.argwhere((classes[window] == claim.channel) & (markers[window] == 0)) + low
    if not len(free):
        return None
    distance = np.linalg.norm(free - claim.centroid, axis=1)
    best = distance.argmin()
    return free[best] if distance[best] <= reach else None
