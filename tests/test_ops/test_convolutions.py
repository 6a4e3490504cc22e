"""Deformable and masked convolutions, CARAFE and PSA masks."""

import pytest
import torch
import torch.nn.functional as F
from mmcv.ops import carafe, deform_conv2d, masked_conv2d, modulated_deform_conv2d
from mmcv.ops.psa_mask import psa_mask

from mmforecast.ops.carafe import carafe_naive_backward, carafe_naive_forward

CASES = {
    'plain': dict(),
    'strided': dict(stride=2, padding=1, height=9, width=12),
    'unequal': dict(stride=(2, 1), padding=(1, 2), dilation=(1, 2), kernel=(3, 2)),
    'groups': dict(groups=2, deform_groups=4, channels=8),
    'one pixel': dict(kernel=(1, 1), padding=0, height=1, width=1),
    'far': dict(spread=30.0),
    'at whole pixels': dict(spread=0.0),
}


def make_case(
    stride=1, padding=1, dilation=1, kernel=(3, 3), groups=1, deform_groups=1, channels=4, height=7, width=9,
    spread=1.5,
):  # fmt: skip
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    image = normal(2, channels, height, width)
    weight = normal(6, channels // groups, *kernel)
    size = F.conv2d(image, normal(6, channels, *kernel), None, stride, padding, dilation).shape[2:]
    cells = deform_groups * kernel[0] * kernel[1]
    offset, mask = spread * normal(2, 2 * cells, *size), normal(2, cells, *size).sigmoid()
    return image, offset, mask, weight, normal(6), (stride, padding, dilation, groups, deform_groups)


def with_gradients(function, inputs, *args):
    inputs = [each.clone().requires_grad_() for each in inputs]
    output = function(*inputs, *args)
    weights = torch.linspace(0.5, 1.5, output.numel()).view_as(output)
    return output.detach(), *torch.autograd.grad((output * weights).sum(), inputs)


def assert_all_close(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        # sums of up to hundreds of terms: 1e-5 of the largest
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5 * max(1, float(other.abs().max())))


@pytest.mark.parametrize('name', CASES)
def test_deform_conv(compiled, kernels, by, name):
    image, offset, _, weight, _, geometry = make_case(**CASES[name])
    args = deform_conv2d, (image, offset, weight), *geometry
    assert_all_close(*(by(each, with_gradients, *args) for each in (kernels, compiled)))


@pytest.mark.parametrize('name', CASES)
@pytest.mark.parametrize('with_bias', [True, False])
def test_modulated_deform_conv(compiled, kernels, by, name, with_bias):
    image, offset, mask, weight, bias, geometry = make_case(**CASES[name])
    inputs = (image, offset, mask, weight, bias) if with_bias else (image, offset, mask, weight)
    args = modulated_deform_conv2d, inputs, *(() if with_bias else (None,)), *geometry
    assert_all_close(*(by(each, with_gradients, *args) for each in (kernels, compiled)))


def test_offsets_that_are_not_finite(compiled, kernels, by):
    image, offset, mask, weight, bias, geometry = make_case()
    offset[0, 3, 2, 4], offset[1, 0, 0, 0], offset[1, 5, 3, 3] = torch.nan, torch.inf, -torch.inf
    args = modulated_deform_conv2d, image, offset, mask, weight, bias, *geometry
    ours, theirs = (by(each, *args) for each in (kernels, compiled))
    assert ours.isfinite().all()
    assert_all_close([ours], [theirs])


def test_offsets_of_another_size_are_read_as_memory(compiled, kernels, by):
    """mmdet's DyHead hands offsets of a finer level."""
    image, _, _, weight, bias, geometry = make_case()
    offset, mask = torch.randn(2, 18, 14, 18), torch.rand(2, 9, 14, 18)
    args = modulated_deform_conv2d, (image, offset, mask, weight, bias), *geometry
    assert_all_close(*(by(each, with_gradients, *args) for each in (kernels, compiled)))


def test_offsets_smaller_than_the_output_are_refused(kernels, by):
    image, offset, mask, weight, bias, geometry = make_case()
    with pytest.raises(ValueError, match=r'at least as large as the output, \(7, 9\); got \(6, 9\)'):
        by(kernels, modulated_deform_conv2d, image, offset[:, :, 1:], mask[:, :, 1:], weight, bias, *geometry)


def test_half_precision(kernels, by):
    image, offset, mask, weight, bias, geometry = make_case()
    inputs = image, offset, mask, weight, bias
    exact, *_ = by(kernels, with_gradients, modulated_deform_conv2d, inputs, *geometry)
    half = [values.bfloat16() for values in inputs]
    rounded, *gradients = by(kernels, with_gradients, modulated_deform_conv2d, half, *geometry)
    assert all(values.dtype == torch.bfloat16 for values in (rounded, *gradients))
    torch.testing.assert_close(rounded.float(), exact, rtol=0.05, atol=0.1)


@pytest.mark.parametrize('name', [name for name in CASES if name != 'far'])
def test_without_moves_it_is_a_convolution(kernels, by, name):
    image, offset, mask, weight, bias, geometry = make_case(**CASES[name])
    stride, padding, dilation, groups, deform_groups = geometry
    moved = by(kernels, deform_conv2d, image, offset * 0, weight, *geometry)
    torch.testing.assert_close(
        moved, F.conv2d(image, weight, None, stride, padding, dilation, groups), rtol=1e-5, atol=1e-5
    )
    half = by(kernels, modulated_deform_conv2d, image, offset * 0, mask * 0 + 0.5, weight, bias, *geometry)
    torch.testing.assert_close(half, moved / 2 + bias[:, None, None], rtol=1e-5, atol=1e-5)


@pytest.mark.slow  # test_deform_conv compares gradients with the compiled kernels where they are there
def test_gradients_of_deform_conv_are_derivatives(kernels, by):
    image, offset, mask, weight, bias, geometry = make_case(height=4, width=5, kernel=(2, 2))
    if kernels.KERNELS == 'torchvision':
        pytest.skip('the kernels of torchvision have their own tests')
    inputs = [each.double().requires_grad_() for each in (image, offset, mask, weight, bias)]
    assert by(
        kernels, torch.autograd.gradcheck, lambda *each: modulated_deform_conv2d(*each, *geometry), inputs
    )


def test_a_move_by_hand(kernels, by):
    image = torch.arange(12.0).view(1, 1, 3, 4)
    offset = torch.zeros(1, 2, 3, 4)
    offset[:, 0], offset[:, 1] = 0.5, 1.0  # y, x
    moved = by(kernels, deform_conv2d, image, offset, torch.ones(1, 1, 1, 1))
    assert moved[0, 0].tolist() == [[3, 4, 5, 0], [7, 8, 9, 0], [4.5, 5, 5.5, 0]]


def test_masked_conv_is_a_convolution_at_the_places(kernels, by):
    image, weight, bias = torch.randn(1, 3, 6, 7), torch.randn(4, 3, 3, 3), torch.randn(4)
    mask = (torch.rand(1, 6, 7) > 0.5).float()
    output = by(kernels, masked_conv2d, image, mask, weight, bias, 1)
    expected = F.conv2d(image, weight, bias, padding=1) * mask
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-5)
    assert not by(kernels, masked_conv2d, image, mask * 0, weight, bias, 1).any()


