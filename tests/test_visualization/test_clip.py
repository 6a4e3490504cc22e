"""What pictures know of a clip."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmforecast.visualization.clip import (
    clip_frames,
    instance_classes,
    known_instances,
    known_labels,
    panel_size,
    sample_headings,
    time_heading,
)


@pytest.mark.parametrize(
    'args, heading',
    [
        ((0, 3, 17), 't'),
        ((-3, 3, 17), 't - 0.53 s'),
        ((1, 3, 17), 't + 0.18 s'),
        ((-3, 3), 't - 9'),
        ((2,), 't + 2'),
    ],
)
def test_headings_in_seconds_or_frames(args, heading):
    assert time_heading(*args) == heading


def test_headings_of_a_clip(make_clip):
    sample, _ = make_clip()
    assert sample_headings(sample, 2) == ['t - 0.18 s', 't', 't + 0.18 s', 't + 0.35 s']


def test_ground_truth_goes_before_the_segmentor_and_that_before_scores(make_clip):
    sample, _ = make_clip(labelled=[False, False, False, True])
    truth = sample.gt_sem_seg.data[3].numpy()
    known = known_labels(sample)
    assert known[:3] == [None] * 3
    np.testing.assert_array_equal(known[3], truth)

    scores = torch.zeros(4, 3, 8, 16)
    scores[:, 2] = 1
    sample.scores = scores
    sample.ref_sem_seg = PixelData(data=torch.full((2, 16, 32), 7))
    known = known_labels(sample)
    assert [np.unique(item).tolist() for item in known] == [[2], [2], [7], [0, 1]]
    np.testing.assert_array_equal(known[3], truth)


def test_true_instances_go_before_the_detector(make_instance_clip):
    sample, _ = make_instance_clip()
    sample.gt_instance_map.data[[0, 3]] = -1  # no labels
    sample.gt_instance_map.data[1] = 7  # labels without an instance
    known = known_instances(sample)
    assert [item is None for item in known] == [True, False, False, True]
    assert [len(item) for item in known[1:3]] == [0, 1]

    sample.ref_instances = [
        InstanceData(labels=torch.zeros(3)),
        InstanceData(labels=torch.zeros(5)),
    ]
    assert [len(item) for item in known_instances(sample)[1:]] == [0, 1, 5]


def test_panels_take_the_shape_of_what_there_is():
    empty, found = InstanceData(), InstanceData(masks=torch.zeros(2, 20, 50))
    assert panel_size([None, empty, found], 40) == (40, 100)
    assert panel_size([np.zeros((10, 15, 3)), found], 40) == (40, 60)
    with pytest.raises(ValueError, match='neither frames nor label maps nor instances'):
        panel_size([None, empty], 40)


def test_instances_are_named_after_the_moving_classes():
    meta = {'classes': ('road', 'car', 'sky', 'person')}
    assert instance_classes({**meta, 'moving_ids': (1, 3)}) == ('car', 'person')
    assert instance_classes(meta) is None and instance_classes({}) is None


def test_frames_of_the_model_input_and_of_an_array_are_the_same(make_clip):
    sample, frames = make_clip()
    packed = torch.from_numpy(frames).permute(0, 3, 1, 2)
    for ours, theirs in zip(clip_frames(packed, sample), clip_frames(frames, sample), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert clip_frames(torch.zeros(4, 3, 0, 0), sample) == [None] * 4
    past_only = clip_frames(frames[:2], sample)
    np.testing.assert_array_equal(past_only[1], frames[1])
    assert past_only[2:] == [None, None]


def test_bad_frames_are_named(make_clip):
    sample, frames = make_clip()
    with pytest.raises(ValueError, match=r'frames must be .* got shape \(16, 32, 3\)'):
        clip_frames(frames[0], sample)
    with pytest.raises(ValueError, match='frames holds 1 frames, but the clip has 2 past frames'):
        clip_frames(frames[:1], sample)


def test_tracked_objects_of_the_past_go_before_the_truth(make_instance_clip):
    sample, _ = make_instance_clip()
    tracked = [InstanceData(track_ids=torch.tensor([time])) for time in range(sample.num_past)]
    sample.past_instances = tracked
    known = known_instances(sample)
    assert known[: sample.num_past] == tracked
    assert all(item is None or 'track_ids' not in item for item in known[sample.num_past :])
