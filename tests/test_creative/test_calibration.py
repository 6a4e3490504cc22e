"""The scale of creativity: degradations, hybrids, and the confusion that degradation cannot explain."""

import numpy as np
import pytest
import torch

from mmforecast.creative import CreativeDataSample
from mmforecast.creative.apis.creativity_calibration import calibrate
from mmforecast.creative.apis.evaluate_images import Judge
from mmforecast.creative.apis.image_features import compute
from mmforecast.creative.apis.image_sets import ImageSet
from mmforecast.creative.evaluation import (
    DegradationCurve,
    KernelDistanceMetric,
    Manifold,
    add_noise,
    blur,
    check_reference,
    confusion,
    halves_of_two_classes,
    kernel_distance,
    mixed_with,
    shuffle_patches,
)
from mmforecast.evaluation.score_style import known_style


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8, generator=generator)


def test_blur_keeps_flat_images_and_narrows_others(images):
    flat = torch.full((1, 3, 8, 8), 37, dtype=torch.uint8)
    assert (blur(flat, 2.0) == 37).all()
    spread = [float(blur(images, sigma).float().std()) for sigma in (0.3, 1.0, 3.0)]
    assert sorted(spread, reverse=True) == spread < [float(images.float().std())]


def test_noise_has_its_deviation():
    gray = torch.full((4, 3, 32, 32), 128, dtype=torch.uint8)
    changed = add_noise(gray, 10.0).float() - 128
    assert float(changed.std()) == pytest.approx(10, rel=0.03)
    assert (add_noise(gray, 10.0) == add_noise(gray, 10.0)).all()


def test_shuffled_patches_are_the_same_patches(images):
    changed = shuffle_patches(images, 4)
    assert not torch.equal(changed, images)
    assert torch.equal(shuffle_patches(images, 1), images)
    for one, other in zip(images, changed):
        patches = [
            sorted(
                image[:, y : y + 4, x : x + 4].sum().item() for y in range(0, 16, 4) for x in range(0, 16, 4)
            )
            for image in (one, other)
        ]
        assert patches[0] == patches[1]
    with pytest.raises(ValueError, match='height must be a multiple of 3'):
        shuffle_patches(images, 3)


def test_hybrids_are_halves_of_two_classes():
    labels = np.array([0, 1, 2, -1, 0, 1])
    images = torch.from_numpy(labels.astype(np.uint8))[:, None, None, None].expand(-1, 3, 4, 4)
    found = halves_of_two_classes(images, labels)
    assert len(found) == 5 and 255 not in found
    assert found[:, 0, 0, 0].tolist() == [0, 1, 2, 0, 1]
    assert (found[:, 0, 0, 1] != found[:, 0, 0, 2]).all()
    with pytest.raises(ValueError, match='two classes or more'):
        halves_of_two_classes(images[:1], labels[:1])


def test_curve_is_the_concave_hull_over_the_root_of_kid():
    # In the plane of sqrt(KID): (0, .2), (1, .3), (2, .6), (3, .5); the second lies below the line.
    curve = DegradationCurve([0.0, 1.0, 4.0, 9.0], [0.2, 0.3, 0.6, 0.5])
    assert curve(0) == pytest.approx(0.2) and curve(-3) == pytest.approx(0.2)
    assert curve(1) == pytest.approx(0.4) and curve(4) == pytest.approx(0.6)
    assert curve(100) == pytest.approx(0.6)
    assert curve.excess(1, 0.5) == pytest.approx(0.1)


def test_no_set_of_real_and_degraded_images_is_above_the_curve():
    curve = DegradationCurve([0.0, 4.0, 16.0], [0.1, 0.5, 0.7])
    for distance, value in ((4.0, 0.5), (16.0, 0.7)):
        for share in np.linspace(0, 1, 11):
            # a share of the images is degraded: MMD grows with the share, and so does confusion
            assert curve.excess(share**2 * distance, 0.1 + share * (value - 0.1)) < 1e-9


def stripes(number, seed):
    """Images with one bright stripe, in the upper half or in the lower half: two classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(number) % 2
    images = rng.integers(0, 60, (number, 3, 16, 16))
    for image, label in zip(images, labels):
        row = rng.integers(1, 6) + 8 * label
        image[:, row : row + 2] = rng.integers(180, 256)
    names = [str(index) for index in range(number)]
    return ImageSet('real', torch.from_numpy(images.astype(np.uint8)), names, dict(shape=labels))


def where_bright(images):
    """Probabilities of both classes: by how much brighter than the other the halves' brightest rows are."""
    rows = images.mean(1).mean(2)
    upper, lower = rows[:, :8].amax(1), rows[:, 8:].amax(1)
    share = torch.sigmoid((lower - upper) / 12)
    return torch.stack([1 - share, share], dim=1)


def features(images):
    """Rows and columns of the images, in [-1, 1]."""
    images = images.mean(1) / 127.5 - 1
    spread = images.std(dim=2)
    return torch.cat([images.mean(2), images.mean(1), spread], dim=1)


