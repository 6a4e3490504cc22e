import math

import pytest
import torch

from mmforecast.creative.models import draw_noise, slerp, truncate
from mmforecast.creative.models.utils.diff_augment import diff_augment


def test_noise_of_an_image_depends_on_its_number_and_the_seed_alone():
    many, labels = draw_noise(3, range(20), 10, num_classes=5)
    few, some = draw_noise(3, [4, 11], 10, num_classes=5)
    assert torch.equal(few, many[[4, 11]]) and torch.equal(some, labels[[4, 11]])
    assert not torch.equal(draw_noise(4, [4], 10)[0], few[:1])
    assert len({tuple(row.tolist()) for row in many}) == 20
    torch.manual_seed(1)
    state = torch.get_rng_state()
    draw_noise(0, range(3), 10)
    assert torch.equal(torch.get_rng_state(), state)


def test_noise_is_standard_normal_and_labels_are_even():
    noise, labels = draw_noise(0, range(2000), 20, num_classes=4)
    assert noise.mean().abs() < 0.02 and abs(noise.std() - 1) < 0.02
    assert (torch.bincount(labels) / 2000 - 0.25).abs().max() < 0.04
    assert draw_noise(0, range(3), 4)[1] is None


def test_truncated_noise_is_the_cut_off_normal():
    noise = torch.randn(200_000, dtype=torch.float64)
    for bound in (0.5, 1.0, 2.0):
        cut = truncate(noise, bound)
        assert cut.abs().max() <= bound
        # The variance of a normal distribution that is cut off at both sides.
        density = math.exp(-(bound**2) / 2) / math.sqrt(2 * math.pi)
        variance = 1 - 2 * bound * density / math.erf(bound / math.sqrt(2))
        assert cut.var().item() == pytest.approx(variance, rel=0.02)
        assert torch.equal(cut.argsort(), noise.argsort())
    assert truncate(noise, None) is noise
    torch.testing.assert_close(truncate(noise, 8.0), noise, atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match='truncation must be above 0, or None, got 0'):
        truncate(noise, 0)


def test_slerp_by_hand_and_on_the_sphere():
    east, north = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    path = slerp(east, north, torch.tensor([0.0, 1 / 3, 1.0]))
    expected = [[2, 0], [2 * math.cos(math.pi / 6), 2 * math.sin(math.pi / 6)], [0, 2]]
    torch.testing.assert_close(path, torch.tensor(expected))
    start, end = torch.randn(2, 100)
    lengths = slerp(start, end, torch.linspace(0, 1, 9)).norm(dim=1)
    assert lengths.min() > 0.97 * min(start.norm(), end.norm())  # a line's would dip to 0.7
    same = slerp(start, 2 * start, torch.tensor([0.5]))
    torch.testing.assert_close(same[0], 1.5 * start)


def test_augmentation_moves_each_image_and_repeats_the_border():
    images = torch.rand(16, 2, 10, 10)
    moved = diff_augment(images, translation=0.2)
    shifts = set()
    for before, after in zip(images, moved):
        padded = torch.nn.functional.pad(before[None], (2, 2, 2, 2), mode='replicate')[0]
        fits = [
            (y, x) for y in range(5) for x in range(5) if torch.equal(padded[:, y : y + 10, x : x + 10], after)
        ]
        assert len(fits) == 1
        shifts.update(fits)
    assert len(shifts) > 5
    flipped = diff_augment(images, flip=True)
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(flipped, images)]
    assert 0 < sum(mirrored) < 16
    assert all(m or torch.equal(a, b) for m, a, b in zip(mirrored, flipped, images))
    assert diff_augment(images) is images


def test_gradients_pass_through_the_augmentation():
    images = torch.rand(4, 3, 8, 8, requires_grad=True)
    diff_augment(images, flip=True, translation=0.25).sum().backward()
    assert images.grad.sum().item() == pytest.approx(4 * 3 * 8 * 8)
