"""Features of a pyramid: read from the store, cut, and packed."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose

from mmforecast.datasets import Level, StoreError, StoreManifest, StoreWriter
from mmforecast.datasets.transforms import (
    ClipRandomCrop,
    ClipRandomFeatureCrop,
    ClipRandomFlip,
    LoadClipFeatures,
    LoadClipScores,
    PackForecastInputs,
)

NAMES = [f'f{number}' for number in range(10)]
CLIP = dict(sequence_id='s0', frame_indices=[0, 3, 6], frame_names=NAMES[:7:3], num_past=2)
# Cells of P3, P4 and P5 per finest cell, along either axis.
SIZES = dict(P3=(16, 24), P4=(8, 12), P5=(4, 6))


def positions(height, width, factor):
    """(10, 3, h, w): frame, and row and column of the cell's upper left corner in finest cells."""
    rows, columns = np.mgrid[:height, :width] * factor
    return np.stack([np.stack([0 * rows + t, rows, columns]) for t in range(10)]).astype(np.float16)


def pyramid():
    return {name: positions(*size, 16 // size[0]) for name, size in SIZES.items()}


@pytest.fixture
def store(tmp_path):
    levels = [Level(name, maps.shape[1:]) for name, maps in pyramid().items()]
    writer = StoreWriter(str(tmp_path), StoreManifest('detector', 'ab12', levels, 'made up'))
    for name, maps in pyramid().items():
        writer.write_sequence(name, 's0', NAMES, maps)
    return writer.root


@pytest.mark.parametrize(
    'levels, expected',
    [(None, ('P3', 'P4', 'P5')), (['P5', 'P4'], ('P4', 'P5')), (['P5'], ('P5',))],
)
def test_load(store, levels, expected):
    results = LoadClipFeatures(store, levels)(dict(CLIP))
    assert results['feature_source'] == 'ab12' and results['feature_levels'] == expected
    for name, maps in zip(expected, results['features'], strict=True):
        assert maps.dtype == np.float16 and not maps.flags.owndata and not maps.flags.writeable
        np.testing.assert_array_equal(maps, pyramid()[name][:7:3])


def test_load_names_what_is_missing(store):
    with pytest.raises(StoreError, match='has no level P2, only P3, P4, P5: .*--levels P2'):
        LoadClipFeatures(store, ['P2', 'P3'])
    with pytest.raises(StoreError, match='has no level scores, only P3, P4, P5'):
        LoadClipScores(store)
    with pytest.raises(StoreError, match="has weights_sha256 'ab12', but 'cd34'"):
        LoadClipFeatures(store, expect=dict(weights_sha256='cd34'))
    with pytest.raises(StoreError, match='holds no P3 of sequence s1'):
        LoadClipFeatures(store)(dict(CLIP, sequence_id='s1'))


@pytest.mark.parametrize('levels', [None, ['P3', 'P5'], ['P4', 'P5'], ['P5']])
def test_crop_is_one_for_all_levels(store, levels):
    loaded = LoadClipFeatures(store, levels)(dict(CLIP))
    finest = 16 // loaded['features'][0].shape[2]  # its cells in cells of P3
    size = (8 // finest, 12 // finest)
    corners = set()
    for seed in range(60):
        np.random.seed(seed)
        features = ClipRandomFeatureCrop(size)(dict(loaded))['features']
        assert features[0].shape == (3, 3, *size)
        top, left = features[0][0, 1:, 0, 0].astype(int)
        for maps in features:
            assert maps[:, 0].reshape(3, -1).tolist() == [[t] * maps[0, 0].size for t in (0, 3, 6)]
            # Rows and columns in steps of the level's cells, from one corner on, over one window.
            factor = 8 // maps.shape[2]
            assert (maps[:, 1] == np.arange(top, top + 8, factor)[:, None]).all()
            assert (maps[:, 2] == np.arange(left, left + 12, factor)).all()
        corners.add((top, left))
    # All corners on the grid of P5 occur, and no other.
    assert corners == {(row, column) for row in (0, 4, 8) for column in (0, 4, 8, 12)}


def test_crop_of_the_whole_maps_changes_nothing(store):
    loaded = LoadClipFeatures(store)(dict(CLIP))
    cut = ClipRandomFeatureCrop((16, 24))(dict(loaded))
    for maps, whole in zip(cut['features'], loaded['features'], strict=True):
        np.testing.assert_array_equal(maps, whole)


def test_crop_refuses(store):
    loaded = LoadClipFeatures(store)(dict(CLIP))
    with pytest.raises(ValueError, match=r'\(20, 8\) is larger than the finest .*\(16, 24\).* s0'):
        ClipRandomFeatureCrop((20, 8))(dict(loaded))
    with pytest.raises(ValueError, match='multiple of 4'):
        ClipRandomFeatureCrop((8, 6))(dict(loaded))
    with pytest.raises(ValueError, match='size must be two integers'):
        ClipRandomFeatureCrop((8, 0))
    uneven = [np.zeros((3, 1, 16, 24)), np.zeros((3, 1, 8, 11))]
    with pytest.raises(ValueError, match='8x11 do not divide the finest ones of 16x24'):
        ClipRandomFeatureCrop((8, 8))(dict(CLIP, features=uneven))
    with pytest.raises(ValueError, match='cuts features alone, .* loads frames'):
        ClipRandomFeatureCrop((8, 8))(dict(loaded, frames=np.zeros((3, 64, 96, 3))))
    with pytest.raises(ValueError, match='loads no features'):
        ClipRandomFeatureCrop((8, 8))(dict(CLIP))


@pytest.mark.parametrize('transform', [ClipRandomCrop((4, 4)), ClipRandomFlip(1.0)])
def test_other_geometry_refuses_features(store, transform):
    loaded = LoadClipFeatures(store)(dict(CLIP, img_shape=(64, 96)))
    with pytest.raises(ValueError, match='does not act on features'):
        transform(loaded)


def test_pack(store):
    steps = [LoadClipFeatures(store, ['P4', 'P5']), ClipRandomFeatureCrop((4, 6))]
    results = Compose(steps)(dict(CLIP))
    packed = PackForecastInputs()(dict(results))
    sample = packed['data_samples']
    assert packed['inputs'].shape == (3, 3, 0, 0)
    assert sample.feature_source == 'ab12' and sample.feature_levels == ('P4', 'P5')
    for tensor, maps in zip(sample.features, results['features'], strict=True):
        assert tensor.dtype == torch.float16 and tensor.is_contiguous()
        np.testing.assert_array_equal(tensor, maps)
        tensor.zero_()  # not the store's memory
    assert LoadClipFeatures(store)(dict(CLIP))['features'][0].any()
