"""Textures and garments generated on the fly."""

import pickle

import numpy as np
import pytest
from scipy import ndimage

from mmforecast.creative.datasets.textures import (
    SHAPE_CLASSES,
    TEXTURE_CLASSES,
    SyntheticGarmentDataset,
    SyntheticTextureDataset,
)

GARMENTS = len(SHAPE_CLASSES) * len(TEXTURE_CLASSES)


def images(data, count=None):
    return np.stack([data[index]['img'] for index in range(count or len(data))])


def test_an_image_is_a_function_of_seed_split_and_number():
    first = images(SyntheticTextureDataset(14, size=24))
    assert first.shape == (14, 24, 24, 3) and first.dtype == np.uint8
    again = SyntheticTextureDataset(21, size=24, keep=False)
    assert (again[13]['img'] == first[13]).all() and (images(again, 14) == first).all()
    for other in (dict(seed=1), dict(split='val')):
        changed = images(SyntheticTextureDataset(14, size=24, **other))
        assert all((one != two).any() for one, two in zip(first, changed))


def test_classes_are_balanced_and_named():
    data = SyntheticTextureDataset(70)
    assert data.metainfo['attributes'] == dict(texture=TEXTURE_CLASSES)
    counts = np.bincount([data.get_data_info(i)['gt_labels']['texture'] for i in range(70)])
    assert counts.tolist() == [10] * 7
    garments = SyntheticGarmentDataset(2 * GARMENTS, size=16)
    pairs = [tuple(garments[i]['gt_labels'].values()) for i in range(2 * GARMENTS)]
    assert len(set(pairs)) == GARMENTS and all(pairs.count(pair) == 2 for pair in pairs)


def test_classes_differ_in_what_they_are_called_for():
    data = SyntheticTextureDataset(140, size=48)
    gray = images(data).astype(np.float64) @ (0.299, 0.587, 0.114)
    label = np.arange(140) % 7
    spread = gray.std(axis=(1, 2))
    plain = TEXTURE_CLASSES.index('plain')
    assert np.median(spread[label == plain]) < 12 < np.quantile(spread[label != plain], 0.1)
    # stripes vary in one direction only, checks and dots in two
    smooth = ndimage.gaussian_filter(gray, (0, 1.5, 1.5))
    gradients = np.gradient(smooth[:, 4:-4, 4:-4], axis=(1, 2))
    tensor = np.array([[(one * two).mean((1, 2)) for one in gradients] for two in gradients])
    low, high = np.linalg.eigvalsh(tensor.transpose(2, 0, 1)).T
    directed = low / high
    striped = TEXTURE_CLASSES.index('striped')
    for name in ('tiled', 'dotted', 'print'):
        assert np.median(directed[label == TEXTURE_CLASSES.index(name)]) > 0.4
    assert np.median(directed[label == striped]) < 0.1


def test_garments_lie_whole_on_white():
    data = SyntheticGarmentDataset(GARMENTS, size=64)
    for index in range(GARMENTS):
        item = data[index]
        mask = item['gt_seg_map'] > 0
        assert 0.15 < mask.mean() < 0.75
        for border in (mask[0], mask[-1], mask[:, 0], mask[:, -1]):
            assert not border.any()
        assert ndimage.label(mask)[1] == 1  # sleeves are attached
        away = ~ndimage.binary_dilation(mask, iterations=3)
        assert (item['img'][away] == 255).all()


def test_made_images_are_kept_but_not_copied_to_other_processes():
    data = SyntheticTextureDataset(7, size=16)
    assert data[3]['img'] is data[3]['img']
    with pytest.raises(ValueError, match='read-only'):
        data[3]['img'][0] = 0
    other = pickle.loads(pickle.dumps(data))
    assert not other._made and (other[3]['img'] == data[3]['img']).all()
    assert SyntheticTextureDataset(7, size=16, keep=False)._made == {}


@pytest.mark.parametrize(
    'options, sentence',
    [
        (dict(num_images=6), 'num_images must be an integer >= 7'),
        (dict(size=4), 'size must be an integer >= 8'),
        (dict(split='validation'), 'split must be one of'),
        (dict(seed=-1), 'seed must be an integer >= 0'),
    ],
)
def test_bad_arguments(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        SyntheticTextureDataset(**options)
    if 'num_images' in options:
        with pytest.raises(ValueError, match='num_images must be an integer >= 42, got 41'):
            SyntheticGarmentDataset(41)


def test_through_the_pipeline():
    pipeline = [
        dict(type='RandomJitter'),
        dict(type='RandomFlip', prob=1.0),
        dict(type='PackCreativeInputs'),
    ]
    item = SyntheticGarmentDataset(42, pipeline=pipeline)[8]
    assert item['inputs'].shape == (3, 64, 64) and item['data_samples'].gt_mask.any()
    assert item['data_samples'].gt_labels == dict(shape=2, texture=1)
