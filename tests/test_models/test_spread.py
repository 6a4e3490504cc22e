"""Classes of pixels whose places are uncertain."""

import pytest
import torch
from scipy.ndimage import gaussian_filter

from mmforecast.models.predictors import EgoMotion, ForecastContext, MotionForecaster
from mmforecast.models.utils.blur import gaussian_blur, pixelwise_blur, variable_blur
from mmforecast.models.utils.class_spread import spread_classes


def deviations_of(response, maps):
    """Standard deviations along both axes of responses (N, h, w) to points in maps (N, h, w), around these."""
    found = []
    for axis in (1, 2):
        places = torch.arange(maps.shape[axis], dtype=maps.dtype)
        point, profile = maps.sum(dim=3 - axis) @ places, response.sum(dim=3 - axis)
        found.append((profile * (places - point[:, None]) ** 2).sum(dim=1))
    return torch.stack(found).mean(dim=1).sqrt()


def points(size, count):
    """(count**2, 1, size, size): one pixel each, at all places of a square in the middle."""
    maps = torch.zeros(count, count, 1, size, size, dtype=torch.float64)
    first = (size - count) // 2
    for row in range(count):
        for column in range(count):
            maps[row, column, 0, first + row, first + column] = 1
    return maps.flatten(0, 1)


def test_gaussian_blur_agrees_with_scipy():
    maps = torch.rand(2, 3, 20, 31, dtype=torch.float64)
    want = gaussian_filter(maps.numpy(), (0, 0, 1.3, 1.3), mode='nearest', radius=(0, 0, 4, 4))
    torch.testing.assert_close(gaussian_blur(maps, 1.3), torch.from_numpy(want))


@pytest.mark.parametrize('deviation', [0.3, 1.0, 1.7, 3.0])
def test_a_point_is_spread_by_the_deviation(deviation):
    maps = points(128, 16)
    response = variable_blur(maps, torch.full((len(maps),), deviation))[:, 0]
    torch.testing.assert_close(response.sum(dim=(1, 2)), torch.ones(len(maps), dtype=torch.float64))
    middle = (response * torch.arange(128.0)).sum(dim=(1, 2)).view(16, 16).mean()
    assert middle == pytest.approx(63.5, abs=1e-6)  # nothing is moved
    assert deviations_of(response, maps[:, 0]).tolist() == pytest.approx([deviation] * 2)


def test_a_blur_much_like_a_gaussian():
    maps = gaussian_blur(torch.rand(1, 1, 64, 96), 1.5)
    ours, gaussian = variable_blur(maps, torch.tensor([3.0])), gaussian_blur(maps, 3.0)
    assert (ours - gaussian).std() < 0.25 * (maps - gaussian).std()


@pytest.mark.parametrize('deviation', [0.3, 1.0, 1.7, 3.0])
def test_pixels_are_blurred_by_their_own_deviation(deviation):
    maps = points(128, 16)
    response = pixelwise_blur(maps, torch.full_like(maps, deviation))[:, 0]
    torch.testing.assert_close(response.sum(dim=(1, 2)), torch.ones(len(maps), dtype=torch.float64))
    assert deviations_of(response, maps[:, 0]).tolist() == pytest.approx([deviation] * 2)


def test_each_pixel_is_blurred_as_a_map_of_its_deviation():
    maps = torch.rand(2, 3, 24, 40)
    deviation = torch.rand(2, 1, 24, 40) * 5
    blurred = pixelwise_blur(maps, deviation)
    for row, column in [(0, 0), (11, 23), (23, 39)]:
        alike = deviation[..., row : row + 1, column : column + 1].expand_as(deviation)
        torch.testing.assert_close(blurred[..., row, column], pixelwise_blur(maps, alike)[..., row, column])
    assert torch.equal(pixelwise_blur(maps, deviation * 0), maps)
    torch.testing.assert_close(
        pixelwise_blur(maps, torch.full_like(deviation, 99.0)), variable_blur(maps, torch.tensor([16.0, 16.0]))
    )


def test_clips_are_blurred_apart():
    maps = torch.rand(3, 2, 19, 30)
    both = variable_blur(maps, torch.tensor([0.0, 1.0, 9.0]))
    assert torch.equal(both[0], maps[0])
    torch.testing.assert_close(both[2:], variable_blur(maps[2:], torch.tensor([9.0])))
    assert both[2].std() < both[1].std() < maps[1].std()
    torch.testing.assert_close(variable_blur(maps[:, :1] * 0 + 7, torch.full((3,), 40.0)), maps[:, :1] * 0 + 7)


def scores_of(labels, num_classes=4):
    """Random scores (B, C, h, w) whose best class is ``labels`` (B, h, w)."""
    scores = torch.rand(len(labels), num_classes, *labels.shape[1:])
    return scores.scatter(1, labels[:, None], 1 + torch.rand(labels.shape)[:, None])


def areas(labels, num_classes=4):
    return torch.bincount(labels.flatten(), minlength=num_classes).float()


def test_without_uncertainty_scores_stay():
    scores = torch.randn(2, 5, 24, 40)
    assert torch.equal(spread_classes(scores, torch.zeros(2)), scores)


def test_every_pixel_keeps_its_values_and_exchanges_two_at_most():
    scores = scores_of(torch.randint(4, (2, 32, 48)))
    found = spread_classes(scores, torch.tensor([1.0, 3.0]))
    assert torch.equal(found.sort(dim=1).values, scores.sort(dim=1).values)
    changed = (found != scores).sum(dim=1)
    assert set(changed.unique().tolist()) == {0, 2}


