"""Maps of depth of a clip: what is loaded, in which bins, refused, and moved along by the transforms."""

import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose

from mmforecast.datasets import CityscapesSequenceDataset
from mmforecast.datasets.transforms import (
    ClipPadToMultiple,
    ClipRandomCrop,
    ClipRandomFlip,
    ClipResize,
    LoadClipDepth,
    LoadClipFrames,
    PackForecastInputs,
)
from mmforecast.datasets.transforms.depth import bins_of_nearness
from mmforecast.street import write_dataset


@pytest.fixture
def load(tmp_path):
    """LoadClipDepth of a clip of two frames, of which the last has a map."""

    def run(values, **kwargs):
        path = str(tmp_path / 'depth.png')
        assert cv2.imwrite(path, np.array(values))
        results = dict(sequence_id='s0', depth_paths=[None, path], img_shape=np.shape(values))
        return LoadClipDepth(**kwargs)(results)['gt_depth']

    return run


def test_centimeters_are_bins_of_inverse_depth(load):
    depth = load(np.array([[0, 100, 200], [400, 2000, 65535]], np.uint16))
    assert depth.dtype == np.uint8 and (depth[0] == 0).all()
    assert depth[1].tolist() == [[1, 255, 255], [128, 26, 2]]
    assert load(np.array([[1000]], np.uint16), nearest=10)[1].tolist() == [[255]]


def test_disparity_is_bins_and_zero_is_unknown(load):
    values = np.array([[0, 1, 1 + 256 * 64, 1 + 256 * 128, 65535]], np.uint16)
    assert load(values, unit='disparity')[1].tolist() == [[0, 1, 128, 255, 255]]


def test_bins_are_taken_as_they_are(load):
    assert load(np.array([[0, 7, 255]], np.uint8), unit='bins')[1].tolist() == [[0, 7, 255]]


def test_nearness_covers_all_bins_but_unknown():
    assert set(bins_of_nearness(np.linspace(0, 1, 2000)).tolist()) == set(range(1, 256))


@pytest.mark.parametrize('values, unit', [(np.uint8([[1]]), 'centimeters'), (np.uint16([[1]]), 'bins')])
def test_files_of_another_unit_are_refused(load, values, unit):
    with pytest.raises(ValueError, match=rf'depth.png of sequence s0 is no map of depth in {unit}: expected'):
        load(values, unit=unit)


def test_a_clip_without_any_map_is_refused():
    with pytest.raises(ValueError, match='no frame of this clip of sequence s0 has a map of depth'):
        LoadClipDepth()(dict(sequence_id='s0', depth_paths=[None, None]))


@pytest.fixture(scope='module')
def street(tmp_path_factory):
    root = tmp_path_factory.mktemp('street')
    write_dataset(root, dict(train=1), height=32, width=64, depth=True, progress=False)
    return root


def dataset(root, *steps, **prefix):
    prefix = dict(seg_map_path='gtFine_sequence', **(prefix or dict(depth_path='depth_sequence')))
    return CityscapesSequenceDataset(str(root), data_prefix=prefix, pipeline=steps)


def test_the_street_has_them_on_every_frame(street):
    load = [LoadClipFrames(), LoadClipDepth()]
    whole = Compose(load)(dataset(street).get_data_info(0))['gt_depth']
    assert whole.shape == (7, 32, 64)
    assert (whole > 0).all() and (whole == 1).any() and whole[:, -1].min() > 60  # the sky, and the road below
    item = dataset(street, *load, PackForecastInputs())[0]
    assert np.array_equal(item['data_samples'].gt_depth.data.numpy(), whole)


def test_they_move_with_the_frames(street):
    info = dataset(street).get_data_info(0)
    load = [LoadClipFrames(), LoadClipDepth()]
    whole = Compose(load)(dict(info))['gt_depth']
    flipped = Compose([*load, ClipRandomFlip(1.0)])(dict(info))
    assert np.array_equal(flipped['gt_depth'], whole[..., ::-1])
    resized = Compose([*load, ClipResize((32, 16))])(dict(info))['gt_depth']
    assert resized.shape == (7, 16, 32) and set(resized.ravel()) <= set(whole.ravel())
    assert Compose([*load, ClipRandomCrop((16, 16))])(dict(info))['gt_depth'].shape == (7, 16, 16)
    padded = Compose([*load, ClipPadToMultiple(24)])(dict(info))['gt_depth']
    assert padded.shape == (7, 48, 72) and (padded[:, 32:] == 0).all() and (padded[:, :32, 64:] == 0).all()


def test_a_dataset_without_maps_of_depth_is_refused(street):
    with pytest.raises(FileNotFoundError, match='no maps of depth .*write the synthetic street with --depth'):
        dataset(street, depth_path='elsewhere')[0]
