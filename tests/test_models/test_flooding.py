"""Watershed and seeds: against slow references, and by hand."""

from heapq import heappop, heappush

import numpy as np
import pytest

from mmforecast.models.objects.distance_maps import distance_maps
from mmforecast.models.objects.object_map import keep_objects
from mmforecast.models.objects.seeds import Claim, make_claims, place_seeds
from mmforecast.models.objects.tracks import link_objects
from mmforecast.models.objects.watershed import altitude_of, find_unclaimed, flood, grow_objects

CAR = 3  # its channel


def neighbors(pixel, shape):
    y, x = pixel
    for dy, dx in ((-1, 0), (0, -1), (0, 1), (1, 0)):
        if 0 <= y + dy < shape[0] and 0 <= x + dx < shape[1]:
            yield y + dy, x + dx


def flood_by_hand(altitude, markers, mask):
    """Meyer's flooding in pure Python: always the lowest pixel in reach, of equals the first."""
    labels = np.where(mask, markers, 0)
    queue, age = [], 0
    for pixel in map(tuple, np.argwhere(labels)):
        heappush(queue, (altitude[pixel], 0, pixel))
    while queue:
        *_, pixel = heappop(queue)
        for other in neighbors(pixel, labels.shape):
            if mask[other] and not labels[other]:
                age += 1
                labels[other] = labels[pixel]
                heappush(queue, (altitude[other], age, other))
    return labels


def edges_of(altitude, mask):
    return [
        (max(altitude[pixel], altitude[other]), pixel, other)
        for pixel in map(tuple, np.argwhere(mask))
        for other in neighbors(pixel, mask.shape)
        if pixel < other and mask[other]
    ]


def forest_weight(altitude, markers, mask, labels=None):
    """Kruskal: weight of the cheapest forest with one marker in every tree, inside ``labels`` if given."""
    parent = {tuple(pixel): tuple(pixel) for pixel in np.argwhere(mask)}
    owner = {pixel: markers[pixel] for pixel in parent}

    def root(pixel):
        while parent[pixel] != pixel:
            pixel = parent[pixel]
        return pixel

    total = 0
    for weight, one, other in sorted(edges_of(altitude, mask)):
        if labels is not None and labels[one] != labels[other]:
            continue
        one, other = root(one), root(other)
        if one != other and not (owner[one] and owner[other]):
            parent[other] = one
            owner[one] = owner[one] or owner[other]
            total += weight
    assert all(owner[root(pixel)] for pixel in parent)  # every pixel got to a marker
    return total


def random_case(rng, distinct):
    shape = tuple(rng.integers(3, 9, 2))
    altitude = rng.permutation(np.prod(shape)) if distinct else rng.integers(0, 3, np.prod(shape))
    markers = np.zeros(shape, dtype=np.int32)
    for number in range(1, 4):
        markers[tuple(rng.integers(0, shape))] = number
    return altitude.reshape(shape).astype(np.int32), markers, rng.random(shape) < 0.85


@pytest.mark.parametrize('distinct', [False, True])
def test_the_flood_is_a_minimum_spanning_forest(distinct):
    rng = np.random.default_rng(0)
    for _ in range(200):
        altitude, markers, mask = random_case(rng, distinct)
        flooded = flood(altitude, markers, mask.astype(int))
        by_hand = flood_by_hand(altitude, markers, mask)
        reached = flooded > 0
        assert np.array_equal(reached, by_hand > 0) and not flooded[~mask].any()
        assert np.array_equal(flooded[(markers > 0) & mask], markers[(markers > 0) & mask])
        best = forest_weight(altitude, markers, reached)
        assert forest_weight(altitude, markers, reached, flooded) == best
        assert forest_weight(altitude, markers, reached, by_hand) == best
        assert np.array_equal(flooded, flood(altitude, markers, mask.astype(int)))


def test_a_basin_without_a_marker_is_flooded_whole():
    altitude = np.array([[0, 2, 1, 1, 1, 3, 0]])
    markers = np.array([[1, 0, 0, 0, 0, 0, 2]])
    assert flood(altitude, markers, np.ones((1, 7), int)).tolist() == [[1, 1, 1, 1, 1, 2, 2]]


def test_plateaus_are_shared_by_distance_over_four_neighbors():
    markers = np.zeros((9, 9), dtype=np.int32)
    markers[4, 1], markers[4, 7] = 1, 2
    flooded = flood(np.zeros((9, 9), np.int32), markers, np.ones((9, 9), int))
    assert (flooded[:, :4] == 1).all() and (flooded[:, 5:] == 2).all()
    assert (flood(np.zeros((9, 9)), markers.T, np.ones((9, 9), int))[:4] == 1).all()
    corner = np.zeros((3, 3), dtype=np.int32)
    corner[0, 0] = 1
    assert flood(np.zeros((3, 3)), corner, np.eye(3, dtype=int)).sum() == 1


def test_regions_are_flooded_on_their_own():
    regions = np.array([[1, 1, 2, 2, 1, 0, 1]])
    markers = np.array([[7, 0, 0, 5, 0, 0, 0]])
    assert flood(np.zeros((1, 7)), markers, regions).tolist() == [[7, 7, 5, 5, 0, 0, 0]]
    assert not flood(np.zeros((1, 7)), 0 * markers, regions).any()
    assert not flood(np.zeros((1, 7)), markers, 0 * regions).any()