def reassembled_by_loop(features, masks, kernel, groups, scale):
    count, channels, height, width = features.shape
    padded = F.pad(features, [kernel // 2] * 4)
    output = features.new_zeros(count, channels, height * scale, width * scale)
    for y in range(height * scale):
        for x in range(width * scale):
            window = padded[:, :, y // scale : y // scale + kernel, x // scale : x // scale + kernel]
            weights = masks[:, :, y, x].view(count, groups, 1, kernel, kernel)
            window = window.reshape(count, groups, channels // groups, kernel, kernel)
            output[:, :, y, x] = (window * weights).sum((3, 4)).flatten(1)
    return output


def test_carafe(kernels, by):
    inputs = torch.rand(2, 4, 3, 5), torch.rand(2, 2 * 9, 6, 10)
    expected = with_gradients(reassembled_by_loop, inputs, 3, 2, 2)
    assert_all_close(by(kernels, with_gradients, carafe, inputs, 3, 2, 2), expected)
    output, grads = torch.zeros(2, 4, 6, 10), [torch.zeros_like(each) for each in inputs]
    carafe_naive_forward(*inputs, output, kernel_size=3, group_size=2, scale_factor=2)
    weights = torch.linspace(0.5, 1.5, output.numel()).view_as(output)
    carafe_naive_backward(weights, *inputs, *grads, kernel_size=3, group_size=2, scale_factor=2)
    assert_all_close([output, *grads], expected)


@pytest.mark.parametrize('psa_type', [0, 1])
@pytest.mark.parametrize('size', [(5, 3), (9, 11)])
def test_psa_mask(compiled, kernels, by, psa_type, size):
    args = psa_mask, (torch.rand(2, size[0] * size[1], 4, 6),), psa_type, size
    assert_all_close(*(by(each, with_gradients, *args) for each in (kernels, compiled)))


def test_psa_mask_by_hand(kernels, by):
    """A mask of three columns on a map of one row: left, itself, right."""
    masks = torch.tensor([[1.0, 2], [3, 4], [5, 6]]).view(1, 3, 1, 2)
    collected = by(kernels, psa_mask, masks, 0, (1, 3))
    # pixel 0 sees itself by 3 and its right by 5; pixel 1 its left by 2 and itself by 4
    assert collected.view(2, 2).tolist() == [[3, 2], [5, 4]]
    assert by(kernels, psa_mask, masks, 1, (1, 3)).view(2, 2).tolist() == [[3, 5], [2, 4]]
