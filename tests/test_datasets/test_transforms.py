"""Clip transforms: what they load, and that geometry is one for all fields of a clip."""

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import Resize
from mmengine.dataset import Compose

from mmforecast.datasets import Level, StoreManifest, StoreWriter
from mmforecast.datasets.transforms import (
    ClipRandomCrop,
    ClipRandomFlip,
    ClipResize,
    LoadClipFrames,
    LoadClipScores,
    LoadClipSemSeg,
    PackForecastInputs,
)
from mmforecast.structures import ForecastDataSample

T, H, W, CELL = 3, 8, 12, 2


@pytest.fixture
def clip(tmp_path):
    """Results of a clip of three frames, of which the last has labels."""
    rng = np.random.default_rng(0)
    for name in ('a', 'b', 'c'):
        bgr = rng.integers(0, 256, (H, W, 3), np.uint8)
        assert cv2.imwrite(str(tmp_path / f'{name}.png'), bgr)
    assert cv2.imwrite(str(tmp_path / 'labels.png'), rng.integers(5, 8, (H, W), np.uint8))
    return dict(
        sequence_id='s0',
        frame_indices=[0, 1, 2],
        frame_names=['a', 'b', 'c'],
        num_past=2,
        num_future=1,
        stride=1,
        fps=17.0,
        img_paths=[str(tmp_path / f'{name}.png') for name in ('a', 'b', 'c')],
        seg_map_paths=[None, None, str(tmp_path / 'labels.png')],
        instance_paths=[None] * 3,
        label_map={5: 0, 6: 1, 7: 255},
    )


@pytest.fixture
def store(tmp_path):
    manifest = StoreManifest('net', '', [Level('scores', (4, 4, 6))], 'made up')
    writer = StoreWriter(str(tmp_path / 'store'), manifest)
    scores = np.random.default_rng(1).normal(size=(3, 4, 4, 6)).astype(np.float16)
    writer.write_sequence('scores', 's0', ['a', 'b', 'c'], scores)
    return writer.root


