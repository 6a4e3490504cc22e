"""Transforms of single images: what becomes of each pixel."""

import random

import numpy as np
import pytest
import torch
from PIL import Image

from mmforecast.creative.datasets import (
    CacheTransforms,
    FitToSquare,
    LoadGarmentMask,
    PackCreativeInputs,
    RandomJitter,
)


def results(image, mask=None, **more):
    found = dict(img=image, sample_idx=0, gt_labels={}, **more)
    return found if mask is None else dict(found, gt_seg_map=mask)


@pytest.mark.parametrize('fill, expected', [('white', [255, 255, 255]), ('edge', [9, 20, 31])])
def test_fit_to_square_pads_both_ends_alike(fill, expected):
    image = np.full((8, 4, 3), (9, 20, 31), np.uint8)
    image[:, 1:3] = 100
    mask = np.ones((8, 4), np.uint8)
    found = FitToSquare(8, fill=fill)(results(image, mask))
    assert found['img'].shape == (8, 8, 3) and found['img_shape'] == (8, 8)
    assert (found['img'][:, :2] == expected).all() and (found['img'][:, 6:] == expected).all()
    assert (found['img'][:, 2:6] == image).all()
    assert found['gt_seg_map'].tolist() == [[0, 0, 1, 1, 1, 1, 0, 0]] * 8


def test_fit_to_square_averages_when_it_shrinks():
    image = np.indices((8, 8)).sum(0) % 2 * 200
    found = FitToSquare(4)(results(np.repeat(image[..., None], 3, 2).astype(np.uint8)))
    assert (found['img'] == 100).all()


def test_fit_to_square_takes_the_middle():
    image = np.arange(8 * 12, dtype=np.uint8).reshape(8, 12)
    found = FitToSquare(8, fill='crop')(results(np.repeat(image[..., None], 3, 2), image % 2))
    assert (found['img'][..., 0] == image[:, 2:10]).all()
    assert (found['gt_seg_map'] == image[:, 2:10] % 2).all()


def test_jitter_moves_image_and_mask_alike():
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 12:28] = 1
    image = np.repeat(np.where(mask, 0, 255)[..., None], 3, 2).astype(np.uint8)
    areas = set()
    for seed in range(20):
        np.random.seed(seed)
        found = RandomJitter(translate=0.1)(results(image, mask))
        dark = found['img'][..., 0] < 128
        assert (dark != (found['gt_seg_map'] > 0)).mean() < 0.06
        assert (found['img'][0] == 255).all()  # what came in is white
        areas.add(int(dark.sum()))
    assert 320 * 0.9**2 * 0.9 < min(areas) < 320 < max(areas) < 320 * 1.1**2 * 1.1
    assert image.min() == 0 and mask.sum() == 320  # the inputs are as they were


def test_jitter_of_nothing_is_the_identity():
    image = np.random.randint(0, 256, (9, 9, 3), np.uint8)
    found = RandomJitter(scale=(1, 1), translate=0)(results(image))
    assert (found['img'] == image).all()


def test_cache_runs_its_transforms_once_per_image():
    calls = []

    def double(found):
        calls.append(found['sample_idx'])
        return dict(found, img=found['img'] * 2)

    cache = CacheTransforms([double])
    for _ in range(2):
        for index in range(3):
            found = cache(dict(sample_idx=index, img=np.full(4, index)))
            assert (found['img'] == 2 * index).all()
            found['img'] = None  # a later transform's doing
    assert calls == [0, 0, 1, 2]  # the first one twice, to find transforms that are random
    with pytest.raises(ValueError, match='read-only'):
        cache(dict(sample_idx=1, img=np.zeros(4)))['img'] += 1


def test_cache_stops_at_its_limit():
    calls = []

    def count(found):
        calls.append(found['sample_idx'])
        return found

    cache = CacheTransforms([count], max_bytes=20)
    for _ in range(2):
        for index in range(3):
            cache(dict(sample_idx=index, img=np.zeros(10, np.uint8)))
    assert calls == [0, 0, 1, 2, 2] and cache.kept_bytes == 20


def test_cache_refuses_chance_by_name():
    with pytest.raises(ValueError, match='would keep the first draw of RandomJitter, which is random'):
        CacheTransforms([dict(type='RandomJitter')])


