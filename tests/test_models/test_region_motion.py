"""Regions that move as one piece: by hand, and through the predictor and the forecaster."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmforecast.models.predictors import EgoMotion, ForecastContext, MotionForecaster
from mmforecast.models.utils.camera_motion import pixel_grid
from mmforecast.models.utils.object_motion import object_parallax
from mmforecast.models.utils.region_motion import move_regions
from mmforecast.registry import MODELS

ROWS, COLUMNS = slice(8, 18), slice(20, 34)


@pytest.fixture
def scene():
    """Labels with a block of class 3 that moves by (5, 1), its rim still, and the motion."""
    labels = torch.zeros(1, 40, 60, dtype=torch.long)
    labels[:, ROWS, COLUMNS] = 3
    moved, share = torch.zeros(1, 2, 40, 60), torch.zeros(1, 1, 40, 60)
    moved[:, 0, 9:17, 21:33], moved[:, 1, 9:17, 21:33] = 5.0, 1.0
    return moved, share, labels


def test_the_rim_moves_with_the_block(scene):
    moved, share, labels = scene
    found, _ = move_regions(moved, share, labels, 0.1)
    block = found[0, :, ROWS, COLUMNS].flatten(1)
    assert torch.allclose(block, torch.tensor([[5.0], [1.0]]).expand_as(block), atol=0.05)
    found[:, :, ROWS, COLUMNS] = 0
    assert not found.any()  # the ground is untouched: too large
    assert moved[0, 0, 8, 20] == 0  # and the given maps are


def test_growth_of_a_region_that_comes_nearer(scene):
    _, share, labels = scene
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing='ij')
    slope = 0.1  # q / (1 + q)
    moved = torch.stack([slope * (x - 26), slope * (y - 12)])[None]
    share = torch.full_like(share, slope / (1 - slope))
    found, own = move_regions(moved, share, labels, 0.1)
    assert torch.allclose(found, moved, atol=1e-4) and torch.allclose(own, share, atol=1e-4)


def test_what_is_not_one_piece_stays_as_it_was(scene):
    moved, share, labels = scene
    moved[:, 0, ROWS, 27:34] = -5.0
    found, own = move_regions(moved, share, labels, 0.1)
    assert torch.equal(found, moved) and torch.equal(own, share)


@pytest.mark.parametrize('step, size, kept', [(0.1, 1, True), (0.02, 1, False), (0.02, 4, True)])
def test_deep_and_small_regions_keep_their_own_depth(scene, step, size, kept):
    moved, share, labels = scene
    share[:, 0, ROWS, 20:27] = step
    pad = (0, 60 * (size**2 - 1), 0, 40 * (size**2 - 1))
    moved, share, labels = (torch.nn.functional.pad(maps, pad) for maps in (moved, share, labels))
    found, own = move_regions(moved, share, labels, 0.1)
    assert torch.equal(own, share) is kept and not torch.equal(found, moved)


@pytest.mark.parametrize('largest, changed', [(0.05, False), (140 / 2400, True)])
def test_the_limit_of_size(scene, largest, changed):
    moved, share, labels = scene
    assert torch.equal(move_regions(moved, share, labels, largest)[0], moved) is not changed


def test_tiny_regions_stay_as_they_were(scene):
    moved, share, _ = scene
    labels = torch.zeros(1, 40, 60, dtype=torch.long)
    labels[:, 8:9, 20:31] = 3  # 11 pixels
    assert torch.equal(move_regions(moved, share, labels, 0.1)[0], moved)


def test_the_numbers_of_the_classes_do_not_matter(scene):
    moved, share, labels = scene
    labels[:, 25:30, 5:15] = 7
    moved[:, 0, 26:30, 5:14] = 2.0
    expected = move_regions(moved, share, labels, 0.1)
    renamed = torch.tensor([9, 0, 0, 1, 0, 0, 0, 4])[labels]
    for one, other in zip(expected, move_regions(moved, share, renamed, 0.1)):
        assert torch.equal(one, other)


def test_clips_of_a_batch_do_not_mix(scene):
    moved, share, labels = scene
    still = torch.zeros_like(moved)
    found, _ = move_regions(torch.cat([moved, still]), share.repeat(2, 1, 1, 1), labels.repeat(2, 1, 1), 0.1)
    assert torch.equal(found[:1], move_regions(moved, share, labels, 0.1)[0]) and not found[1].any()


def by_one_region(moved, share, labels, largest):
    """The same of one clip, region by region: ``move_regions`` fits all of them at once."""
    moved, share = moved.clone(), share.clone()
    for number in labels.unique():
        count, index = cv2.connectedComponents((labels == number).numpy().astype(np.uint8))
        for region in range(1, count):
            mask = torch.from_numpy(index == region)
            if not 12 <= mask.sum() <= largest * mask.numel():
                continue
            inner = -F.max_pool2d(-F.pad(mask[None].float(), (1, 1, 1, 1)), 3, 1)[0] > 0
            core = inner if inner.sum() >= 12 else mask
            mean, center, own = object_parallax(moved, share, core, 20.0)
            places = pixel_grid(moved[None])[0]
            fit = mean[:, None, None] + own / (1 + own) * (places - center[:, None, None])
            if (moved - fit).norm(dim=0)[core].quantile(0.8) > 0.5 * (1 + 0.2 * mean.norm()):
                continue
            low, high = share[0, mask].quantile(torch.tensor([0.2, 0.8]))
            if mask.sum() >= 0.004 * mask.numel() and high - low <= 0.03:
                share = torch.where(mask, own.clamp(-0.4, 0.6), share)
            moved = torch.where(mask, fit, moved)
    return moved, share


@pytest.mark.parametrize('seed', range(5))
def test_all_regions_at_once_are_as_one_by_one(seed):
    torch.manual_seed(seed)

    def blobs(channels, scale):
        noise = torch.randn(1, channels, 6, 9)
        return F.interpolate(noise, size=(60, 90), mode='bicubic')[0] * scale

    labels = blobs(5, 1.0).argmax(dim=0)
    labels[:, 88:] = torch.randint(5, (60, 2))
    moved = blobs(2, 0.4) + F.one_hot(labels, 5)[..., :2].permute(2, 0, 1) * 3
    share = blobs(1, 0.02)
    found, own = (part[0] for part in move_regions(moved[None], share[None], labels[None], 0.1))
    expected, depth = by_one_region(moved, share, labels, 0.1)
    assert (found != moved).any(dim=0).float().mean() > 0.1 and not torch.equal(own, share)
    # a median of an even number of values lies between two of them, by another rule in each
    assert torch.allclose(found, expected, atol=2e-2) and torch.allclose(own, depth, atol=2e-3)


def forecast(predictor, frames, maps):
    return predictor([maps], ForecastContext(frames=frames, samples=[]))[0]


def test_only_scores_of_classes_have_regions(street_clip):
    plain = forecast(EgoMotion(), *street_clip)
    assert torch.equal(forecast(EgoMotion(region_share=0.05), *street_clip), plain)
    assert torch.equal(forecast(EgoMotion(class_scores=True), *street_clip), plain)
    pieces = forecast(EgoMotion(region_share=0.05, class_scores=True), *street_clip)
    assert 0 < (pieces.argmax(2) != plain.argmax(2)).float().mean() < 0.2


def test_coarse_scores_are_read_at_the_size_of_the_motion(street_clip):
    frames, scores = street_clip
    coarse = torch.nn.functional.max_pool2d(scores[0], 2)[None]
    pieces = forecast(EgoMotion(region_share=0.05, class_scores=True), frames, coarse)
    assert pieces.shape == (1, 1, 34, 48, 96)
    assert not torch.equal(pieces, forecast(EgoMotion(), frames, coarse))


@pytest.mark.parametrize('variant, expected', [('S2S', True), ('XS2XS', False)])
def test_s2s_says_that_its_maps_are_scores(variant, expected):
    model = MODELS.build(
        dict(
            type='S2SForecaster',
            num_past=3,
            variant=variant,
            encoder=dict(type='LabelMapEncoder', num_classes=5),
            predictor=dict(type='MotionForecaster'),
        )
    )
    assert model.predictor.class_scores is expected
    assert MotionForecaster().class_scores is None


def test_region_share_is_checked():
    with pytest.raises(ValueError, match='region_share'):
        EgoMotion(region_share=1.5)
