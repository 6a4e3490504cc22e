"""Confusion that degradation cannot explain."""

import math
from collections.abc import Sequence

import numpy as np

from mmforecast.utils.checks import check_not_empty

__all__ = ['DegradationCurve']


class DegradationCurve:
    """The confusion that real images reach by mere degradation, as a function of KID.

    A classifier is unsure of images that belong to several classes, but also of images that are only broken.
    Degraded real images show how much of the latter goes with a KID. KID is a squared distance between
    distributions: of a set of which a share s is degraded it grows as s^2, while confusion grows as s. So in
    the plane of sqrt(KID) and confusion such sets lie on a line from the real images to the degraded ones, and
    the curve is the least concave function above all of them. It does not fall, and stays at its highest
    value beyond the last point.

    Args:
        distances: KID, times any factor, of the real images and of each degraded set; the real ones first.
        confusions: Mean confusion of the same sets.
    """

    def __init__(self, distances: Sequence[float], confusions: Sequence[float]):
        check_not_empty('DegradationCurve', distances=distances)
        points = {0.0: float(confusions[0])}
        for distance, confusion in zip(distances, confusions, strict=True):
            place = math.sqrt(max(distance, 0.0))
            points[place] = max(confusion, points.get(place, -math.inf))
        hull: list[tuple[float, float]] = []
        best = -math.inf
        for place, value in sorted(points.items()):
            if value <= best:
                continue  # it would fall
            best = value
            while len(hull) > 1 and _slope(hull[-2], (place, value)) >= _slope(hull[-2], hull[-1]):
                hull.pop()
            hull.append((place, value))
        self._hull = np.array(hull)

    def __call__(self, distance: float) -> float:
        """The confusion at a KID."""
        return float(np.interp(math.sqrt(max(distance, 0.0)), *self._hull.T))

    def excess(self, distance: float, confusion: float) -> float:
        """How far a set's confusion lies above the curve at its KID; 0 or less is what degradation gives."""
        return confusion - self(distance)


def _slope(start: tuple[float, float], end: tuple[float, float]) -> float:
    return (end[1] - start[1]) / (end[0] - start[0])
