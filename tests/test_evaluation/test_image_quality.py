"""Image scores against closed forms, hand values and scikit-image."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from mmforecast.evaluation.functional import (
    gradient_energy,
    psnr,
    psnr_iclr16,
    sharpness_difference,
    sharpness_iclr16,
    ssim,
    ssim_iclr16,
)

STANDARD = [psnr, ssim, sharpness_difference, gradient_energy]
ICLR16 = [psnr_iclr16, ssim_iclr16, sharpness_iclr16]
BELOW = 20 * np.log10(128 / 127.5)  # dB


@pytest.fixture
def pair():
    """A textured frame of 32x40 and a noisy copy, floats in [0, 255]."""
    rng = np.random.default_rng(0)
    target = rng.uniform(0, 255, (3, 32, 40))
    return np.clip(target + rng.normal(0, 20, target.shape), 0, 255), target


@pytest.fixture
def mask():
    mask = np.zeros((32, 40), dtype=bool)
    mask[8:20, 10:25] = True
    return mask


def everywhere(frame):
    return np.ones(frame.shape[1:], dtype=bool)


def naive_ssim_map(pred, target):
    """SSIM of two (H, W) maps in [0, 255], continued with zeros, window by window."""
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / 4.5)
    window /= window.sum()
    a, b = np.pad(pred, 10), np.pad(target, 10)
    scores = np.zeros((pred.shape[0] + 10, pred.shape[1] + 10))
    for y, x in np.ndindex(*scores.shape):
        u, v = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
        mu, mv = (window * u).sum(), (window * v).sum()
        var = (window * (u - mu) ** 2).sum() + (window * (v - mv) ** 2).sum()
        cov = (window * (u - mu) * (v - mv)).sum()
        luminance = (2 * mu * mv + 6.5025) / (mu**2 + mv**2 + 6.5025)
        scores[y, x] = luminance * (2 * cov + 58.5225) / (var + 58.5225)
    return scores


def test_psnr_and_ssim_are_those_of_scikit_image(pair):
    for pred, target in (pair, tuple(frame.round().astype(np.uint8) for frame in pair)):
        settings = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
        a, b = target.astype(float), pred.astype(float)
        assert psnr(pred, target) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255))
        expected = structural_similarity(a, b, channel_axis=0, data_range=255, **settings)
        assert ssim(pred, target) == pytest.approx(expected, abs=1e-12)
    assert ssim(*pair) == pytest.approx(
        np.mean([naive_ssim_map(a, b)[10:-10, 10:-10] for a, b in zip(*pair)]), abs=1e-9
    )


def test_psnr_of_a_constant_error():
    target = np.full((3, 12, 12), 100.0)
    assert psnr(target + 5, target) == pytest.approx(20 * np.log10(255 / 5))
    assert psnr_iclr16(target + 5, target, everywhere(target)) == pytest.approx(
        20 * np.log10(255 / 5) - BELOW, abs=1e-6
    )


def test_the_authors_psnr_is_a_constant_below_the_standard(pair):
    difference = psnr(*pair) - psnr_iclr16(*pair, everywhere(pair[0]))
    assert difference == pytest.approx(BELOW, abs=1e-9)
    assert difference == pytest.approx(0.034, abs=1e-4)


def test_sharpness_by_hand():
    """Against a gray frame, 2 more per row and 3 more per column: g is 5 everywhere."""
    target = np.full((3, 11, 13), 100.0)
    pred = target + 2 * np.arange(11)[:, None] + 3 * np.arange(13)
    assert sharpness_difference(pred, target) == pytest.approx(10 * np.log10(255**2 / 5))
    assert sharpness_difference(pred + 40, target) == sharpness_difference(pred, target)
    # In [-1, 1] the absolute differences are 5 / 127.5, on 10 of 11 rows and 12 of 13 columns.
    m = 5 / 127.5 * (10 * 12) / (11 * 13)
    closed = 20 * np.log10(255 / 128) - 10 * np.log10(m)
    assert sharpness_iclr16(pred, target, everywhere(target)) == pytest.approx(closed, abs=1e-9)
    assert closed == pytest.approx(5.99 - 10 * np.log10(m), abs=5e-3)
    selected = sharpness_iclr16(pred, target, everywhere(target), mask_mode='select')
    assert selected == pytest.approx(20 * np.log10(255 / 128) - 10 * np.log10(5 / 127.5))


def test_energy_by_hand():
    """2 more per row and 3 more per column against 4 and 6: half the gradient, wherever the edges are."""
    pred = 2.0 * np.arange(11)[:, None] + 3.0 * np.arange(13) + np.zeros((3, 1, 1))
    assert gradient_energy(pred, 2 * pred) == pytest.approx(0.5)
    assert gradient_energy(2 * pred + 7, pred) == pytest.approx(2)
    assert np.isnan(gradient_energy(pred, np.full_like(pred, 9.0)))


def test_energy_is_1_for_the_truth_below_for_a_blur_and_above_for_unsharp_masking(pair, mask):
    from scipy.ndimage import gaussian_filter

    _, target = pair
    blur = gaussian_filter(target, (0, 1, 1))
    for where in (None, mask):
        assert gradient_energy(target, target, where) == 1
        assert gradient_energy(blur, target, where) < 0.6
        assert gradient_energy(target + 0.5 * (target - blur), target, where) > 1.2
    shifted = np.roll(target, 1, axis=2)  # as sharp, in the wrong place
    assert gradient_energy(shifted, target) == pytest.approx(1, abs=0.02)


def test_a_blur_gains_sharpness_difference_where_edges_are_misplaced():
    """Why there is an energy: the paper's score prefers a blur to sharp edges in the wrong place."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    target = gaussian_filter(rng.uniform(0, 255, (3, 64, 64)), (0, 1.5, 1.5)) * 3
    misplaced = np.roll(target, 6, axis=2)
    blurred = 0.3 * misplaced + 0.7 * gaussian_filter(misplaced, (0, 1, 1))
    assert sharpness_difference(blurred, target) > sharpness_difference(misplaced, target)
    assert gradient_energy(blurred, target) < 0.95 < gradient_energy(misplaced, target)


