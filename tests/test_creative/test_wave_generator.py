"""Textures of waves: any size, seamless tiles, one image per noise vector; garments of them."""

import copy

import numpy as np
import pytest
import torch

from mmforecast.creative.models import DCGANGenerator, GarmentGenerator, WaveTextureGenerator
from mmforecast.creative.models.generators.wave import NoiseMaps, wrapped_resize


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return WaveTextureGenerator(output_scale=32).eval()


def noise(number, size=100, seed=0):
    return torch.randn(number, size, generator=torch.Generator().manual_seed(seed))


def test_wrapped_resize_joins_the_edges():
    maps = torch.arange(4.0).view(1, 1, 1, 4)
    found = wrapped_resize(maps, 1, 8)[0, 0, 0]
    # centers at -0.25, 0.25, 0.75 ... of the cells; the first is between the last cell and the first
    assert found.tolist() == pytest.approx([0.75, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 2.25])
    assert torch.equal(wrapped_resize(maps, 1, 4), maps)


@pytest.mark.parametrize('size', [(48, 80), (33, 47)])
def test_tiles_have_no_seam(generator, size):
    """Turned by half its size, a seamless tile has its old edges in the middle, like any other place."""
    with torch.no_grad():
        tile = generator.paint(noise(8), *size, tile=True)
        loose = generator.paint(noise(8), *size)
    assert tile.shape == (8, 3, *size)

    def seam(images, dim):
        """The step over the edge, relative to the mean step inside."""
        steps = images.diff(dim=dim).abs().mean()
        return float((images.select(dim, 0) - images.select(dim, -1)).abs().mean() / steps)

    for dim in (2, 3):
        assert seam(tile, dim) < 1.3 < seam(loose, dim)


def test_waves_of_tiles_run_through_whole_cycles(generator):
    """Without noise a tile is a function on the torus: it may be computed with any pixel as its origin."""
    torch.manual_seed(1)
    pure = WaveTextureGenerator(output_scale=32, noise_channels=0).eval()
    for maps in pure.painter.warp_maps._basis(32, 32, noise(1)):
        maps.zero_()
    z = noise(3)
    moved = z.clone()
    moved[:, 0] += 5 / 32  # which moves the origin by 5 pixels
    with torch.no_grad():
        style = pure.style(z)
        first, second = (pure.painter(one, style, 32, 32, tile=True) for one in (z, moved))
    assert torch.allclose(first.roll(-5, 3), second, atol=2e-3)


def test_an_image_depends_on_its_noise_alone(generator):
    z = noise(5)
    with torch.no_grad():
        together = generator(z)
        alone = generator(z[3:4])
        again = copy.deepcopy(generator)(z)
    assert torch.allclose(together[3:4], alone, atol=1e-4) and torch.allclose(together, again, atol=1e-5)
    assert (together[0] - together[1]).abs().mean() > 0.1
    nearly = z + 1e-4  # and changes with it continuously
    with torch.no_grad():
        assert (generator(nearly) - together).abs().max() < 0.1


def test_noise_maps_are_standard_normal():
    maps = NoiseMaps(100, 2, (1,))(noise(4), 64, 64)
    assert maps.shape == (4, 2, 64, 64)
    assert float(maps.mean()) == pytest.approx(0, abs=0.03) and float(maps.std()) == pytest.approx(1, abs=0.1)
    assert abs(np.corrcoef(maps[0, 0].flatten(), maps[0, 1].flatten())[0, 1]) < 0.1


def test_frequencies_stay_below_half_a_cycle(generator):
    with torch.no_grad():
        generator.painter.frequencies *= 100
        lengths = generator.painter.style_frequencies(torch.randn(4, 64)).norm(dim=2)
    assert float(lengths.max()) <= 0.5 + 1e-5


def test_it_is_small_and_every_weight_learns(generator):
    count = sum(p.numel() for p in generator.parameters())
    assert count < 50_000 < sum(p.numel() for p in DCGANGenerator(base_channels=256).parameters()) / 20
    generator(noise(2)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters())


@pytest.mark.parametrize(
    'settings, sentence',
    [
        (dict(waves=0, noise_channels=0), 'nothing is left to paint with'),
        (dict(noise_size=1), 'noise_size must be an integer >= 2, got 1'),
        (dict(output_scale=4), 'output_scale must be an integer >= 8, got 4'),
    ],
)
def test_bad_settings(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        WaveTextureGenerator(**settings)


@pytest.mark.parametrize('settings', [dict(waves=0), dict(noise_channels=0)])
def test_ablations(settings):
    found = WaveTextureGenerator(output_scale=16, **settings)(noise(2))
    assert found.shape == (2, 3, 16, 16) and found.abs().max() <= 1


def test_zoom_draws_the_same_finer(generator):
    with torch.no_grad():
        small, large = generator.paint(noise(3), 24, 32), generator.paint(noise(3), 24, 32, zoom=3)
        smooth = WaveTextureGenerator(output_scale=16, noise_channels=0)
        one, three = (smooth.paint(noise(1), 16, 16, zoom=zoom) for zoom in (1, 3))
    assert large.shape == (3, 3, 72, 96) and small.shape == (3, 3, 24, 32)
    # the pixel in the middle of three by three is at the same place
    assert torch.allclose(three[..., 1::3, 1::3], one, atol=5e-2)


@pytest.fixture
def tailor():
    torch.manual_seed(0)
    return GarmentGenerator(dict(shape=3, texture=4), output_scale=32, base_channels=32).eval()


def test_garments_are_white_outside_their_mask(tailor):
    mix = torch.full((2, 7), 0.25)
    mask = torch.zeros(2, 1, 32, 32)
    mask[0, :, 8:24, 8:24] = 1  # the second is empty, and gets a drawn shape
    with torch.no_grad():
        given, drawn = tailor(noise(2), mix, mask=mask), tailor(noise(2), mix)
    assert (given[0, :, :7] == 1).all() and (given[0, :, :, 25:] == 1).all()
    assert (given[0, :, 12:20, 12:20] < 1).any()
    assert torch.equal(given[1], drawn[1]) and not torch.equal(given[0], drawn[0])
    # the silhouette itself is symmetric
    inputs = torch.cat([noise(2), mix], dim=1)
    with torch.no_grad():
        shape = tailor.shape(inputs)
    assert torch.equal(shape, shape.flip(3))
    with torch.no_grad():
        fine = tailor(noise(2), mix, mask=mask, zoom=2)
    assert fine.shape == (2, 3, 64, 64) and (fine[0, :, :14] == 1).all()


def test_what_garments_need(tailor):
    with pytest.raises(ValueError, match='needs a mix of classes as condition'):
        tailor(noise(2))
    with pytest.raises(ValueError, match=r'condition'):
        tailor(noise(2), torch.zeros(2, 6))
    with pytest.raises(ValueError, match='mask'):
        tailor(noise(2), torch.zeros(2, 7), mask=torch.zeros(2, 1, 16, 16))
