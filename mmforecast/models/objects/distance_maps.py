"""Distance maps: semantics and instances of one frame in one map per class (D2D, ECCVW 2018).

Couprie, Luc, Verbeek, "Joint future semantic and instance segmentation prediction". Each channel is a
class: 0 outside it, 1 inside its objects, more on their contours. So the argmax over channels is the
label map, and touching objects of a class are told apart by the ridge between them. The paper names the
0, the 1 and the high values; how the values fall off with the distance to the contour is ours.
"""

import cv2
import numpy as np
import scipy

from mmforecast.utils.checks import check_choice

PROFILES = ('linear', 'inverse', 'exp', 'flat')


def inner_distance(index_map: np.ndarray) -> np.ndarray:
    """Exact Euclidean distance of every object pixel to the nearest pixel outside its object.

    Pixels along the contour have distance 1. Beyond the border of the map nothing is outside, so an object
    that the border cuts has no contour there.

    Args:
        index_map: Integer (h, w): 0 where there is no object, else the number of the object.

    Returns:
        float32 (h, w): 0 where there is no object, infinity in an object that fills the map.
    """
    distance = np.zeros(index_map.shape, dtype=np.float32)
    for number, box in enumerate(scipy.ndimage.find_objects(index_map), start=1):
        if box is None:
            continue
        # One pixel around the object is enough: whatever lies beyond is farther away.
        ring = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
        inside = index_map[ring] == number
        if inside.all():
            distance[ring] = np.inf
            continue
        inner = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        distance[ring][inside] = inner[inside]
    return distance


def contour_profile(distance: np.ndarray, profile: str = 'linear', tau: float = 2.0) -> np.ndarray:
    """How much of a contour's height is left at a distance of 1 or more: 1 at distance 1, then falling.

    Args:
        distance: Any shape, in pixels; infinity gives 0.
        profile: 'linear' is ``max(0, 1 - (d - 1) / tau)``, 'inverse' ``1 / d``, 'exp'
            ``exp(-(d - 1) / tau)``, 'flat' 0 everywhere (no contours).
        tau: Width of the contour in pixels, of 'linear' and 'exp'.
    """
    check_choice('contour_profile', PROFILES, profile=profile)
    if profile == 'linear':
        return np.maximum(0, 1 - (distance - 1) / tau)
    if profile == 'inverse':
        return 1 / distance
    if profile == 'exp':
        return np.exp(-(distance - 1) / tau)
    return np.zeros_like(distance)


def distance_maps(
    classes: np.ndarray,
    index_map: np.ndarray,
    num_classes: int,
    height: float = 1.0,
    profile: str = 'linear',
    tau: float = 2.0,
) -> np.ndarray:
    """The representation ``r`` of one frame.

    ``r_k`` is 0 outside class k and ``1 + height * profile(d)`` inside it, ``d`` the distance to the
    contour of the pixel's own object; 1 where the pixel belongs to no object. As each object has one class,
    the argmax over channels gives ``classes`` back wherever these are no gap, for any ``height >= 0``.

    Args:
        classes: Integer (h, w), the channel of each pixel; outside [0, num_classes) it has none, a gap.
        index_map: Integer (h, w): 0 where there is no object, else the number of the object.
        num_classes: C.
        height, profile, tau: Of the contours, see :func:`contour_profile`.

    Returns:
        float32 (C, h, w).
    """
    values = np.ones(classes.shape, dtype=np.float32)
    inside = index_map > 0
    values[inside] += height * contour_profile(inner_distance(index_map)[inside], profile, tau)
    maps = np.zeros((num_classes + 1, *classes.shape), dtype=np.float32)
    known = (classes >= 0) & (classes < num_classes)
    channel = np.where(known, classes, num_classes)
    np.put_along_axis(maps, channel[None].astype(np.int64), values[None], axis=0)
    return maps[:num_classes]
