"""Tracks: motion by hand, matching, and independence of how objects are numbered."""

import numpy as np
import pytest

from mmforecast.models.objects.object_map import keep_objects
from mmforecast.models.objects.tracks import common_motion, fit_slope, link_objects

SIZE = (40, 80)
CAR, PERSON = 2, 0


def frame(*boxes, size=SIZE):
    """Objects from (label, y1, x1, y2, x2)."""
    index_map = np.zeros(size, dtype=np.int32)
    for number, (_, y1, x1, y2, x2) in enumerate(boxes, start=1):
        index_map[max(y1, 0) : y2, max(x1, 0) : x2] = number
    return keep_objects(index_map, np.array([box[0] for box in boxes], int), np.ones(len(boxes)))


def moving(label, y, x, h, w, dy, dx, steps=4):
    return [(label, y + t * dy, x + t * dx, y + h + t * dy, x + w + t * dx) for t in range(steps)]


def frames_of(*paths):
    return [frame(*boxes) for boxes in zip(*paths)]


def test_least_squares_slope():
    assert fit_slope([0, 1, 2, 3], [[1, 0], [3, 0], [5, 0], [7, 0]]).tolist() == [2, 0]
    times, values = np.array([0, 1, 3]), np.array([0.0, 2.0, 1.0])
    assert fit_slope(times, values) == pytest.approx(np.polyfit(times, values, 1)[0])


def test_a_steady_motion_goes_on():
    tracks = link_objects(frames_of(moving(CAR, 10, 10, 8, 12, 1, 3), moving(PERSON, 5, 60, 10, 4, 0, -2)))
    assert [(track.id, track.label, track.times) for track in tracks] == [
        (0, PERSON, [0, 1, 2, 3]),
        (1, CAR, [0, 1, 2, 3]),
    ]
    person, car = tracks
    assert car.velocity.tolist() == [1, 3] and person.velocity.tolist() == [0, -2]
    assert car.centroid_after(3).tolist() == [13.5 + 3 + 3, 15.5 + 9 + 9]
    assert car.growth == 0 and car.scale_after(2) == 1


def test_classes_are_never_mixed_and_crossing_objects_keep_their_tracks():
    rising, falling = moving(CAR, 4, 10, 6, 6, 4, 3), moving(CAR, 16, 10, 6, 6, -4, 3)
    tracks = link_objects(frames_of(rising, falling))
    # Where they cross, the later one hides half of the other.
    for track, rows in zip(tracks, (4, -4), strict=True):
        assert track.velocity == pytest.approx([rows, 3], abs=0.3)
    one, other = moving(CAR, 10, 10, 6, 6, 0, 0, 1), moving(PERSON, 10, 10, 6, 6, 0, 0, 1)
    tracks = link_objects([frame(*one), frame(*other)])
    assert [(track.label, track.times) for track in tracks] == [(CAR, [0]), (PERSON, [1])]


def test_what_is_too_far_is_another_object():
    boxes = (CAR, 10, 10, 16, 16), (CAR, 10, 30, 16, 36)
    near = link_objects([frame(boxes[0]), frame(boxes[1])], gate=20)
    far = link_objects([frame(boxes[0]), frame(boxes[1])], gate=19)
    assert [track.times for track in near] == [[0, 1]]
    assert [track.times for track in far] == [[0], [1]]
    # A large object may move by half its size whatever the gate.
    large = frame((CAR, 0, 0, 40, 40)), frame((CAR, 0, 19, 40, 59))
    assert len(link_objects(large, gate=1)) == 1


def test_an_object_that_was_hidden_is_found_again():
    path = moving(CAR, 10, 10, 8, 8, 0, 4)
    frames = [frame(path[0]), frame(path[1]), frame(), frame(path[3])]
    (track,) = link_objects(frames)
    assert track.times == [0, 1, 3] and track.velocity == pytest.approx([0, 4], abs=1e-9)


def test_a_new_object_moves_as_most_do():
    old = moving(CAR, 2, 10, 10, 10, 0, -3), moving(CAR, 20, 40, 4, 4, 0, 5)
    frames = frames_of(*old)
    frames[-1] = frame(*(path[-1] for path in old), (PERSON, 30, 60, 36, 64))
    tracks = link_objects(frames)
    new = tracks[-1]
    assert new.label == PERSON and new.times == [3] and new.velocity.tolist() == [0, -3]
    assert common_motion(tracks).tolist() == [0, -3]
    (alone,) = link_objects([frame(), frame((CAR, 0, 0, 4, 4))])
    assert alone.velocity.tolist() == [0, 0] and link_objects([frame(), frame()]) == []


def test_the_border_cuts_centroids_but_not_motion():
    path = moving(CAR, 10, -6, 8, 12, 0, 3)  # comes in from the left
    (track,) = link_objects([frame(box) for box in path])
    assert track.velocity.tolist() == [0, 3] and track.growth == 0
    path = moving(CAR, 10, 66, 8, 12, 0, 3)  # leaves to the right
    (track,) = link_objects([frame(box) for box in path])
    assert track.velocity.tolist() == [0, 3]


def test_growth_is_that_of_the_area_up_to_a_fifth():
    boxes = [(CAR, 20 - 5, 30 - 5, 20 + 5, 30 + 5 + t) for t in range(4)]
    (track,) = link_objects([frame(box) for box in boxes])
    areas = np.log([100, 110, 120, 130])
    assert track.growth == pytest.approx(np.polyfit(range(4), areas, 1)[0])
    assert track.scale_after(2) == pytest.approx(np.exp(track.growth))
    boxes = [(CAR, 10, 10, 10 + 2 * 2**t, 14) for t in range(3)]
    (track,) = link_objects([frame(box) for box in boxes])
    assert track.growth == pytest.approx(np.log(1.2))


def test_numbers_of_objects_do_not_matter():
    rng = np.random.default_rng(0)
    for _ in range(10):
        boxes = [(int(rng.integers(3)), *rng.integers(0, 30, 2), *rng.integers(2, 9, 2)) for _ in range(15)]
        frames, shuffled = [], []
        for time in range(4):
            at = [(c, y + time, x + 2 * time, y + time + h, x + 2 * time + w) for c, y, x, h, w in boxes]
            one = frame(*at)
            order = rng.permutation(len(one))
            number = np.append(0, 1 + np.argsort(order))
            frames.append(one)
            shuffled.append(
                keep_objects(number[one.index_map].astype(np.int32), one.labels[order], np.ones(len(one)))
            )
        first, again, other = link_objects(frames), link_objects(frames), link_objects(shuffled)
        for track, same, moved in zip(first, again, other, strict=True):
            assert track.times == same.times == moved.times and track.label == moved.label
            assert track.members == same.members
            assert np.array_equal(track.centroids, moved.centroids)
            assert np.array_equal(track.velocity, moved.velocity)