def test_small_things_are_rounded_and_not_erased():
    labels = torch.zeros(1, 64, 96, dtype=torch.long)
    labels[:, 40:] = 1
    labels[:, 20:24, 30:34] = 2  # narrower than the deviation
    labels[:, 10:60, 70:73] = 3  # a pole
    found = spread_classes(scores_of(labels), torch.tensor([4.0])).argmax(dim=1)
    assert areas(found) == pytest.approx(areas(labels), rel=0.15)
    rows, columns = torch.where(found[0] == 2)
    assert rows.float().mean() == pytest.approx(21.5, abs=1)
    assert columns.float().mean() == pytest.approx(31.5, abs=1)
    assert (found == 3)[:, :, 66:77].sum() == (found == 3).sum()
    assert torch.equal(found[:, ::63, :20], labels[:, ::63, :20])  # far from everything


def test_torn_pieces_become_one():
    labels = torch.zeros(1, 64, 96, dtype=torch.long)
    draw = torch.Generator().manual_seed(0)
    inside = torch.rand(40, 40, generator=draw) < 0.7
    labels[0, 12:52, 28:68] = inside.long()
    found = spread_classes(scores_of(labels, 2), torch.tensor([3.0])).argmax(dim=1)
    assert areas(found, 2) == pytest.approx(areas(labels, 2), rel=0.1)
    assert (found[0, 22:42, 38:58] == 1).float().mean() > 0.95 > 0.75 > inside.float().mean()


def test_the_order_of_classes_does_not_matter():
    labels = gaussian_blur(torch.rand(1, 4, 48, 64), 3.0).argmax(dim=1)
    scores, deviation, order = scores_of(labels), torch.tensor([2.0]), [2, 0, 3, 1]
    found, other = (spread_classes(maps, deviation) for maps in (scores, scores[:, order]))
    assert not torch.equal(found, scores)
    assert (found[:, order] == other).float().mean() > 0.999  # but for ties


def test_wide_maps_are_decided_on_a_coarser_grid():
    labels = gaussian_blur(torch.rand(1, 4, 100, 640), 3.0).argmax(dim=1)
    wide = labels.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)[:, :199, :1279]
    narrow = spread_classes(scores_of(labels), torch.tensor([2.0])).argmax(dim=1)
    found = spread_classes(scores_of(wide), torch.tensor([4.0])).argmax(dim=1)
    assert torch.equal(found, narrow.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)[:, :199, :1279])
    assert not torch.equal(found, wide)


def test_classes_that_are_nowhere_change_nothing(monkeypatch):
    scores = scores_of(gaussian_blur(torch.rand(2, 3, 48, 64), 3.0).argmax(dim=1) * 2, 7)
    found = spread_classes(scores, torch.tensor([1.0, 3.0]))
    monkeypatch.setattr(torch.compiler, 'is_exporting', lambda: True)  # a graph has maps of all classes
    assert torch.equal(spread_classes(scores, torch.tensor([1.0, 3.0])), found)


def forecast(predictor, frames, maps, step=0):
    context = ForecastContext(frames=frames, samples=[])
    context.step = step
    return predictor([maps], context)[0]


def variation(frames):
    """Mean difference of neighbors in a row: how sharp frames are."""
    return frames.diff(dim=-1).abs().mean()


def test_only_scores_of_classes_are_spread(street_clip):
    plain = forecast(EgoMotion(), *street_clip)
    assert torch.equal(forecast(EgoMotion(spread=0.1), *street_clip), plain)
    assert torch.equal(forecast(EgoMotion(class_scores=True), *street_clip), plain)
    spread = forecast(EgoMotion(spread=2.0, class_scores=True), *street_clip)
    assert 0 < (spread.argmax(2) != plain.argmax(2)).float().mean() < 0.1
    assert MotionForecaster().spread and EgoMotion().spread is None


def test_frames_become_the_mean_over_the_error_of_their_motion(street_clip):
    frames, _ = street_clip
    sharp = forecast(EgoMotion(), frames, frames)
    mean = forecast(EgoMotion(spread=2.0, average=True), frames, frames)
    assert variation(mean) < 0.9 * variation(sharp)
    assert mean.mean() == pytest.approx(sharp.mean().item(), rel=0.01)
    still = frames[:, -1:].expand(-1, 3, -1, -1, -1)
    kept = forecast(EgoMotion(spread=2.0, average=True), still, still)
    torch.testing.assert_close(kept, still[:, -1:], atol=0.01, rtol=0)  # grey levels


def test_scores_of_classes_are_not_averaged(street_clip):
    kept, averaged = (
        forecast(EgoMotion(spread=2.0, class_scores=True, average=average), *street_clip)
        for average in (False, True)
    )
    assert torch.equal(kept, averaged)


def test_farther_ahead_more_is_uncertain(street_clip):
    changed = []
    for step in range(3):
        plain, spread = (
            forecast(EgoMotion(spread=value, class_scores=True), *street_clip, step) for value in (None, 2.0)
        )
        changed.append((spread != plain).float().mean())
    assert changed[0] < changed[1] < changed[2]


def test_where_nothing_moves_nothing_is_uncertain(street_clip):
    frames, scores = street_clip
    still = frames[:, -1:].expand(-1, 3, -1, -1, -1)
    predictor = EgoMotion(spread=0.5, class_scores=True)
    assert torch.equal(forecast(predictor, still, scores, 2).argmax(2), scores[:, -1:].argmax(2))


def test_spread_is_checked():
    with pytest.raises(ValueError, match='spread'):
        EgoMotion(spread=0)
    with pytest.raises(ValueError, match='set spread too'):
        EgoMotion(average=True)
