"""True motion of a clip: followed through the flow of every frame, and carried by the other transforms."""

import cv2
import numpy as np
import pytest
import torch

from mmforecast.datasets import CityscapesSequenceDataset, CorruptFrameError
from mmforecast.datasets.transforms import (
    ClipPadToMultiple,
    ClipRandomCrop,
    ClipRandomFlip,
    ClipResize,
    LoadClipMotion,
    PackForecastInputs,
)
from mmforecast.datasets.transforms.motion import differs, follow_flow
from mmforecast.fileio.flow_png import decode_flow, encode_flow
from mmforecast.street import SequenceRenderer, write_dataset
from mmforecast.street.true_flow import true_flow


@pytest.fixture(scope='module')
def street(tmp_path_factory):
    root = tmp_path_factory.mktemp('street')
    write_dataset(root, {'train': 1}, 32, 64, seed=3, flow=True, progress=False)
    return root


def dataset(root, steps=('LoadClipFrames', 'LoadClipInstances', 'LoadClipMotion'), **kwargs):
    return CityscapesSequenceDataset(
        str(root),
        data_prefix=dict(
            img_path='leftImg8bit_sequence', seg_map_path='gtFine_sequence', flow_path='flow_sequence'
        ),
        pipeline=[dict(type=step) for step in steps],
        on_corrupt='raise',
        **kwargs,
    )


def test_png_round_trip():
    flow = np.random.default_rng(0).uniform(-500, 500, (5, 7, 2)).astype(np.float32)
    flow[0, 0], flow[1, 1] = np.nan, 600
    decoded, valid = decode_flow(encode_flow(flow))
    assert (~valid).sum() == 2 and not valid[0, 0] and not valid[1, 1]
    assert np.abs(decoded - flow)[valid].max() <= 1 / 128


def test_follow_flow_by_hand():
    flows = np.zeros((3, 4, 6, 2), np.float32)
    flows[0, :, :, 0] = 1
    flows[1, :, :, 0] = 2
    flows[2, :, :, 1] = 1
    moved = follow_flow(list(flows))
    assert moved.shape == (3, 2, 4, 6)
    assert moved[:, :, 0, 0].tolist() == [[1, 0], [3, 0], [3, 1]]
    assert np.isnan(moved[1, 0, 0, 3]) and np.isnan(moved[2, 0, 0, 3])  # out on the right, for good
    assert moved[2, 1, 2, 2] == 1 and np.isnan(moved[2, 1, 3, 2])  # out below


def test_a_jump_of_the_flow_ends_the_point():
    flows = np.zeros((2, 3, 9, 2), np.float32)
    flows[1, :, 4:, 0] = 3  # something else has come here
    moved = follow_flow(list(flows))
    assert (moved[1, 0, :, :4] == 0).all() and np.isnan(moved[1, 0, :, 4:]).all()


def test_is_the_true_motion_over_several_frames():
    sequence = SequenceRenderer(3, 'train', 0, 128, 256, 14)
    rendered = [sequence.render(frame) for frame in range(14)]
    flows = [sequence.flow(n, surface, near) for n, (_, surface, near) in enumerate(rendered[:-1])]
    followed = follow_flow(flows)[-1].transpose(1, 2, 0)
    _, surface, near = rendered[0]
    part, parts = sequence._part_of[surface], sequence._parts
    poses = sequence.camera_pose(0), sequence.camera_pose(13)
    exact = true_flow(sequence.camera, *poses, near, part, parts[:, 0], parts[:, 13])
    error = np.linalg.norm(followed - exact, axis=-1)
    y, x = np.indices(part.shape)
    places = np.stack([x, y], axis=-1) + exact
    stays = ((places > 0) & (places < [255, 127])).all(-1)
    known = ~np.isnan(followed).any(-1)
    assert stays.mean() > 0.2 and (known & stays).sum() > 0.85 * stays.sum()
    # what something hides on the way may go wrong, and is told by its instance
    ids = [sequence.instances_of[rendered[frame][1]] for frame in (0, 13)]
    known &= ~differs(*ids, followed.transpose(2, 0, 1))
    assert np.median(error[known]) < 0.1 and (error[known] > 2).mean() < 0.02


