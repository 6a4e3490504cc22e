"""Masks made of product photographs, against the true masks of made garments."""

import sys

import numpy as np
import pytest

from mmforecast.creative.datasets.garment_masks import METHODS, garment_mask, is_plausible
from mmforecast.creative.datasets.textures import SHAPE_CLASSES, TEXTURE_CLASSES, paint_garment

pytest.importorskip('skimage')


def iou(one, two):
    return (one & two).sum() / (one | two).sum()


def garments(count=14, size=96):
    for number in range(count):
        rng = np.random.default_rng(number)
        shape, texture = SHAPE_CLASSES[number % 6], TEXTURE_CLASSES[number % 7]
        image, mask = paint_garment(rng, shape, texture, size)
        yield image, mask > 0


@pytest.mark.parametrize('method, least', [('threshold', 0.85), ('grabcut', 0.9), (METHODS[1], 0.95)])
def test_garments_on_white(method, least):
    scores = [iou(garment_mask(image, method), mask) for image, mask in garments()]
    assert np.mean(scores) > least


@pytest.mark.slow
def test_white_clothes_on_white_need_more_than_a_threshold(monkeypatch):
    def white_cloth(rng, name, size):
        return np.clip(rng.normal(247, 1.5, (size, size, 1)), 0, 255).repeat(3, 2).astype(np.uint8)

    monkeypatch.setattr('mmforecast.creative.datasets.textures.garments.paint_texture', white_cloth)
    scores = {method: [] for method in METHODS}
    for image, mask in garments(12, size=160):
        noisy = np.clip(image + np.random.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
        for method in METHODS:
            scores[method].append(iou(garment_mask(noisy, method), mask))
    means = {method: np.mean(values) for method, values in scores.items()}
    assert means['threshold'] < 0.85 < 0.9 < min(means['grabcut'], means['random_walker'])


def test_one_piece_without_holes():
    image = np.full((60, 80, 3), 250, np.uint8)
    image[10:50, 20:60] = (20, 60, 160)
    image[20:30, 30:40] = 250  # a hole
    image[5:9, 70:76] = 0  # something else
    expected = np.zeros((60, 80), bool)
    expected[10:50, 20:60] = True
    for method in METHODS:
        mask = garment_mask(image, method)
        assert mask.shape == (60, 80) and mask.dtype == bool
        assert mask[21:29, 31:39].all() and not mask[5:9, 70:76].any()
        assert iou(mask, expected) > 0.8  # the threshold sees a blurred edge


def test_large_photographs_get_masks_of_their_size():
    image = np.full((700, 900, 3), 240, np.uint8)
    image[150:550, 200:700] = (150, 20, 20)
    mask = garment_mask(image)
    assert mask.shape == (700, 900) and mask[160:540, 210:690].all() and not mask[:130].any()


def test_plausible():
    mask = np.zeros((20, 20), bool)
    assert not is_plausible(mask) and not is_plausible(~mask)
    mask[5:15, 5:15] = True
    assert is_plausible(mask) and not is_plausible(~mask)


def test_image_of_one_color_has_no_garment():
    for method in METHODS:
        mask = garment_mask(np.full((40, 40, 3), 200, np.uint8), method)
        assert not is_plausible(mask)


@pytest.mark.parametrize(
    'image, method, sentence',
    [
        (np.zeros((9, 9, 3), np.uint8), 'otsu', "method must be one of .* got 'otsu'"),
        (np.zeros((9, 9), np.uint8), 'grabcut', r'image must be uint8 \(H, W, 3\)'),
        (np.zeros((9, 9, 3)), 'grabcut', 'got float64'),
        (np.zeros((9, 7, 3), np.uint8), 'grabcut', 'at least 8x8 pixels'),
    ],
)
def test_bad_arguments(image, method, sentence):
    with pytest.raises(ValueError, match=sentence):
        garment_mask(image, method)


def test_without_scikit_image(monkeypatch):
    monkeypatch.setitem(sys.modules, 'skimage.segmentation', None)
    image = next(garments(1))[0]
    with pytest.raises(ImportError, match='pip install scikit-image'):
        garment_mask(image, 'random_walker')
