"""RoIAlign and RoI pooling: hand values anywhere, equality where the compiled extension is at hand."""

import pytest
import torch
from mmcv.ops import roi_align, roi_pool

# index of the map, x1, y1, x2, y2 in an image of 160x96
REGIONS = {
    'none': torch.zeros(0, 5),
    'one': torch.tensor([[1.0, 10, 10, 90, 70]]),
    'random': None,
    'outside': torch.tensor(
        [[0.0, -80, -80, -20, -20], [1, 150, 90, 400, 300], [0, 900, 900, 950, 990], [1, -30, -30, 200, 200]]
    ),
    'without area': torch.tensor([[0.0, 5, 5, 5, 5], [1, 20, 30, 60, 30], [0, 20, 30, 20, 60]]),
    'whole image': torch.tensor([[0.0, 0, 0, 160, 96], [1, 0, 0, 160, 96]]),
    'tiny': torch.tensor([[0.0, 5, 5, 5.5, 5.25], [1, 100.1, 50.2, 100.3, 51]]),
}


def make_regions(name):
    if REGIONS[name] is not None:
        return REGIONS[name]
    generator = torch.Generator().manual_seed(1)
    corner = torch.rand(40, 2, generator=generator) * torch.tensor([150.0, 90])
    size = torch.rand(40, 2, generator=generator) ** 2 * 120
    return torch.cat([torch.randint(0, 2, (40, 1), generator=generator), corner, corner + size], 1)


def pooled(function, features, *args):
    """What a pooling gives, and its gradient for weights that tell all values apart."""
    features = features.clone().requires_grad_()
    output = function(features, *args)
    weights = torch.linspace(0.5, 1.5, output.numel()).view_as(output) if output.numel() else output
    (gradient,) = torch.autograd.grad((output * weights).sum(), features)
    return output.detach(), gradient


@pytest.mark.parametrize('name', REGIONS)
@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling_ratio', [0, 2, 3])
@pytest.mark.parametrize('mode', ['avg', 'max'])
@pytest.mark.parametrize('scale', [0.25, 1 / 16])
def test_roi_align_is_the_compiled(compiled, kernels, by, name, aligned, sampling_ratio, mode, scale):
    features = torch.rand(2, 5, round(96 * scale), round(160 * scale))
    args = roi_align, features, make_regions(name), (7, 5), scale, sampling_ratio, mode, aligned
    (theirs, their_gradient), (ours, our_gradient) = (by(each, pooled, *args) for each in (compiled, kernels))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(our_gradient, their_gradient, rtol=1e-5, atol=1e-5)


def test_roi_align_in_several_parts(compiled, kernels, by, monkeypatch):
    monkeypatch.setattr('mmforecast.ops.roi_align.MAX_ENTRIES', 5000)
    features = torch.rand(2, 3, 24, 40)
    args = roi_align, features, make_regions('random'), (7, 7), 0.25, 0, 'avg', True
    (theirs, their_gradient), (ours, our_gradient) = (by(each, pooled, *args) for each in (compiled, kernels))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(our_gradient, their_gradient, rtol=1e-5, atol=1e-5)


def test_roi_align_in_double_precision(compiled, kernels, by):
    features = torch.rand(2, 3, 24, 40, dtype=torch.float64)
    args = roi_align, features, make_regions('random').double(), (3, 3), 0.25, 0, 'avg', True
    theirs, ours = (by(each, pooled, *args) for each in (compiled, kernels))
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_roi_align_by_hand(kernels, by):
    """On a plane, a bin has the value of its center; its gradient is spread over the region."""
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing='ij')
    plane = (10 * y + x)[None, None]
    region = torch.tensor([[0.0, 1.5, 2.5, 5.5, 6.5]])
    output, gradient = by(kernels, pooled, roi_align, plane, region, (2, 2), 1.0, 2, 'avg', True)
    # centers of the bins: x 2 and 4, y 3 and 5, after the shift by half a pixel
    assert torch.allclose(output.flatten(), torch.tensor([32.0, 34, 52, 54]))
    assert torch.allclose(gradient.sum(), torch.tensor(0.5 + 5 / 6 + 7 / 6 + 1.5))
    assert not gradient[..., 7].any() and not gradient[..., 0].any()
    shifted = by(kernels, roi_align, plane, region, (2, 2), 1.0, 2, 'avg', False)
    assert torch.allclose(shifted.flatten(), torch.tensor([37.5, 39.5, 57.5, 59.5]))


