"""Synthetic sequences: determinism, consistency of labels, instances, tracks, depth, flow."""

import cv2
import numpy as np
import pytest

from mmforecast.street import SequenceRenderer, generate_sequence
from mmforecast.street.labels import (
    LABELS,
    THING_IDS,
    TRAIN_COLOURS,
    TRAIN_ID_OF,
    TRAIN_NAMES,
    label_id,
    to_train_ids,
)
from mmforecast.structures.cityscapes import CITYSCAPES_LABEL_TO_TRAIN_ID, CITYSCAPES_METAINFO


@pytest.fixture(scope='module')
def sequence():
    return generate_sequence(0, 'val', 3, 64, 128, depth=True, flow=True)


def test_shapes_and_types(sequence):
    assert sequence['frames'].shape == (30, 64, 128, 3) and sequence['frames'].dtype == np.uint8
    assert sequence['label_ids'].shape == (30, 64, 128) and sequence['label_ids'].dtype == np.uint8
    assert sequence['instance_ids'].dtype == np.uint16
    assert sequence['depth'].shape == (30, 64, 128) and sequence['depth'].dtype == np.float32
    assert sequence['flow'].shape == (30, 64, 128, 2) and sequence['flow'].dtype == np.float32
    assert len(sequence['camera_poses']) == 30


def test_same_name_gives_the_same_bytes(sequence):
    again = generate_sequence(0, 'val', 3, 64, 128, depth=True, flow=True)
    for key in ('frames', 'label_ids', 'instance_ids', 'depth', 'flow'):
        assert again[key].tobytes() == sequence[key].tobytes()


@pytest.mark.parametrize('name', [(1, 'val', 3), (0, 'train', 3), (0, 'val', 4)])
def test_another_name_gives_another_street(sequence, name):
    rgb, surface, _ = SequenceRenderer(*name, 64, 128).render(0)
    assert (rgb != sequence['frames'][0]).mean() > 0.5