def test_altitude_is_folded_and_rounded():
    maps = np.zeros((9, 1, 4))
    maps[3, 0] = [0.52, -0.52, 0.05, 0]
    maps[[0, *range(4, 9)]] = -1
    maps[1:3] = -1
    classes = maps.argmax(axis=0)
    assert altitude_of(maps, classes).tolist() == [[4, 4, 0, 0]]
    assert altitude_of(maps, classes, levels=100).tolist() == [[52, 52, 5, 0]]


def claim(id, y, x, size=3, area=None, channel=CAR):
    body = np.stack(np.mgrid[y - size : y + size + 1, x - size : x + size + 1], -1).reshape(-1, 2)
    core = body[np.abs(body - (y, x)).max(axis=1) <= size // 2]
    return Claim(id, channel, area or len(body), np.array([y, x], float), core, body)


def test_seeds_lie_on_their_class_and_not_on_each_other():
    classes = np.zeros((20, 30), dtype=int)
    classes[5:15, 5:25] = CAR
    claims = [claim(1, 10, 10), claim(2, 10, 11, size=2), claim(3, 10, 20, channel=4)]
    markers = place_seeds(claims, classes)
    assert set(np.unique(markers)) == {0, 1, 2} and not markers[classes == 0].any()
    assert (markers == 2).sum() == 9  # the smaller one has all its pixels
    assert (markers == 1).sum() == 3


def test_a_seed_off_its_class_moves_to_the_nearest_pixel_or_leaves():
    classes = np.zeros((20, 30), dtype=int)
    classes[5:15, 15:25] = CAR
    markers = place_seeds([claim(1, 10, 9, size=3)], classes)
    assert sorted(map(tuple, np.argwhere(markers))) == [(y, x) for y in (9, 10, 11) for x in (15, 16)]
    assert not place_seeds([claim(1, 10, 7, size=3)], classes).any()  # 8 away, and 7 wide
    assert not place_seeds([claim(1, -30, 200, size=3)], classes).any()


def test_two_objects_at_one_place_get_a_seed_each():
    classes = np.full((9, 9), CAR)
    center = np.array([4.0, 4.0])
    block = np.stack(np.mgrid[3:6, 3:6], -1).reshape(-1, 2)
    twins = [Claim(id, CAR, 49, center, block, block) for id in (1, 2)]
    markers = place_seeds(twins, classes)
    assert (markers == 1).sum() == 9 and (markers == 2).sum() > 0


@pytest.mark.parametrize('seeds', ['core', 'centroid'])
def test_touching_objects_of_a_class_are_told_apart(seeds):
    index_map = np.zeros((24, 40), dtype=np.int32)
    index_map[4:20, 4:20], index_map[6:18, 20:36] = 1, 2
    objects = keep_objects(index_map, np.array([2, 2]), np.ones(2))
    classes = CAR * (index_map > 0)
    maps = distance_maps(classes, index_map, 9) - 1
    tracks = link_objects([objects])
    claims = make_claims(tracks, objects, 0, 0, 1, seeds)
    grown = grow_objects(maps, classes, claims, 1)
    assert (grown != index_map).sum() <= 4  # where the ridges meet the outer contour, by ties
    assert np.array_equal(grown > 0, index_map > 0)


def test_a_part_behind_a_pole_goes_to_its_object_and_nobodys_part_to_nobody():
    index_map = np.zeros((20, 40), dtype=np.int32)
    index_map[5:15, 5:22] = 1
    objects = keep_objects(index_map, np.array([2]), np.ones(1))
    claims = make_claims(link_objects([objects]), objects, 0, 0, 1)
    classes = CAR * (index_map > 0)
    classes[:, 18] = 0
    classes[2:6, 30:34] = CAR
    maps = distance_maps(classes, np.zeros_like(index_map), 9) - 1
    grown = grow_objects(maps, classes, claims, 1)
    assert (grown[5:15, 19:22] == 1).all() and (grown[5:15, 5:18] == 1).all()
    assert not grown[:, 30:].any() and not grown[:, 18].any()
    ((channel, part),) = find_unclaimed(classes, grown, 1, min_area=16)
    assert channel == CAR and part.sum() == 16 and part[2:6, 30:34].all()
    assert find_unclaimed(classes, grown, 1, min_area=17) == []


def test_scaled_seeds_grow_around_the_new_centroid():
    index_map = np.zeros((40, 60), dtype=np.int32)
    index_map[10:20, 10:20] = 1
    objects = keep_objects(index_map, np.array([2]), np.ones(1))
    (track,) = link_objects([objects])
    track.velocity, track.growth = np.array([0.0, 5.0]), np.log(1.2)
    (plain,) = make_claims([track], objects, 0, 2, 1)
    (scaled,) = make_claims([track], objects, 0, 2, 1, scale=True)
    assert plain.centroid.tolist() == scaled.centroid.tolist() == [14.5, 24.5]
    assert np.ptp(plain.body[:, 1]) == 9 and np.ptp(scaled.body[:, 1]) == 11
    assert scaled.body.mean(axis=0) == pytest.approx([14.5, 24.5], abs=0.51)