def clip(size=12):
    return dict(
        sample_idx=0,
        imgs=[np.full((size, size, 3), frame, np.uint8) for frame in range(3)],
        img=np.arange(size * size * 3, dtype=np.uint8).reshape(size, size, 3),
        img_shape=(size, size),
    )


def own_generator():
    generator = np.random.default_rng(0)
    return lambda found: dict(found, img=found['img'] + generator.integers(9, size=3))


def own_sources():
    """Callables that draw from each global generator, and from generators of their own."""
    return {
        'random': lambda found: dict(found, flip=random.random()),
        'numpy': lambda found: dict(found, flip=np.random.rand()),
        'torch': lambda found: dict(found, flip=float(torch.rand(1))),
        'unseeded': lambda found: dict(found, img=np.random.default_rng().integers(99, size=9)),
        'own': own_generator(),
    }


@pytest.mark.parametrize('source', own_sources())
def test_cache_refuses_chance_of_any_generator(source):
    with pytest.raises(ValueError, match='which is random, for good: put <lambda> after CacheTransforms'):
        CacheTransforms([own_sources()[source]])(clip())


@pytest.mark.parametrize(
    'step',
    [
        dict(type='ClipRandomCrop', size=(4, 4)),
        dict(type='ClipRandomFlip', prob=0.5),
        dict(type='mmdet.PhotoMetricDistortion'),
        dict(type='mmseg.PhotoMetricDistortion'),
        dict(type='mmcv.RandomResize', scale=(4, 4), ratio_range=(0.5, 2)),
        dict(type='RandomApply', transforms=[dict(type='mmcv.Resize', scale=(4, 4))]),
    ],
    ids=lambda step: step['type'],
)
def test_cache_refuses_random_transforms_of_every_library(step):
    with pytest.raises(ValueError, match='CacheTransforms would keep the first draw of'):
        CacheTransforms([step])(clip())


def test_cache_refuses_chance_that_begins_later():
    """Random for some images only."""
    cache = CacheTransforms([lambda found: dict(found, flip=found['sample_idx'] and np.random.rand())])
    assert cache(dict(sample_idx=0))['flip'] == 0
    with pytest.raises(ValueError, match='would keep the first draw'):
        cache(dict(sample_idx=1))


def test_packed_item():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    given = results(image, np.array([[0, 1], [1, 0]], np.uint8), flip=True, img_path=None)
    given['gt_labels'] = dict(shape=2)
    item = PackCreativeInputs()(given)
    assert item['inputs'].tolist() == image.transpose(2, 0, 1).tolist()
    assert item['data_samples'].gt_mask.tolist() == [[[False, True], [True, False]]]
    assert item['data_samples'].gt_labels == dict(shape=2) and item['data_samples'].flip


@pytest.mark.parametrize(
    'build, sentence',
    [
        (lambda: FitToSquare(0), 'size must be an integer >= 1, got 0'),
        (
            lambda: FitToSquare(8, fill='black'),
            "fill must be one of 'white', 'edge', 'reflect', 'crop', got 'black'",
        ),
        (lambda: FitToSquare(8, max_enlarge=0.5), 'max_enlarge must be 1 or more, got 0.5'),
        (lambda: RandomJitter(scale=(1.1, 0.9)), r'scale must be a pair \(low, high\)'),
        (lambda: RandomJitter(translate=1.0), r'translate must lie in \[0, 1\), got 1.0'),
        (lambda: CacheTransforms([], max_bytes=-1), 'max_bytes must be 0 or more'),
    ],
)
def test_bad_arguments(build, sentence):
    with pytest.raises(ValueError, match=sentence):
        build()


@pytest.mark.parametrize(
    'pixels, sentence',
    [
        (np.full((3, 3), 255), r'mask\.png is 3x3 pixels, but its image a\.png is 4x4'),
        (np.zeros((4, 4)), r'mask\.png is an empty mask'),
    ],
)
def test_bad_masks(tmp_path, pixels, sentence):
    path = tmp_path / 'mask.png'
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    given = results(np.zeros((4, 4, 3), np.uint8), img_path='a.png', mask_path=str(path))
    with pytest.raises(ValueError, match=sentence):
        LoadGarmentMask()(given)
