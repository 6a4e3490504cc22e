"""Metrics of generated images against hand values, closed forms and bounds."""

import sys

import numpy as np
import pytest

from mmforecast.creative.evaluation import (
    am_score,
    attribute_score,
    confusion,
    copied_share,
    frechet_distance,
    image_statistics,
    kernel_distance,
    luminance,
    nearest,
    required_accuracy,
)

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])


def test_hand_values():
    assert attribute_score(P) == pytest.approx(1.249725, abs=1e-6)
    assert am_score(P, [[0.5, 0.3, 0.2]]) == pytest.approx(0.817379, abs=1e-6)
    expected = [0.801819 / np.log(3), 0.639032 / np.log(3)]
    assert confusion(P) == pytest.approx(expected, abs=1e-6)


def test_bounds_of_the_attribute_scores():
    sure, vague = np.eye(4), np.full((4, 4), 0.25)
    assert attribute_score(sure) == pytest.approx(4) and attribute_score(vague) == pytest.approx(1)
    assert attribute_score(sure[[1, 1, 1]]) == pytest.approx(1)  # one class only: no variety
    assert confusion(sure) == pytest.approx(np.zeros(4)) and confusion(vague) == pytest.approx(1)
    assert am_score(sure, sure) == pytest.approx(0, abs=1e-9)
    assert am_score(vague, sure) == pytest.approx(np.log(4))
    assert am_score(sure[[0, 0]], sure) > 10  # classes of the training set are missing


@pytest.mark.parametrize(
    'counts, expected', [([25] * 4, 0.5), ([10] * 10, 0.2), ([50, 50], 0.75), ([30, 10], 0.875)]
)
def test_required_accuracy(counts, expected):
    assert required_accuracy(counts) == pytest.approx(expected)


@pytest.mark.parametrize(
    'bad, sentence',
    [
        (np.zeros((0, 3)), r'\(N, K\) with N >= 1'),
        (np.ones((2, 1)), 'K >= 2'),
        (np.ones((2, 3)), 'softmax the logits'),
        (np.array([[np.nan, 1.0]]), 'softmax the logits'),
    ],
)
def test_bad_probabilities(bad, sentence):
    for function in (attribute_score, confusion, lambda p: am_score(p, P)):
        with pytest.raises(ValueError, match=sentence):
            function(bad)
    with pytest.raises(ValueError, match='of 3 classes, train_probabilities of 2'):
        am_score(P, np.eye(2))


def test_luminance():
    red, white = (np.array(color).reshape(1, 3, 1, 1) for color in ((255, 0, 0), (255,) * 3))
    assert luminance(red) == pytest.approx(0.299) and luminance(white) == pytest.approx(1)
    with pytest.raises(ValueError, match='luminance: images must have shape'):
        luminance(np.zeros((3, 4, 4)))
    for bad in (np.full((1, 3, 2, 2), 256), np.full((1, 3, 2, 2), -1.0)):
        with pytest.raises(ValueError, match='images must lie in'):
            luminance(bad)


def test_statistics_by_hand():
    y = np.array([0.0, 0.0, 0.0, 1.0]) * 0.8
    image = np.repeat((255 * y).reshape(1, 1, 2, 2), 3, 1)
    found = image_statistics(image)
    assert found['darkness'] == pytest.approx(0.75) and found['intensity'] == pytest.approx(0.2)
    assert found['skewness'] == pytest.approx(2 / np.sqrt(3))  # of 0, 0, 0, 1: (1 - 2p) / sqrt(pq)
    assert image_statistics(204 - image)['skewness'] == pytest.approx(-2 / np.sqrt(3))


def test_statistics_leave_out_the_ground():
    image = np.full((1, 3, 4, 4), 255.0)
    image[..., 1:3, 1:3] = 51
    found = image_statistics(image)
    assert [found[name].item() for name in found] == pytest.approx([1, 0.2, 0])
    mask = np.zeros((1, 4, 4), bool)
    mask[:, 1:3] = True
    assert image_statistics(image, mask)['intensity'] == pytest.approx(0.6)
    assert image_statistics(np.full((1, 3, 4, 4), 255))['intensity'] == pytest.approx(1)
    assert np.isnan(image_statistics(image, mask & False)['skewness'])
    with pytest.raises(ValueError, match=r'masks must have shape \(1, 4, 4\)'):
        image_statistics(image, mask[:, :2])