def test_instance_ids_are_those_of_cityscapes(sequence):
    labels, instances = sequence['label_ids'].astype(int), sequence['instance_ids'].astype(int)
    with_instance = instances >= 1000
    np.testing.assert_array_equal(instances[with_instance] // 1000, labels[with_instance])
    np.testing.assert_array_equal(instances[~with_instance], labels[~with_instance])
    np.testing.assert_array_equal(np.isin(labels, THING_IDS), with_instance)
    assert (TRAIN_ID_OF[sequence['label_ids']] != 255).all()


def test_tracks_say_where_each_instance_is_and_how_many_pixels_show_it(sequence):
    tracks = {track.instance_id: track for track in sequence['tracks']}
    instances, depth = sequence['instance_ids'], sequence['depth']
    seen = np.unique(instances[instances >= 1000])
    assert len(seen) > 5 and set(seen) <= set(tracks)
    checked = 0
    for instance_id in seen:
        track = tracks[instance_id]
        assert track.label_id == instance_id // 1000
        for frame in (0, 12, 29):
            mask = instances[frame] == instance_id
            assert mask.sum() == track.pixels[frame]
            if mask.sum() < 20:
                continue
            reach = np.hypot(track.size[0], track.size[2])
            pose = sequence['camera_poses'][frame]
            x, z = track.positions[frame]
            ahead = pose.to_camera(np.array([x, -1.2, z]))[2]
            assert abs(np.median(depth[frame][mask]) - ahead) < reach
            checked += 1
    assert checked > 5


def test_objects_move_smoothly(sequence):
    for track in sequence['tracks']:
        speed = np.linalg.norm(np.diff(track.positions, axis=0), axis=1) * 17
        assert speed.max() < 16
        assert np.abs(np.diff(speed)).max() < 0.7


def test_rider_and_two_wheeler_are_separate_instances_on_one_path():
    for index in range(8):
        tracks = SequenceRenderer(0, 'val', index, 32, 64).tracks
        riders = [track for track in tracks if track.label_id == label_id('rider')]
        machines = [t for t in tracks if t.label_id in (label_id('bicycle'), label_id('motorcycle'))]
        for rider in riders:
            assert any(np.array_equal(rider.positions, machine.positions) for machine in machines)
        if riders:
            return
    pytest.fail('no rider in eight sequences')


def test_depth_of_sky_is_infinite_and_of_road_that_of_the_plane(sequence):
    labels, depth = sequence['label_ids'][0], sequence['depth'][0]
    assert np.isinf(depth[labels == label_id('sky')]).all()
    camera, pose = sequence['camera'], sequence['camera_poses'][0]
    road = (labels == label_id('road')) & (depth < 60)
    assert road.sum() > 500
    heights = pose.to_world(camera.rays() * np.where(np.isinf(depth), 1, depth)[..., None])[..., 1]
    np.testing.assert_allclose(heights[road], 0, atol=2e-3)


@pytest.mark.parametrize('index', [0, 2, 5])
def test_true_flow_explains_the_next_frame(index):
    """Pulled back along the flow, the next frame shows the same things in the same colors."""
    sequence = generate_sequence(1, 'val', index, 128, 256, num_frames=8, flow=True)
    here = np.dstack(np.meshgrid(np.arange(256), np.arange(128))).astype(np.float32)
    worse, better, agree, still = [], [], [], []
    for frame in (0, 3, 6):
        target = here + np.nan_to_num(sequence['flow'][frame], nan=-1e4)
        inside = ((target >= 0) & (target <= [255, 127])).all(-1)
        labels = sequence['instance_ids'].astype(np.float32)
        pulled_ids = cv2.remap(labels[frame + 1], target, None, cv2.INTER_NEAREST)
        visible = inside & (pulled_ids == labels[frame])
        agree.append(visible.sum() / inside.sum())
        still.append((labels[frame + 1] == labels[frame])[inside].mean())
        now, then = (sequence['frames'][f].astype(np.float32) for f in (frame, frame + 1))
        pulled = cv2.remap(then, target, None, cv2.INTER_LINEAR)
        better.append(np.abs(pulled - now)[visible].mean())
        worse.append(np.abs(then - now)[visible].mean())
    assert np.mean(agree) > 0.95 and np.mean(agree) > np.mean(still)
    assert np.mean(better) < 0.6 * np.mean(worse)


def test_every_train_class_occurs():
    seen = set()
    for index in (0, 1, 18):
        renderer = SequenceRenderer(0, 'train', index, 64, 128)
        seen |= set(np.unique(to_train_ids(renderer.labels_of[renderer.render(10)[1]])))
    assert seen == set(range(19))


def test_size_does_not_change_where_things_are():
    small, large = (SequenceRenderer(0, 'val', 1, h, 2 * h) for h in (64, 128))
    assert [t.instance_id for t in small.tracks] == [t.instance_id for t in large.tracks]
    labels = [r.labels_of[r.render(5)[1]] for r in (small, large)]
    shrunk = cv2.resize(labels[1], (128, 64), interpolation=cv2.INTER_NEAREST)
    assert (shrunk == labels[0]).mean() > 0.9


@pytest.mark.parametrize('size', [(128, 200), (16, 32), (2048, 4096), (0, 0)])
def test_bad_sizes_are_refused(size):
    with pytest.raises(ValueError, match='size must be H x 2H'):
        generate_sequence(0, 'val', 0, *size)


@pytest.mark.parametrize(
    'kwargs, message',
    [(dict(seed=-1), 'seed'), (dict(index=-1), 'index'), (dict(num_frames=0), 'num_frames')],
)
def test_bad_arguments_are_refused(kwargs, message):
    arguments = {**dict(seed=0, split='val', index=0, height=64, width=128), **kwargs}
    with pytest.raises(ValueError, match=message):
        generate_sequence(**arguments)


def test_label_table_agrees_with_the_data_sets():
    assert TRAIN_NAMES == CITYSCAPES_METAINFO['classes']
    np.testing.assert_array_equal(TRAIN_COLOURS[:19], CITYSCAPES_METAINFO['palette'])
    for label in LABELS:
        assert CITYSCAPES_LABEL_TO_TRAIN_ID[label.id] == label.train_id
