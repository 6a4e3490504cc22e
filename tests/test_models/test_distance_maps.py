"""Distance maps: values by hand, exactness, and the label map that comes back."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from scipy.ndimage import distance_transform_edt

from mmforecast.apis.extract import extract_representations
from mmforecast.datasets import CityscapesSequenceDataset, RepresentationStore
from mmforecast.models.encoders import DistanceMapEncoder, detect
from mmforecast.models.objects.distance_maps import (
    PROFILES,
    contour_profile,
    distance_maps,
    inner_distance,
)
from mmforecast.models.objects.object_map import keep_objects, pack_objects, unpack_objects
from mmforecast.structures import (
    THING_LABEL_IDS,
    ForecastDataSample,
    instances_to_index_map,
    instances_to_sem_seg,
)

SIZE = (24, 40)


def random_objects(rng, count=12, size=SIZE):
    """An index map of rectangles that cover and touch each other, and the labels of its objects."""
    index_map = np.zeros(size, dtype=np.int32)
    for number in range(1, count + 1):
        y, x = rng.integers(-4, size[0]), rng.integers(-4, size[1])
        h, w = rng.integers(1, 14, 2)
        index_map[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = number
    objects = keep_objects(index_map, rng.integers(0, 8, count), rng.random(count))
    return objects


def classes_of(objects):
    return np.append(0, 1 + objects.labels)[objects.index_map]


def test_a_square_has_the_values_of_the_definition():
    index_map = np.zeros((9, 9), dtype=np.int32)
    index_map[2:7, 2:7] = 1
    maps = distance_maps(3 * index_map, index_map, num_classes=9)
    inner = [[2, 2, 2, 2, 2], [2, 1.5, 1.5, 1.5, 2], [2, 1.5, 1, 1.5, 2]]
    assert maps[3, 2:7, 2:7].tolist() == [*inner, inner[1], inner[0]]
    assert maps[0].tolist() == (1 - index_map).tolist()
    assert not maps[[1, 2, 4, 5, 6, 7, 8]].any() and maps[3].sum() == maps[3, 2:7, 2:7].sum()


def test_profiles_by_hand():
    distance = np.array([1, 2, 3, 5, np.inf])
    assert contour_profile(distance, 'linear', 2).tolist() == [1, 0.5, 0, 0, 0]
    assert contour_profile(distance, 'inverse').tolist() == [1, 1 / 2, 1 / 3, 1 / 5, 0]
    assert np.allclose(contour_profile(distance, 'exp', 2)[:3], np.exp([0, -0.5, -1]))
    assert not contour_profile(distance, 'flat').any()
    with pytest.raises(ValueError, match='profile must be one of'):
        contour_profile(distance, 'cubic')


def test_distances_are_exact():
    rng = np.random.default_rng(0)
    for _ in range(20):
        objects = random_objects(rng, count=6)
        expected = np.zeros(SIZE)
        for number in range(1, len(objects) + 1):
            mask = objects.index_map == number
            expected[mask] = distance_transform_edt(mask)[mask]
        assert np.abs(inner_distance(objects.index_map) - expected).max() < 1e-5


def test_an_object_that_the_border_cuts_has_no_contour_there():
    index_map = np.zeros((8, 12), dtype=np.int32)
    index_map[2:6, :7] = 1
    assert inner_distance(index_map)[3].tolist() == [2, 2, 2, 2, 2, 2, 1, 0, 0, 0, 0, 0]
    assert np.isinf(inner_distance(np.ones((4, 5), dtype=np.int32))).all()
    maps = distance_maps(np.ones((4, 5), int), np.ones((4, 5), np.int32), 9)
    assert (maps[1] == 1).all() and maps.sum() == 20


def test_touching_objects_have_ridges_on_both_sides():
    index_map = np.zeros((9, 12), dtype=np.int32)
    index_map[1:8, 1:6], index_map[1:8, 6:11] = 1, 2
    row = distance_maps((index_map > 0).astype(int), index_map, 9)[1, 4]
    assert row.tolist() == [0, 2, 1.5, 1, 1.5, 2, 2, 1.5, 1, 1.5, 2, 0]


@pytest.mark.parametrize('profile', PROFILES)
@pytest.mark.parametrize('height', [0, 0.5, 1, 3])
def test_the_argmax_gives_the_label_map_back(profile, height):
    rng = np.random.default_rng(1)
    for _ in range(10):
        objects = random_objects(rng)
        classes = classes_of(objects)
        maps = distance_maps(classes, objects.index_map, 9, height, profile, tau=3.0)
        assert np.array_equal(maps.argmax(axis=0), classes)
        assert maps.min() == 0 and maps.max() <= 1 + height
        assert ((maps > 0).sum(axis=0) == 1).all()


def test_objects_survive_packing_and_are_numbered_without_gaps():
    rng = np.random.default_rng(2)
    objects = random_objects(rng)
    back = unpack_objects(pack_objects(objects))
    assert np.array_equal(back.index_map, objects.index_map)
    assert np.array_equal(back.labels, objects.labels)
    assert np.allclose(back.scores, objects.scores)
    kept = keep_objects(objects.index_map, objects.labels, objects.scores, min_area=20)
    assert kept.areas.min() >= 20 and len(kept) == (objects.areas >= 20).sum()
    assert kept.labels.tolist() == objects.labels[objects.areas >= 20].tolist()
    nothing = keep_objects(np.zeros(SIZE, np.int32), np.zeros(0, int), np.zeros(0))
    assert len(unpack_objects(pack_objects(nothing))) == 0


def test_area_centroid_and_pixels_of_an_object():
    index_map = np.zeros((6, 8), dtype=np.int32)
    index_map[1:3, 2:5], index_map[5, 7] = 2, 1
    objects = keep_objects(index_map, np.array([0, 3]), np.ones(2))
    assert objects.areas.tolist() == [1, 6]
    assert objects.centroids.tolist() == [[5, 7], [1.5, 3]]
    assert objects.pixels(0).tolist() == [[5, 7]]
    assert objects.pixels(1).tolist() == [[1, 2], [1, 3], [1, 4], [2, 2], [2, 3], [2, 4]]


def test_an_index_map_says_who_is_on_top():
    masks = torch.zeros(3, 2, 4, dtype=torch.bool)
    masks[0, :, :3], masks[1, :, 2:], masks[2] = True, True, True
    found = InstanceData(labels=torch.tensor([0, 1, 2]), scores=torch.tensor([0.6, 0.9, 0.4]), masks=masks)
    assert instances_to_index_map(found, (2, 4))[0].tolist() == [1, 1, 2, 2]
    assert instances_to_index_map(found, (2, 4), score_thr=0.7)[0].tolist() == [0, 0, 2, 2]
    assert instances_to_index_map(found[found.scores > 1], (2, 4)).eq(0).all()
    with pytest.raises(ValueError, match='but the label map wants'):
        instances_to_index_map(found, (4, 4))


# The encoder.


def id_map_of(objects):
    ids = 1000 * np.array(THING_LABEL_IDS)[objects.labels] + np.arange(len(objects))
    return np.append(7, ids)[objects.index_map].astype(np.int32)


def sample_of(id_maps, **kwargs):
    sample = ForecastDataSample(metainfo=dict(labelled=[True] * len(id_maps), **kwargs))
    sample.gt_instance_map = PixelData(data=torch.from_numpy(np.stack(id_maps)))
    return sample


def test_ground_truth_is_encoded_frame_by_frame():
    rng = np.random.default_rng(3)
    clip = [random_objects(rng) for _ in range(3)]
    maps, objects = DistanceMapEncoder().encode(
        torch.zeros(1, 3, 3, 0, 0), [sample_of([id_map_of(one) for one in clip])]
    )
    assert maps.shape == (1, 3, 9, *SIZE) and objects.shape == (1, 3, 3, *SIZE)
    for time, one in enumerate(clip):
        expected = distance_maps(classes_of(one), one.index_map, 9) - 1
        assert np.array_equal(maps[0, time].numpy(), expected)
        back = unpack_objects(objects[0, time])
        assert sorted(zip(back.areas, back.labels)) == sorted(zip(one.areas, one.labels))


def test_groups_have_a_class_and_no_contours():
    id_map = np.full((6, 8), 7, dtype=np.int32)
    id_map[1:5, 1:5], id_map[0, 0] = 26, -1
    maps, objects = DistanceMapEncoder().encode(None, [sample_of([id_map])])
    assert maps[0, 0, 3, 1:5, 1:5].eq(0).all() and maps[0, 0, 3].eq(0).sum() == 16
    assert maps[0, 0, 0, 0, 0] == 0 and objects.eq(0).all()


def test_nineteen_classes_take_the_rest_from_the_label_map():
    id_map = np.full((4, 6), 7, dtype=np.int32)
    id_map[1:3, 1:3] = 26000
    labels = np.zeros((4, 6), dtype=np.uint8)
    labels[:, 4:], labels[1:3, 1:3], labels[0, 0] = 10, 13, 255
    sample = sample_of([id_map])
    encoder = DistanceMapEncoder(num_classes=19)
    with pytest.raises(ValueError, match='add LoadClipSemSeg'):
        encoder.encode(None, [sample])
    sample.gt_sem_seg = PixelData(data=torch.from_numpy(labels)[None])
    maps = encoder.encode(None, [sample])[0][0, 0]
    known = labels != 255
    assert np.array_equal(maps.argmax(dim=0).numpy()[known], labels[known])
    assert maps[:, 0, 0].eq(-1).all() and maps[13, 1, 1] == 1 and maps[10, 0, 5] == 0


def test_cells_and_small_objects():
    id_map = np.full((8, 16), 7, dtype=np.int32)
    id_map[0:4, 0:8], id_map[6, 10] = 26000, 24000
    maps, objects = DistanceMapEncoder(stride=2).encode(None, [sample_of([id_map])])
    assert maps.shape[-2:] == (4, 8) and unpack_objects(objects[0, 0]).areas.tolist() == [8]
    id_map[7, 11] = 24000
    sample = sample_of([id_map])
    assert len(unpack_objects(DistanceMapEncoder(stride=2).encode(None, [sample])[1][0, 0])) == 2
    maps, objects = DistanceMapEncoder(stride=2, min_area=2).encode(None, [sample])
    assert maps[0, 0, 0, 3, 5] == 0 and len(unpack_objects(objects[0, 0])) == 1
    with pytest.raises(ValueError, match='multiples of stride=3'):
        DistanceMapEncoder(stride=3).encode(None, [sample])


def test_stored_maps_are_taken_as_they_are():
    sample = ForecastDataSample()
    sample.scores = torch.rand(2, 9, 4, 6).half()
    (maps,) = DistanceMapEncoder().encode(torch.zeros(1, 2, 3, 0, 0), [sample])
    assert torch.equal(maps[0], sample.scores.float())
    with pytest.raises(ValueError, match='the store holds maps of 9 channels, but num_classes=19'):
        DistanceMapEncoder(num_classes=19).encode(torch.zeros(1, 2, 3, 0, 0), [sample])


def test_maps_are_extracted_as_other_representations(small_detector, street_root, tmp_path):
    dataset = CityscapesSequenceDataset(
        data_root=str(street_root),
        data_prefix=dict(img_path='leftImg8bit_sequence', seg_map_path='gtFine_sequence'),
        split='val',
        num_past=1,
        num_future=1,
    )
    encoder = DistanceMapEncoder(detector=small_detector('mask-rcnn'), score_thr=0.0, stride=8, chunk=1)
    report = extract_representations(encoder, dataset, str(tmp_path), 'maps', levels=['scores'])
    assert report['written'] == 2 and not report['corrupt']
    store = RepresentationStore(str(tmp_path))
    assert [level.shape for level in store.manifest.levels] == [(9, 8, 16)]
    with pytest.raises(ValueError, match='nothing to compute'):
        extract_representations(DistanceMapEncoder(), dataset, str(tmp_path), 'maps')


def test_any_detector_can_see_the_objects(small_detector):
    size, frames = (64, 96), torch.randint(0, 256, (2, 2, 3, 64, 96)).float()
    encoder = DistanceMapEncoder(detector=small_detector('mask-rcnn'), score_thr=0.0, chunk=1)
    maps, objects = encoder.encode(frames, [])
    assert maps.shape == (2, 2, 9, *size) and encoder.from_rgb and encoder.network is not None
    levels = [level[0] for level in encoder.detector_encoder.encode(frames[1, :1][None], [])]
    (found,) = detect(encoder.detector_encoder, levels, size)
    painted = instances_to_sem_seg(found, size, 0.0)
    values = torch.tensor([255, 11, 12, 13, 14, 15, 16, 17, 18])
    assert torch.equal(values[maps[1, 0].argmax(dim=0)], painted.long())
    seen = unpack_objects(objects[1, 0])
    assert len(seen) > 0 and set(seen.labels) <= set(found.labels.tolist())
    assert all(np.isclose(found.scores.numpy(), score).any() for score in seen.scores)
    encoder.train()
    assert not any(module.training for module in encoder.network.modules())
    with pytest.raises(ValueError, match='FCOS gives none'):
        DistanceMapEncoder(detector=small_detector('fcos'), score_thr=0.0).encode(frames, [])
    with pytest.raises(ValueError, match='num_classes must be 9 with it, got 19'):
        DistanceMapEncoder(num_classes=19, detector=encoder.network)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(num_classes=8), r'num_classes must be one of \(9, 19\), got 8'),
        (dict(stride=0), 'stride must be an integer >= 1, got 0'),
        (dict(height=-1), 'height must be 0 or more, got -1'),
        (dict(profile='cubic'), 'profile must be one of'),
        (dict(tau=0), 'tau must be positive, got 0'),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        DistanceMapEncoder(**kwargs)


def test_clips_without_instances_are_refused():
    with pytest.raises(ValueError, match='add LoadClipInstances'):
        DistanceMapEncoder().encode(None, [ForecastDataSample()])
    sample = sample_of([np.zeros((4, 4), np.int32)])
    sample.set_metainfo(dict(labelled=[False]))
    with pytest.raises(ValueError, match='has frames without labels'):
        DistanceMapEncoder().encode(None, [sample])
