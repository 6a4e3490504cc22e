"""Instance maps of a clip: what is loaded, refused, cut, and handed to the model."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import Compose

from mmforecast.datasets import CorruptFrameError
from mmforecast.datasets.transforms import (
    ClipRandomCrop,
    ClipRandomFlip,
    ClipResize,
    LoadClipFrames,
    LoadClipInstances,
    LoadClipSemSeg,
    PackForecastInputs,
)

T, H, W = 3, 8, 12


def write(path, image):
    assert cv2.imwrite(str(path), image)
    return str(path)


def position_ids():
    """(H, W) ids of cars, each the only one with its number: the pixel's position."""
    return (26000 + np.arange(H * W).reshape(H, W)).astype(np.uint16)


@pytest.fixture
def clip(tmp_path):
    """Results of a clip of three frames, of which the last has labels and instances."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (T, H, W, 3), np.uint8)
    return dict(
        sequence_id='s0',
        frame_indices=[0, 1, 2],
        frame_names=['a', 'b', 'c'],
        num_past=2,
        num_future=1,
        stride=1,
        fps=17.0,
        img_paths=[write(tmp_path / f'{n}.png', f) for n, f in zip('abc', frames)],
        seg_map_paths=[None, write(tmp_path / 'labels.png', np.zeros((H, W), np.uint8)), None],
        instance_paths=[None, None, write(tmp_path / 'instances.png', position_ids())],
        label_map=None,
    )


@pytest.fixture
def load(clip, tmp_path):
    """LoadClipInstances of the clip, with another map of the last frame and other results."""

    def run(ids, **results):
        write(tmp_path / 'instances.png', ids)
        return LoadClipInstances()({**clip, **results})

    return run


# --- loading --------------------------------------------------------------------------------------


def test_ids_are_those_of_the_file(clip):
    results = LoadClipInstances()(dict(clip))
    ids = results['gt_instance_map']
    assert ids.dtype == np.int32 and ids.shape == (T, H, W)
    np.testing.assert_array_equal(ids[2], position_ids())
    assert (ids[:2] == -1).all()
    assert results['labelled'] == [False, False, True]
    assert results['img_shape'] == results['ori_shape'] == (H, W)


def test_every_id_of_cityscapes_is_read(load):
    known = [*range(34), *(label * 1000 + n for label in range(24, 34) for n in (0, 1, 999))]
    ids = load(np.array([known], np.uint16))['gt_instance_map']
    assert ids[2].ravel().tolist() == known


@pytest.mark.parametrize('unknown', [34, 255, 1000, 23999, 34000, 65535])
def test_unknown_ids_are_refused(load, unknown):
    ids = position_ids()
    ids[3, 5] = unknown
    with pytest.raises(ValueError, match=rf'instances\.png holds id {unknown}, but instanceIds'):
        load(ids)


def test_labelled_is_that_of_the_label_maps_where_both_are_loaded(clip):
    both = [LoadClipSemSeg(), LoadClipInstances()]
    for order in (both, both[::-1]):
        results = Compose(order)(dict(clip))
        assert results['labelled'] == [False, True, False]
        assert (results['gt_instance_map'][2] >= 26000).all()


def test_clip_without_instances_takes_the_size_of_the_frames(clip):
    clip['instance_paths'] = [None] * T
    results = LoadClipInstances()(LoadClipFrames()(dict(clip)))
    assert results['gt_instance_map'].shape == (T, H, W)
    assert (results['gt_instance_map'] == -1).all()
    assert results['labelled'] == [False] * T
    with pytest.raises(ValueError, match='clip of sequence s0 has labels.*drop LoadClipInstances'):
        LoadClipInstances()(dict(clip))


@pytest.mark.parametrize(
    'image, found',
    [
        (np.full((H, W), 26, np.uint8), r'\(8, 12\) of uint8'),
        (np.zeros((H, W, 3), np.uint8), r'\(8, 12, 3\) of uint8'),
        (np.zeros((H, W, 3), np.uint16), r'\(8, 12, 3\) of uint16'),
    ],
    ids=['8 bit', 'color', '16-bit color'],
)
def test_other_images_are_refused(load, image, found):
    message = rf'instances\.png of sequence s0 is not an instance map: .* 16-bit .* got shape {found}'
    with pytest.raises(ValueError, match=message):
        load(image)


def test_instance_map_is_no_label_map(clip):
    clip['seg_map_paths'] = clip['instance_paths']
    with pytest.raises(ValueError, match='is not a label map: .* of uint16; is it a .* instance'):
        LoadClipSemSeg()(dict(clip))


def test_size_has_to_be_that_of_what_was_loaded_before(clip, load):
    ids = np.zeros((H // 2, W), np.uint16)
    for loader, name in ((LoadClipFrames(), 'frames'), (LoadClipSemSeg(), 'label maps')):
        before = loader(dict(clip))
        with pytest.raises(ValueError, match=f'4x12 pixels, but its {name} in sequence s0 are 8x12'):
            load(ids, **before)
    before = load(ids)
    with pytest.raises(ValueError, match='8x12 pixels, but its instance maps in .* s0 are 4x12'):
        LoadClipFrames()(before)


def test_maps_of_one_clip_have_one_size(clip, tmp_path):
    other = write(tmp_path / 'other.png', np.zeros((H, W + 1), np.uint16))
    clip['instance_paths'][0] = clip['instance_paths'][2]
    clip['instance_paths'][2] = other
    with pytest.raises(ValueError, match=r'other\.png is 8x13 pixels, but its instance maps'):
        LoadClipInstances()(dict(clip))


def test_missing_file_is_a_corrupt_frame(clip):
    clip['instance_paths'][2] += '.gone'
    with pytest.raises(CorruptFrameError, match='gone of sequence s0 cannot be read'):
        LoadClipInstances()(dict(clip))


# --- geometry -------------------------------------------------------------------------------------


def aligned(seed):
    """A clip whose frames and ids hold the position of their pixels."""
    np.random.seed(seed)
    ids = np.stack([position_ids().astype(np.int32)] * T)
    rows, columns = np.divmod(ids - 26000, W)
    frames = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    return dict(sequence_id='s0', img_shape=(H, W), frames=frames, gt_instance_map=ids)


@pytest.mark.parametrize('seed', range(5))
def test_crop_and_flip_keep_frames_and_instances_together(seed):
    results = Compose([ClipRandomCrop(size=(5, 7)), ClipRandomFlip(prob=0.5)])(aligned(seed))
    positions = results['frames'][..., 0].astype(int) * W + results['frames'][..., 1]
    assert positions.shape == (T, 5, 7)
    np.testing.assert_array_equal(results['gt_instance_map'], 26000 + positions)


def test_flip_mirrors_columns():
    results = ClipRandomFlip(prob=1.0)(aligned(0))
    np.testing.assert_array_equal(results['gt_instance_map'][1], position_ids()[:, ::-1])


def test_resize_hand_values():
    ids = np.array([[[24001, 24001, 33999, 33999], [24001, 24001, -1, -1]]], np.int32)
    results = ClipResize(scale=(2, 2))(dict(gt_instance_map=ids, img_shape=(2, 4)))
    assert results['gt_instance_map'].tolist() == [[[24001, 33999], [24001, -1]]]
    assert results['gt_instance_map'].dtype == np.int32
    assert results['img_shape'] == (2, 2)


@pytest.mark.parametrize('scale', [(5, 3), (30, 20)])
def test_resize_takes_the_same_pixels_of_labels_and_instances(scale):
    labels = np.arange(T * H * W, dtype=np.int32).reshape(T, H, W) % 251
    results = dict(gt_sem_seg=labels.astype(np.uint8), gt_instance_map=26000 + labels)
    results = ClipResize(scale=scale)(results)
    assert results['gt_instance_map'].shape == (T, *scale[::-1])
    np.testing.assert_array_equal(results['gt_instance_map'] - 26000, results['gt_sem_seg'])


# --- packing --------------------------------------------------------------------------------------


def test_packed_instances_are_those_of_the_clip(clip):
    steps = [LoadClipFrames(), LoadClipInstances(), ClipRandomFlip(prob=1.0), PackForecastInputs()]
    sample = Compose(steps)(dict(clip))['data_samples']
    ids = sample.gt_instance_map.data
    assert ids.dtype == torch.int32 and ids.is_contiguous()
    np.testing.assert_array_equal(ids[2], position_ids()[:, ::-1])
    assert sample.labelled == [False, False, True] and 'gt_sem_seg' not in sample
    assert [len(instances) for instances in sample.gt_instances] == [0, 0, H * W]
    # The first car was the top left pixel, and is the top right one now.
    assert sample.gt_instances[2].bboxes[0].tolist() == [W - 1, 0, W, 1]


def test_nothing_is_packed_that_was_not_loaded(clip):
    sample = PackForecastInputs()(LoadClipFrames()(dict(clip)))['data_samples']
    assert 'gt_instance_map' not in sample