def coordinates():
    """A clip whose every field holds the position of its pixels (of the cell, for scores)."""
    rows, columns = np.mgrid[:H, :W]
    frame = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    cells = np.stack(np.mgrid[: H // CELL, : W // CELL]).astype(np.float16)
    return dict(
        sequence_id='s0',
        img_shape=(H, W),
        frames=np.stack([frame + [0, 0, t] for t in range(T)]).astype(np.uint8),
        gt_sem_seg=np.stack([rows * W + columns] * T).astype(np.uint8),
        scores=np.stack([cells] * T),
    )


def check_aligned(results):
    """Every field still shows the same part of the scene in every frame."""
    frames, labels, scores = results['frames'], results['gt_sem_seg'], results['scores']
    for t in range(T):
        assert set(frames[t, ..., 2].ravel()) == {t}
        rows, columns = frames[t, ..., 0].astype(int), frames[t, ..., 1].astype(int)
        np.testing.assert_array_equal(labels[t], rows * W + columns)
        for axis, positions in enumerate((rows, columns)):
            spread = scores[t, axis].repeat(CELL, axis=0).repeat(CELL, axis=1)
            np.testing.assert_array_equal(spread, positions // CELL)
    assert results['img_shape'] == frames.shape[1:3] == labels.shape[1:]


# --- loading --------------------------------------------------------------------------------------


def test_load_frames_is_rgb(clip):
    results = LoadClipFrames()(dict(clip))
    assert results['frames'].shape == (T, H, W, 3)
    assert results['frames'].dtype == np.uint8
    for frame, path in zip(results['frames'], clip['img_paths']):
        np.testing.assert_array_equal(frame, cv2.imread(path)[..., ::-1])
    assert results['img_shape'] == results['ori_shape'] == (H, W)
    past = LoadClipFrames(which='past')(dict(clip))
    np.testing.assert_array_equal(past['frames'], results['frames'][:2])
    with pytest.raises(ValueError, match='which'):
        LoadClipFrames(which='future')


def test_load_labels(clip):
    results = LoadClipSemSeg()(dict(clip))
    raw = cv2.imread(clip['seg_map_paths'][2], cv2.IMREAD_UNCHANGED)
    expected = np.select([raw == 5, raw == 6], [0, 1], 255)
    np.testing.assert_array_equal(results['gt_sem_seg'][2], expected)
    assert (results['gt_sem_seg'][:2] == 255).all()
    assert results['labelled'] == [False, False, True]
    assert results['gt_sem_seg'].dtype == np.uint8
    as_they_are = LoadClipSemSeg()({**clip, 'label_map': None})
    np.testing.assert_array_equal(as_they_are['gt_sem_seg'][2], raw)


def test_clip_without_labels_takes_the_size_of_the_frames(clip):
    clip['seg_map_paths'] = [None] * 3
    results = LoadClipSemSeg()(LoadClipFrames()(dict(clip)))
    assert results['gt_sem_seg'].shape == (T, H, W)
    assert (results['gt_sem_seg'] == 255).all()
    assert results['labelled'] == [False] * 3
    with pytest.raises(ValueError, match='no frame of this clip of sequence s0 has labels'):
        LoadClipSemSeg()(dict(clip))


def test_load_scores(clip, store):
    results = LoadClipScores(store)(dict(clip))
    assert results['scores'].shape == (T, 4, 4, 6)
    assert results['scores'].dtype == np.float16
    assert results['img_shape'] == results['ori_shape'] == (4, 6)
    # Finer frames and labels define the clip's size, before or after the scores.
    for order in ([LoadClipScores(store), LoadClipSemSeg()], [LoadClipFrames()]):
        results = Compose([*order, LoadClipScores(store)])(dict(clip))
        assert results['img_shape'] == (H, W)


# --- geometry -------------------------------------------------------------------------------------


def test_crop_is_one_for_the_clip():
    corners = set()
    for seed in range(40):
        np.random.seed(seed)
        results = ClipRandomCrop(size=(4, 6))(coordinates())
        assert results['frames'].shape == (T, 4, 6, 3)
        assert results['scores'].shape == (T, 2, 2, 3)
        check_aligned(results)
        corners.add(tuple(results['frames'][0, 0, 0, :2].tolist()))
    # All corners on the scores' grid occur, and no other.
    assert corners == {(row, column) for row in (0, 2, 4) for column in (0, 2, 4, 6)}


def test_crop_of_the_whole_clip_changes_nothing():
    results = ClipRandomCrop(size=(H, W))(coordinates())
    for key, value in coordinates().items():
        np.testing.assert_array_equal(results[key], value)


def test_crop_of_scores_alone_is_in_score_pixels():
    scores = coordinates()['scores']
    results = dict(sequence_id='s0', scores=scores, img_shape=scores.shape[-2:])
    results = ClipRandomCrop(size=(3, 3))(results)
    assert results['scores'].shape == (T, 2, 3, 3)
    assert results['img_shape'] == (3, 3)


def test_crop_refuses():
    with pytest.raises(ValueError, match=r'\(10, 4\) is larger than the clip \(8, 12\) of .* s0'):
        ClipRandomCrop(size=(10, 4))(coordinates())
    with pytest.raises(ValueError, match='multiple of 2'):
        ClipRandomCrop(size=(3, 4))(coordinates())
    with pytest.raises(ValueError, match='scores of 4x5 do not divide the clip of 8x12'):
        ClipRandomCrop(size=(4, 4))({**coordinates(), 'scores': np.zeros((T, 2, 4, 5))})
    with pytest.raises(ValueError, match='size'):
        ClipRandomCrop(size=(4, 0))


def test_flip():
    results = ClipRandomFlip(prob=1.0)(coordinates())
    assert results['flip'] is True
    check_aligned(results)
    for key, axis in (('frames', 2), ('gt_sem_seg', 2), ('scores', 3)):
        np.testing.assert_array_equal(np.flip(results[key], axis), coordinates()[key])
    twice = ClipRandomFlip(prob=1.0)(results)
    assert twice['flip'] is False
    np.testing.assert_array_equal(twice['frames'], coordinates()['frames'])
    assert ClipRandomFlip(prob=0.0)(coordinates())['flip'] is False
    np.random.seed(0)
    flips = [ClipRandomFlip(prob=0.25)(dict(scores=np.zeros((1, 1, 1, 1))))['flip'] for _ in range(400)]
    assert 70 < sum(flips) < 130
    with pytest.raises(ValueError, match='prob'):
        ClipRandomFlip(prob=2)


def test_resize_hand_values():
    frames = np.zeros((1, 2, 4, 3), np.uint8)
    frames[0, :, :2] = [[[0], [40]], [[80], [120]]]
    labels = np.array([[[1, 1, 2, 2], [1, 1, 2, 2]]], np.uint8)
    scores = np.array([[[[0.0, 2.0]]]], np.float16)
    results = dict(frames=frames, gt_sem_seg=labels, scores=scores, img_shape=(2, 4))
    results = ClipResize(scale=(2, 1), score_scale=(4, 1))(results)
    # Areas of 2x2 are averaged; bilinear samples of [0, 2] at -0.25, 0.25, 0.75, 1.25.
    assert results['frames'][..., 0].tolist() == [[[60, 0]]]
    assert results['gt_sem_seg'].tolist() == [[[1, 2]]]
    assert results['scores'].tolist() == [[[[0.0, 0.5, 1.5, 2.0]]]]
    assert results['scores'].dtype == np.float16
    assert results['img_shape'] == (1, 2)


def test_resize_keeps_labels_and_scores_apart():
    labels = np.random.default_rng(0).choice([3, 17, 255], (T, 9, 13)).astype(np.uint8)
    results = ClipResize(scale=(30, 20))(dict(gt_sem_seg=labels, scores=coordinates()['scores']))
    assert results['gt_sem_seg'].shape == (T, 20, 30)
    assert set(np.unique(results['gt_sem_seg'])) == {3, 17, 255}
    np.testing.assert_array_equal(results['scores'], coordinates()['scores'])


@pytest.mark.parametrize(
    'scale, size',
    [
        ((416, 416), (234, 416)),
        ((1333, 800), (750, 1333)),
        ((1333, 300), (300, 533)),
        ((300, 1333), (300, 533)),
    ],
)
def test_resize_that_keeps_the_ratio_is_mmcvs(scale, size):
    frames = np.random.default_rng(0).integers(0, 256, (2, 54, 96, 3), dtype=np.uint8)
    clip = dict(frames=frames, gt_sem_seg=frames[..., 0])
    results = ClipResize(scale=scale, keep_ratio=True)(clip)
    image = Resize(scale=scale, keep_ratio=True)(dict(img=frames[0]))['img']
    assert results['frames'].shape[1:3] == image.shape[:2] == size
    assert results['gt_sem_seg'].shape == (2, *size)
    assert results['img_shape'] == size


def test_resize_commutes_with_flip():
    """Labels are sampled at pixel centers, so that nothing drifts to one side."""
    labels = np.random.default_rng(0).integers(0, 19, (T, 15, 21)).astype(np.uint8)
    frames = np.random.default_rng(0).integers(0, 256, (T, 15, 21, 3)).astype(np.uint8)
    resize, flip = ClipResize(scale=(7, 5)), ClipRandomFlip(prob=1.0)
    first = resize(flip(dict(frames=frames, gt_sem_seg=labels)))
    second = flip(resize(dict(frames=frames, gt_sem_seg=labels)))
    np.testing.assert_array_equal(first['gt_sem_seg'], second['gt_sem_seg'])
    np.testing.assert_array_equal(first['frames'], second['frames'])


# --- packing --------------------------------------------------------------------------------------


def test_pack(clip, store):
    np.random.seed(0)
    steps = [LoadClipFrames(), LoadClipSemSeg(), LoadClipScores(store), ClipRandomCrop((4, 6))]
    results = Compose([*steps, ClipRandomFlip(prob=1.0)])(dict(clip))
    packed = PackForecastInputs()(dict(results))
    inputs, sample = packed['inputs'], packed['data_samples']
    assert isinstance(sample, ForecastDataSample)
    assert inputs.shape == (T, 3, 4, 6) and inputs.dtype == torch.uint8
    np.testing.assert_array_equal(inputs.permute(0, 2, 3, 1), results['frames'])
    np.testing.assert_array_equal(sample.gt_sem_seg.data, results['gt_sem_seg'])
    np.testing.assert_array_equal(sample.scores, results['scores'])
    assert sample.scores.shape == (T, 4, 2, 3) and sample.scores.dtype == torch.float16
    assert inputs.is_contiguous() and sample.scores.is_contiguous()
    assert sample.metainfo == dict(
        sequence_id='s0',
        frame_indices=[0, 1, 2],
        frame_names=['a', 'b', 'c'],
        img_paths=clip['img_paths'],
        num_past=2,
        num_future=1,
        stride=1,
        fps=17.0,
        labelled=[False, False, True],
        img_shape=(4, 6),
        ori_shape=(H, W),
        flip=True,
    )


def test_pack_without_frames(clip, store):
    packed = PackForecastInputs()(LoadClipScores(store)(dict(clip)))
    assert packed['inputs'].shape == (T, 3, 0, 0)
    assert packed['inputs'].dtype == torch.uint8
    assert 'gt_sem_seg' not in packed['data_samples']
    assert 'labelled' not in packed['data_samples'].metainfo


def test_packed_tensors_do_not_share_the_store(clip, store):
    load = LoadClipScores(store)
    scores = PackForecastInputs()(load(dict(clip)))['data_samples'].scores
    before = load(dict(clip))['scores'].copy()
    scores.zero_()
    np.testing.assert_array_equal(load(dict(clip))['scores'], before)