def test_nearest():
    reference = np.array([[0.0, 0], [3, 4], [0, 1], [10, 10]])
    distances, numbers = nearest(np.array([[0.0, 0]]), reference, k=3)
    assert distances.tolist() == [[0, 1, 5]] and numbers.tolist() == [[0, 2, 1]]
    distances, numbers = nearest(reference, reference, k=1, exclude_self=True)
    assert numbers[:, 0].tolist() == [2, 2, 0, 1]


def test_nearest_over_chunks(monkeypatch):
    rng = np.random.default_rng(0)
    one = rng.normal(size=(50, 6))
    whole = nearest(one, one, k=5, exclude_self=True)
    monkeypatch.setattr('mmforecast.creative.evaluation.nearest_images._CHUNK', 7)
    parts = nearest(one, one, k=5, exclude_self=True)
    assert (whole[1] == parts[1]).all() and np.allclose(whole[0], parts[0])
    assert not (parts[1] == np.arange(50)[:, None]).any()


@pytest.mark.parametrize(
    'arguments, sentence',
    [
        ((np.zeros((2, 3)), np.zeros((2, 4)), 1), r'reference must have shape \(M, 3\).*, got \(2, 4\)'),
        (
            (np.zeros((2, 3)), np.zeros((2, 3)), 3),
            'of 2 reference images: k must be an integer from 1 to 2, got 3',
        ),
        ((np.zeros((2, 3)), np.zeros((2, 3)), 2, True), 'k must be an integer from 1 to 1, got 2'),
        ((np.zeros((1, 3)), np.zeros((2, 3)), 1, True), 'exclude_self needs'),
    ],
)
def test_nearest_of_what_does_not_fit(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        nearest(*arguments)


def test_copied_share():
    held_out = np.arange(1, 101) / 100
    assert copied_share(held_out, held_out, 0.05) == pytest.approx(0.05)
    assert copied_share(np.zeros(7), held_out) == 1 and copied_share([2, 0.0], held_out) == 0.5
    with pytest.raises(ValueError, match=r'quantile must lie in \(0, 1\)'):
        copied_share([1], [1], 1.0)
    with pytest.raises(ValueError, match='generated must not be empty'):
        copied_share([], [1])


def gaussian(mean, deviations, count=400, seed=0):
    """A sample whose mean and covariance are exactly those asked for."""
    x = np.random.default_rng(seed).normal(size=(count, len(deviations)))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    return x * deviations + mean


def test_frechet_distance_of_gaussians_in_closed_form():
    one = gaussian([0, 0, 0], [1, 2, 0.5])
    two = gaussian([3, 0, 4], [2, 2, 1.5], seed=1)
    # both covariances are diagonal: |m1 - m2|^2 + sum of (s1 - s2)^2
    assert frechet_distance(one, two) == pytest.approx(25 + 1 + 0 + 1, rel=1e-6)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    assert frechet_distance(one @ turn, two @ turn) == pytest.approx(27, rel=1e-6)


def test_frechet_distance_with_fewer_images_than_features():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(20, 64)), rng.normal(size=(30, 64)) + 1
    assert np.isfinite(frechet_distance(one, two)) and frechet_distance(one, two) > 50


def test_kernel_distance_is_the_unbiased_estimate():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(40, 5)), rng.normal(size=(40, 5)) + 0.5

    def kernel(x, y):
        return (x @ y.T / 5 + 1) ** 3

    def off_diagonal(k):
        return (k.sum() - np.trace(k)) / (40 * 39)

    expected = off_diagonal(kernel(one, one)) + off_diagonal(kernel(two, two))
    expected -= 2 * kernel(one, two).mean()
    assert kernel_distance(one, two) == pytest.approx(expected, rel=1e-9)
    small = dict(subsets=20, subset_size=10)
    assert kernel_distance(one, two, **small) == kernel_distance(one, two, **small)
    assert kernel_distance(one, two, **small) != kernel_distance(one, two, seed=1, **small)
    same = kernel_distance(rng.normal(size=(300, 5)), rng.normal(size=(300, 5)))
    assert abs(same) < 0.05 < kernel_distance(one, two)


@pytest.mark.parametrize('function', [frechet_distance, kernel_distance])
def test_distances_of_what_does_not_fit(function, monkeypatch):
    with pytest.raises(ValueError, match=r'got \(1, 3\) and \(4, 3\)'):
        function(np.zeros((1, 3)), np.zeros((4, 3)))
    monkeypatch.setitem(sys.modules, 'torchmetrics.image.fid', None)
    with pytest.raises(ImportError, match='pip install torchmetrics'):
        function(np.zeros((4, 3)), np.zeros((4, 3)))
