"""The datasets of configs/_base_/datasets for video prediction."""

import av
import numpy as np
import pytest
from mmengine.config import Config

from mmforecast.datasets.motion import squared_motion
from mmforecast.registry import DATASETS, METRICS, TRANSFORMS

NAMES = ('video_clips', 'video_camvid', 'ucf101', 'ucf101_test_frames')


def load(repository, name):
    return Config.fromfile(repository / 'configs/_base_/datasets' / f'{name}.py')


@pytest.mark.parametrize('name', NAMES)
def test_parts_can_be_built(repository, name):
    cfg = load(repository, name)
    assert METRICS.build(cfg.val_evaluator.to_dict()) and cfg.test_evaluator == cfg.val_evaluator
    assert cfg.test_dataloader == cfg.val_dataloader
    for part, steps in (('train', 1), ('test', 2)):
        dataset = cfg[f'{part}_dataloader'].dataset
        assert DATASETS.get(dataset.type) and (dataset.num_past, dataset.num_future) == (4, steps)
        pipeline = [TRANSFORMS.build(step.to_dict()) for step in dataset.pipeline]
        sizes = [step.scale for step in pipeline if hasattr(step, 'scale')]
        assert all(side % 8 == 0 for scale in sizes for side in scale)


def test_split_of_the_real_clips(repository, real_videos):
    """Published by its name and these numbers."""
    cfg = load(repository, 'video_clips')
    train, test = (
        DATASETS.build(dict(cfg[f'{part}_dataloader'].dataset.to_dict(), data_root=str(real_videos)))
        for part in ('train', 'test')
    )
    ids = ['demo.mp4', 'part_0.mp4', 'test.avi']
    assert [sequence.id for sequence in test.sequences] == ids
    assert [len(sequence) for sequence in train.sequences] == [116, 19, 47]
    assert [len(sequence) for sequence in test.sequences] == [77, 13, 32]
    assert (len(train), len(test)) == (170, 107)
    firsts = [sequence.frame_names[0] for sequence in test.sequences]
    assert [train.sequences[n].frame_names[-1] < first for n, first in enumerate(firsts)] == [True] * 3
    for index in range(0, 107, 15):
        frames = test[index]['inputs'].numpy()
        assert frames.shape == (6, 3, 120, 160)
        motion = [squared_motion(*pair) for pair in zip(frames, frames[1:])]
        assert min(motion) > 2e-4
    assert train[0]['inputs'].shape == (5, 3, 32, 32)


def test_real_clip_at_random_is_that_of_decoding_from_the_start(real_videos):
    load_frames = TRANSFORMS.build(dict(type='LoadClipFrames'))
    for name in ('part_0.mp4', 'test.avi'):
        with av.open(str(real_videos / name)) as container:
            stream = container.streams.video[0]
            width = round(stream.width * (stream.sample_aspect_ratio or 1))
            frames = [frame.to_ndarray(format='rgb24', width=width) for frame in container.decode(video=0)]
        for first in np.random.randint(0, len(frames) - 5, 4):
            paths = [f'{real_videos / name}#{number}' for number in range(first, first + 5)]
            read = load_frames(dict(img_paths=paths, sequence_id=name))['frames']
            np.testing.assert_array_equal(read, frames[first : first + 5])