def test_blur_is_not_creative_but_hybrids_are():
    train, held_out = stripes(240, 0), stripes(160, 1)
    judge = Judge('shape', where_bright, 100.0)
    of_train = compute(features, train.images)[0]
    manifold = Manifold(of_train, 5)
    sure = confusion(compute(where_bright, held_out.images)[0])
    limits = dict(shape=np.quantile(sure, 0.95))
    calibration = calibrate(held_out, of_train, [judge], features, manifold, limits)
    curve = calibration.curve('shape')

    def excess(images):
        kid = 1000 * kernel_distance(compute(features, images)[0], of_train, subsets=20)
        return curve.excess(kid, confusion(compute(where_bright, images)[0]).mean())

    # strengths that the curve was not made of
    worst = [excess(blur(held_out.images, sigma)) for sigma in (0.7, 1.5, 3.0)]
    assert max(worst) < 0.02
    assert abs(excess(held_out.images)) < 0.02
    assert excess(add_noise(held_out.images, 24.0, seed=3)) < 0.02
    assert excess(mixed_with(held_out.images, blur(held_out.images, 4.0), 0.4)) < 0.02
    hybrids = halves_of_two_classes(held_out.images, held_out.labels['shape'], seed=5)
    assert excess(hybrids) > 0.05
    rows = {(row['images'], row['strength']): row['excess'] for row in calibration.rows()}
    assert rows['hybrids', 1.0] > 0.05 and max(v for (name, _), v in rows.items() if name != 'hybrids') < 1e-9


def gray(*levels):
    images = torch.tensor(levels, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 16, 16)
    return ImageSet('gray', images.contiguous(), [str(level) for level in levels])


def test_creative_share_by_hand():
    """Images of one gray: the level is the feature; classes are dark and bright, unclear in between."""

    def level(images):
        return images.mean(dim=(1, 2, 3), keepdim=False)[:, None] / 255

    def probabilities(images):
        bright = (level(images) * 255 - 100).div(20).sigmoid()
        return torch.cat([1 - bright, bright], dim=1)

    train = gray(0, 2, 4, 6, 90, 92, 96, 100, 104, 200, 202, 204, 206)
    real = gray(1, 3, 5, 91, 201, 203)
    real.labels['shape'] = np.array([0, 0, 0, 0, 1, 1])
    of_train = compute(level, train.images)[0]
    limits = dict(shape=float(confusion(compute(probabilities, gray(93).images)[0])[0]))
    found = calibrate(
        real, of_train, [Judge('shape', probabilities, 100.0)], level, Manifold(of_train, 1), limits
    )
    points = {(point.family, point.strength): point for point in found.points['shape']}
    assert points['real', 0.0].creative == 0  # 91 lies among the training images, but is dark enough
    # blur and shuffled patches leave an image of one gray as it is
    assert {
        point.creative for (family, _), point in points.items() if family in ('blur', 'shuffled patches')
    } == {0}
    # half dark, half bright: the level of a hybrid is the mean of both, that of 1 to 5 with 201 or 203 is in
    # [101, 104], where training images are; of 91 with these it is 146 or 147, where none is
    assert points['hybrids', 1.0].creative == pytest.approx(100 * 5 / 6)
    rows = {(row['images'], row['strength']): row for row in found.rows()}
    top = found.most_creative('shape')
    assert rows['hybrids', 1.0]['creative excess'] == pytest.approx(100 * 5 / 6 - top)
    assert rows['real', 0.0]['creative excess'] == -top
    assert max(row['creative excess'] for (name, _), row in rows.items() if name != 'hybrids') == 0


def test_density_and_coverage_by_hand():
    real = np.array([[0.0], [1.0], [3.0], [10.0]])  # with k = 1, radii 1, 1, 2, 7
    manifold = Manifold(real, k=1)
    balls, met = manifold.counts(np.array([[0.5], [2.5], [50.0]]))
    assert balls.tolist() == [2, 1, 0] or balls.tolist() == [2, 1, 0]
    assert met.tolist() == [True, True, True, False]
    density, coverage = manifold.density_and_coverage(np.array([[0.5], [2.5], [50.0]]))
    assert density == pytest.approx(1.0) and coverage == pytest.approx(0.75)


def test_density_and_coverage_of_the_same_distribution_are_near_one():
    rng = np.random.default_rng(0)
    real, same, far = rng.normal(0, 1, (300, 4)), rng.normal(0, 1, (300, 4)), rng.normal(9, 1, (300, 4))
    density, coverage = Manifold(real).density_and_coverage(same)
    assert density == pytest.approx(1, abs=0.1) and coverage > 0.9
    assert Manifold(real).density_and_coverage(far) == (0, 0)


def test_kid_in_the_validation_loop_is_that_of_both_sets():
    train = stripes(60, 0).images
    real, generated = train[:30], train[30:].flip(2)
    metric = KernelDistanceMetric(features)
    for first in range(0, 30, 10):
        part = slice(first, first + 10)
        samples = [CreativeDataSample(pred_img=image.float()) for image in generated[part]]
        metric.process(dict(inputs=list(real[part])), samples)
    found = metric.evaluate(30)
    expected = kernel_distance(compute(features, generated)[0], compute(features, real)[0])
    assert found == {'KID x1000': pytest.approx(1000 * expected)}
    assert known_style('KID x1000').best == 'min'  # so that save_best knows which way is better
    with pytest.raises(ValueError, match='needs a CreativeGAN'):
        metric.process(dict(inputs=[real[0]]), [CreativeDataSample()])


def test_reference_of_another_distribution_is_found():
    rng = np.random.default_rng(0)
    train, same = rng.normal(0, 1, (200, 8)), rng.normal(0, 1, (60, 8))
    assert check_reference(train, same).fits and check_reference(train, same).sentence('val') == ''
    found = check_reference(train, rng.normal(0.5, 1, (60, 8)))
    assert not found.fits and found.distance > found.limit > found.mean
    assert found.sentence('test').startswith('The images of test come from another distribution')
    with pytest.raises(ValueError, match='8 or more training images, got 7'):
        check_reference(train[:7], same)