def test_roi_align_says_what_is_wrong_with_a_region(kernels, by):
    features = torch.rand(1, 2, 8, 8)
    with pytest.raises(ValueError, match=r'region \[6.0, 1.0, 2.0, 5.0\] is inside out'):
        by(kernels, roi_align, features, torch.tensor([[0.0, 6, 1, 2, 5]]), 2)
    with pytest.raises(ValueError, match='region is of feature map 3, but there are 1'):
        by(kernels, roi_align, features, torch.tensor([[3.0, 1, 1, 2, 5]]), 2)


def test_roi_align_in_half_precision(kernels, by):
    features, regions = torch.rand(2, 3, 24, 40), make_regions('random').round()
    exact = by(kernels, roi_align, features, regions, 3, 0.25)
    for dtype in (torch.float16, torch.bfloat16):
        rounded = by(kernels, roi_align, features.to(dtype), regions.to(dtype), 3, 0.25)
        assert rounded.dtype == dtype
        torch.testing.assert_close(rounded.float(), exact, rtol=0.01, atol=0.01)


def test_roi_pool_by_hand(kernels, by):
    features = torch.arange(36.0).view(1, 1, 6, 6)
    # pixels 1 to 4 of both axes; a region that is inside out; one outside the map
    regions = torch.tensor([[0.0, 1, 1, 4, 4], [0, 4, 4, 1, 1], [0, 20, 20, 30, 30]])
    output, gradient = by(kernels, pooled, roi_pool, features, regions, (2, 2), 1.0)
    assert output[0].flatten().tolist() == [14, 16, 26, 28]
    assert not output[1:].any()
    assert gradient.nonzero()[:, 2:].tolist() == [[2, 2], [2, 4], [4, 2], [4, 4]]
    weights = torch.linspace(0.5, 1.5, 12)[:4]
    assert torch.allclose(gradient[gradient != 0], weights)


def test_roi_pool_rounds_the_edges_of_bins_outward(kernels, by):
    """Compared with a loop over regions and bins."""
    features, regions = torch.rand(2, 3, 24, 40), make_regions('random')
    output, gradient = by(kernels, pooled, roi_pool, features, regions, (3, 2), 0.25)
    weights = torch.linspace(0.5, 1.5, output.numel()).view_as(output)
    expected, expected_gradient = torch.zeros_like(output), torch.zeros_like(features)
    for number, (image, *box) in enumerate(regions):
        x1, y1 = box[0] / 4, box[1] / 4
        height, width = ((box[3] + 1) / 4 - y1) / 3, ((box[2] + 1) / 4 - x1) / 2
        for row in range(3):
            for column in range(2):
                y = range(int((y1 + row * height).floor()), min(24, int((y1 + (row + 1) * height).ceil())))
                x = range(int((x1 + column * width).floor()), min(40, int((x1 + (column + 1) * width).ceil())))
                for channel in range(3 if len(y) and len(x) else 0):
                    best = max((float(features[int(image), channel, v, u]), v, u) for v in y for u in x)
                    expected[number, channel, row, column] = best[0]
                    weight = weights[number, channel, row, column]
                    expected_gradient[int(image), channel, best[1], best[2]] += weight
    assert torch.equal(output, expected)
    torch.testing.assert_close(gradient, expected_gradient)


def test_roi_pool_of_no_region(kernels, by):
    output, gradient = by(kernels, pooled, roi_pool, torch.rand(1, 3, 8, 8), torch.zeros(0, 5), 2, 1.0)
    assert output.shape == (0, 3, 2, 2) and not gradient.any()
