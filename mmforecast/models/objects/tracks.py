"""Tracks of objects over observed frames, by Hungarian matching, and their linear extrapolation.

D2D (Couprie et al., ECCVW 2018) extrapolates the centroids of objects linearly. How objects of different
frames are matched is not in the paper; the method here is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy

from .object_map import ObjectMap

MAX_GROWTH = np.log(1.2)  # of the area, per step
_NEVER = 1e6


@dataclass
class Track:
    """An object that was seen in one or more frames.

    Attributes:
        id: 0, 1, 2, ... in the order in which tracks start; ties by label, row and column.
        label: 0 to 7, the same in all frames: objects are matched inside a class.
        times: Indices of the frames it was seen in, ascending.
        members: Index of the object in each of these frames.
        centroids: (row, column) in each.
        boxes: (top, left, bottom, right) in each, exclusive ends.
        areas, scores: In each.
        velocity: Pixels (rows, columns) per step, set by :func:`link_objects`.
        growth: Of log area per step.
    """

    id: int
    label: int
    times: list[int] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    centroids: list[np.ndarray] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    areas: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    growth: float = 0.0

    def add(self, time: int, member: int, objects: ObjectMap) -> None:
        """Append an object of a frame."""
        rows, columns = objects.boxes[member]
        self.times.append(time)
        self.members.append(member)
        self.centroids.append(objects.centroids[member])
        self.boxes.append(np.array([rows.start, columns.start, rows.stop, columns.stop]))
        self.areas.append(int(objects.areas[member]))
        self.scores.append(float(objects.scores[member]))

    def centroid_after(self, steps: float) -> np.ndarray:
        """(row, column) so many steps after the frame it was last seen in."""
        return self.centroids[-1] + steps * self.velocity

    def scale_after(self, steps: float) -> float:
        """Ratio of lengths after so many steps to those where it was last seen."""
        return float(np.exp(steps * self.growth / 2))


def link_objects(frames: Sequence[ObjectMap], gate: float = 16.0, window: int = 4) -> list[Track]:
    """Match the objects of successive frames into tracks.

    From frame to frame, tracks and objects of one class are assigned to each other by least total cost
    (Hungarian method). The cost of a pair is the distance between the object's centroid and where the track
    was expected, over the square root of the track's area, plus one minus the IoU of the object with the
    track's last mask, shifted to there. Pairs farther apart than ``max(sqrt(area) / 2, gate)`` are never made.
    A track that misses a frame can be found again. The result doesn't depend on how objects are numbered.

    Args:
        frames: Objects of T frames of one size, oldest first.
        gate: pixels.
        window: Observations that velocities are fitted to, at most.

    Returns:
        All tracks, those included that were lost; with ``velocity`` as of :func:`fit_motion`, and for a track
        that was seen once as of :func:`common_motion`.
    """
    tracks: list[Track] = []
    for time, objects in enumerate(frames):
        unmatched = _canonical_order(objects)
        # 1. Continue the tracks of each class with the objects that fit them best.
        for label in np.unique(objects.labels):
            old = [track for track in tracks if track.label == label]
            new = [index for index in unmatched if objects.labels[index] == label]
            for track, member in _assign(old, new, time, objects, frames, gate):
                track.add(time, member, objects)
                unmatched.remove(member)
        # 2. Start a track for every object that is left.
        for member in unmatched:
            track = Track(len(tracks), int(objects.labels[member]))
            track.add(time, member, objects)
            tracks.append(track)
        # 3. Estimate the velocities, from which the next frame's objects are expected.
        _set_motion(tracks, time, objects.index_map.shape, window)
    return tracks


def fit_slope(times: Sequence[float], values: Sequence) -> np.ndarray:
    """Least-squares slopes of ``values`` (T,) or (T, k) against ``times`` (T,), two of them different."""
    times, values = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    times = times - times.mean()
    return times @ values / (times @ times)


def fit_motion(track: Track, size: Sequence[int], window: int = 4) -> tuple[np.ndarray, float]:
    """Velocity and growth of a track, from its last ``window`` observations, two at least.

    Along an axis on which the object touches one border of the frame in any of them, its centroid moves with
    the cut. There the slope is that of the edge opposite to that border. The growth (of log area, at most
    20 % a step) of an object that touches a border is 0.

    Args:
        size: (h, w) of the frames.
    """
    times = track.times[-window:]
    boxes, centroids = np.stack(track.boxes[-window:]), np.stack(track.centroids[-window:])
    values, is_cut = [*centroids.T, np.log(track.areas[-window:])], False
    for axis in range(2):
        low, high = (boxes[:, axis] == 0).any(), (boxes[:, axis + 2] == size[axis]).any()
        is_cut |= low or high
        if low != high:
            values[axis] = boxes[:, axis + 2] if low else boxes[:, axis]
    *velocity, growth = fit_slope(times, np.stack(values, axis=1))
    growth = 0.0 if is_cut else min(max(float(growth), -MAX_GROWTH), MAX_GROWTH)
    return np.array(velocity), growth


def common_motion(tracks: Sequence[Track]) -> np.ndarray:
    """Area-weighted median velocity (rows, columns) of the tracks that were seen twice or more; else 0.

    With a moving camera it is what its own motion does to most objects, the best guess for a new one.
    """
    known = [track for track in tracks if len(track.times) > 1]
    if not known:
        return np.zeros(2)
    weights = np.array([track.areas[-1] for track in known], dtype=float)
    velocities = np.stack([track.velocity for track in known])
    median = np.zeros(2)
    for axis in range(2):
        order = np.argsort(velocities[:, axis], kind='stable')
        reached = np.cumsum(weights[order]) >= weights.sum() / 2
        median[axis] = velocities[order[reached.argmax()], axis]
    return median


def _set_motion(tracks: Sequence[Track], time: int, size: Sequence[int], window: int) -> None:
    for track in tracks:
        if len(track.times) > 1 and track.times[-1] == time:
            track.velocity, track.growth = fit_motion(track, size, window)
    common = common_motion(tracks)
    for track in tracks:
        if len(track.times) == 1:
            track.velocity = common


def _canonical_order(objects: ObjectMap) -> list[int]:
    """Indices by label, then row and column of the centroid, then area."""
    rows, columns = objects.centroids.T
    return np.lexsort((objects.areas, columns, rows, objects.labels)).tolist()


def _assign(
    tracks: Sequence[Track],
    members: Sequence[int],
    time: int,
    objects: ObjectMap,
    frames: Sequence[ObjectMap],
    gate: float,
) -> list[tuple[Track, int]]:
    """Pairs of tracks and objects of one class, of least total cost (see :func:`link_objects`)."""
    if not tracks or not members:
        return []
    # 1. The cost |c - c'| / sqrt(A) + 1 - IoU of every pair within the gate; c' and A are the track's.
    costs = np.full((len(tracks), len(members)), _NEVER)
    for row, track in enumerate(tracks):
        steps, area = time - track.times[-1], track.areas[-1]
        expected = track.centroid_after(steps)
        distance = np.linalg.norm(objects.centroids[members] - expected, axis=1)
        near = distance <= max(0.5 * np.sqrt(area), gate)
        if near.any():
            pixels = frames[track.times[-1]].pixels(track.members[-1])
            iou = _iou_of(pixels + np.rint(steps * track.velocity).astype(int), objects)[members]
            costs[row, near] = (distance / np.sqrt(area) + 1 - iou)[near]
    # 2. The assignment of least total cost, without the pairs beyond the gate.
    pairs = zip(*scipy.optimize.linear_sum_assignment(costs))
    return [(tracks[row], members[column]) for row, column in pairs if costs[row, column] < _NEVER]


def _iou_of(pixels: np.ndarray, objects: ObjectMap) -> np.ndarray:
    """IoU (N,) of a set of pixels (A, 2) with every object."""
    shape = objects.index_map.shape
    inside = ((pixels >= 0) & (pixels < shape)).all(axis=1)
    hit = objects.index_map[tuple(pixels[inside].T)]
    common = np.bincount(hit, minlength=len(objects) + 1)[1:]
    return common / (objects.areas + len(pixels) - common)