def test_sharpness_adds_before_the_difference_and_the_authors_after():
    """Stripes against the same stripes turned: as sharp to the paper, not to its code."""
    rows = np.broadcast_to(np.arange(16)[:, None] * 4.0, (3, 16, 16))
    columns = rows.transpose(0, 2, 1)
    assert sharpness_difference(rows, columns) == np.inf
    m = 8 / 127.5 * 15**2 / 16**2
    assert sharpness_iclr16(rows, columns, everywhere(rows)) == pytest.approx(
        20 * np.log10(255 / 128) - 10 * np.log10(m)
    )


def test_the_authors_ssim_is_of_luminance_and_of_the_full_convolution(pair, mask):
    pred, target = pair
    weights = np.array([0.299, 0.587, 0.114])
    luminances = [np.einsum('c,chw->hw', weights, frame) for frame in (pred, target)]
    expected = naive_ssim_map(*luminances)
    assert expected.shape == (42, 50)
    assert ssim_iclr16(pred, target, everywhere(pred)) == pytest.approx(expected.mean(), abs=1e-9)
    assert ssim_iclr16(pred, target, mask, mask_mode='select') == pytest.approx(
        expected[5:-5, 5:-5][mask].mean(), abs=1e-9
    )
    filled = naive_ssim_map(*(luminance * mask for luminance in luminances))
    assert ssim_iclr16(pred, target, mask) == pytest.approx(filled.mean(), abs=1e-9)


@pytest.mark.parametrize('score', STANDARD)
def test_a_full_mask_changes_nothing_and_an_empty_one_leaves_nothing(score, pair):
    full = everywhere(pair[0])
    assert score(*pair, full) == pytest.approx(score(*pair), abs=1e-12)
    assert np.isnan(score(*pair, ~full))


@pytest.mark.parametrize('score', STANDARD)
def test_only_moving_pixels_count(score, pair, mask):
    pred, target = pair
    near = np.zeros_like(mask)  # what the window of a moving pixel, and its neighbors, see
    near[3:25, 5:30] = True
    worse = np.where(near, pred, 255 - pred)
    assert score(worse, target, mask) == pytest.approx(score(pred, target, mask), abs=1e-9)
    assert score(worse, target) < score(pred, target)


def test_masked_psnr_is_of_the_cut_out_frame(pair, mask):
    cut = [frame[:, 8:20, 10:25] for frame in pair]
    assert psnr(*pair, mask) == pytest.approx(psnr(*cut))
    assert psnr_iclr16(*pair, mask, mask_mode='select') == pytest.approx(psnr(*cut) - BELOW)
    share = mask.mean()
    assert psnr_iclr16(*pair, mask) == pytest.approx(psnr(*cut) - BELOW - 10 * np.log10(share), abs=1e-6)


@pytest.mark.parametrize('score', ICLR16)
def test_still_pixels_count_as_right_in_the_authors_fill(score, pair, mask):
    pred, target = pair
    worse = np.where(mask, pred, 255 - pred)
    assert score(worse, target, mask) == score(pred, target, mask)
    assert score(pred, target, mask) >= score(pred, target, mask, mask_mode='select')
    still = np.zeros_like(mask)
    best = 1 if score is ssim_iclr16 else 10 * np.log10(255**2 / 1e-4)
    assert score(pred, target, still) == pytest.approx(best)
    assert np.isnan(score(pred, target, still, mask_mode='select'))


@pytest.mark.parametrize('score', [*STANDARD, *ICLR16])
def test_a_perfect_forecast_has_the_best_score(score, pair, mask):
    best = {psnr: np.inf, sharpness_difference: np.inf, ssim: 1, ssim_iclr16: 1, gradient_energy: 1}
    expected = best.get(score, 10 * np.log10(255**2 / 1e-4))
    assert score(pair[1], pair[1], mask) == pytest.approx(expected)


@pytest.mark.parametrize('score', [*STANDARD, *ICLR16])
def test_bad_frames_are_named(score, pair):
    pred, target = pair
    full = everywhere(pred)
    with pytest.raises(ValueError, match=r'pred has shape \(3, 32, 39\) but target has'):
        score(pred[..., 1:], target, full)
    with pytest.raises(ValueError, match=r'pred must be an RGB frame \(3, H, W\), got shape \(32'):
        score(pred.transpose(1, 2, 0), target, full)
    with pytest.raises(ValueError, match=r'mask must be bool \(32, 40\) .*got uint8'):
        score(pred, target, full.astype(np.uint8))


def test_other_bad_arguments_are_named(pair):
    small = [frame[:, :10] for frame in pair]
    for score in (ssim, ssim_iclr16):
        with pytest.raises(ValueError, match='at least 11x11 pixels, its window, got 10x40'):
            score(*small, everywhere(small[0]))
    with pytest.raises(ValueError, match="mask_mode must be one of .*got 'crop'"):
        psnr_iclr16(*pair, everywhere(pair[0]), mask_mode='crop')