def test_the_clip_has_it_for_every_future_step(street):
    clip = dataset(street, num_past=2, num_future=3, stride=2)[0]
    motion, ids = clip['gt_motion'], clip['gt_instance_map']
    assert motion.shape == (3, 2, 32, 64) and motion.dtype == np.float32
    flows = []
    for frame in range(clip['frame_indices'][1], clip['frame_indices'][-1]):
        path = street / 'flow_sequence/train/street' / f'street_000000_{frame:06d}_flow.png'
        flow, valid = decode_flow(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1])
        flows.append(np.where(valid[..., None], flow, np.nan))
    expected = follow_flow(flows)[[1, 3, 5]]
    known = ~np.isnan(motion)
    assert np.array_equal(motion[known], expected[known])
    y, x = np.nonzero(known[2, 0])
    to = np.rint(motion[2][:, y, x] + np.stack([x, y])).astype(int)
    assert np.array_equal(ids[1][y, x], ids[4][to[1], to[0]])
    dropped = ~known[2, 0] & ~np.isnan(expected[2, 0])
    assert 0 < dropped.sum() < 0.3 * 32 * 64


def test_flip_resize_crop_and_pad():
    motion = np.random.default_rng(1).normal(size=(2, 2, 8, 12)).astype(np.float32)

    def clip():
        return dict(
            gt_motion=motion.copy(),
            frames=np.zeros((3, 8, 12, 3), np.uint8),
            img_shape=(8, 12),
            sequence_id='a',
        )

    flipped = ClipRandomFlip(1.0)(clip())['gt_motion']
    assert np.array_equal(flipped[:, 0], -motion[:, 0, :, ::-1])
    assert np.array_equal(flipped[:, 1], motion[:, 1, :, ::-1])
    larger = ClipResize((24, 8))(clip())['gt_motion']
    assert np.array_equal(larger[:, 0, :, ::2], 2 * motion[:, 0])
    assert np.array_equal(larger[:, 1, :, ::2], motion[:, 1])
    assert np.array_equal(ClipRandomCrop((8, 12))(clip())['gt_motion'], motion)
    padded = ClipPadToMultiple(16)(clip())['gt_motion']
    assert padded.shape == (2, 2, 16, 16)
    assert np.array_equal(padded[..., :8, :12], motion) and np.isnan(padded[..., 8:, :]).all()


def test_packed():
    clip = dict(
        gt_motion=np.ones((1, 2, 4, 4), np.float32),
        frames=np.zeros((2, 4, 4, 3), np.uint8),
        frame_indices=[0, 1],
    )
    motion = PackForecastInputs()(clip)['data_samples'].gt_motion
    assert isinstance(motion, torch.Tensor) and motion.shape == (1, 2, 4, 4)


def test_without_flow(street):
    plain = CityscapesSequenceDataset(
        str(street), data_prefix=dict(seg_map_path='gtFine_sequence'), pipeline=[], num_future=1
    )
    assert plain.get_data_info(0)['motion_paths'] == [None] * 3
    with pytest.raises(CorruptFrameError, match='set flow_path in data_prefix'):
        LoadClipMotion()(plain.get_data_info(0))
    with pytest.raises(FileNotFoundError, match='--flow'):
        CityscapesSequenceDataset(str(street), data_prefix=dict(flow_path='nowhere'))


def test_a_picture_is_not_flow(street):
    info = dataset(street).get_data_info(0)
    info['motion_paths'] = info['img_paths'][:1] * len(info['motion_paths'])
    with pytest.raises(ValueError, match='is not flow: expected 3 channels of 16 bits'):
        LoadClipMotion()(info)


def test_without_future_frames(street):
    with pytest.raises(ValueError, match='num_future=0 of the dataset leaves none'):
        dataset(street, num_future=0)[0]
