"""Focal losses and deformable attention, which mmcv has compiled for GPUs alone."""

import pytest
import torch
import torch.nn.functional as F
from mmcv.ops import sigmoid_focal_loss, softmax_focal_loss
from mmcv.ops.multi_scale_deform_attn import (
    MultiScaleDeformableAttnFunction,
    multi_scale_deformable_attn_pytorch,
)
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss


def gradient(function, logits, *args):
    logits = logits.clone().requires_grad_()
    output = function(logits, *args)
    weights = torch.linspace(0.5, 1.5, output.numel()).view_as(output)
    (found,) = torch.autograd.grad((output * weights).sum(), logits)
    return output.detach(), found


@pytest.mark.parametrize('gamma, alpha', [(2.0, 0.25), (0.0, 0.5), (1.5, 0.9)])
def test_sigmoid_focal_loss_is_that_of_mmdet(kernels, by, gamma, alpha):
    logits = torch.randn(20, 4, dtype=torch.float64) * 3
    target = torch.randint(0, 5, (20,))  # 4 is background
    expected = gradient(
        lambda x: py_sigmoid_focal_loss(x, F.one_hot(target, 5)[:, :4], None, gamma, alpha, 'none'), logits
    )
    found = by(kernels, gradient, sigmoid_focal_loss, logits, target, gamma, alpha, None, 'none')
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_sigmoid_focal_loss_weighs_classes(kernels, by):
    logits, target = torch.randn(6, 2), torch.tensor([0, 1, 2, 0, 1, 2])
    weight = torch.tensor([2.0, 3])
    plain, weighted = (
        by(kernels, gradient, sigmoid_focal_loss, logits, target, 2.0, 0.25, each, 'none')
        for each in (None, weight)
    )
    factor = torch.tensor([2.0, 3, 1, 2, 3, 1])[:, None]
    for one, other in zip(weighted, plain):
        torch.testing.assert_close(one, other * factor)


def test_sigmoid_focal_loss_of_extreme_logits_is_finite(kernels, by):
    logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0]])
    for found in by(
        kernels, gradient, sigmoid_focal_loss, logits, torch.tensor([0, 0]), 2.0, 0.25, None, 'none'
    ):
        assert found.isfinite().all()


@pytest.mark.parametrize('gamma, alpha', [(2.0, 0.25), (1.0, 0.5)])
def test_softmax_focal_loss_is_its_formula(kernels, by, gamma, alpha):
    logits, target = torch.randn(20, 4), torch.randint(0, 4, (20,))

    def formula(x):
        p = x.softmax(1).gather(1, target[:, None]).squeeze(1)
        return -alpha * (1 - p) ** gamma * p.log()

    expected = gradient(formula, logits)[0]
    assert torch.allclose(
        by(kernels, softmax_focal_loss, logits, target, gamma, alpha, None, 'none'), expected
    )
    ours = logits.clone().requires_grad_()
    theirs = logits.clone().requires_grad_()
    (found,) = by(kernels, sum_gradient, ours, target, gamma, alpha)
    torch.testing.assert_close(
        found, torch.autograd.grad(formula(theirs).sum(), theirs)[0], rtol=1e-5, atol=1e-6
    )


def sum_gradient(logits, target, gamma, alpha, weight=None):
    return torch.autograd.grad(softmax_focal_loss(logits, target, gamma, alpha, weight, 'sum'), logits)


def test_softmax_focal_loss_weighs_classes(kernels, by):
    logits, target = torch.randn(3, 2), torch.tensor([0, 1, 1])
    loss = {}
    for name, weight in dict(plain=None, weighted=torch.tensor([2.0, 3])).items():
        loss[name] = by(kernels, softmax_focal_loss, logits, target, 2.0, 0.25, weight, 'none')
    assert torch.allclose(loss['weighted'], loss['plain'] * torch.tensor([2.0, 3, 3]))


def test_deformable_attention_is_that_of_the_cpu(kernels, by):
    shapes = torch.tensor([[4, 6], [2, 3]])
    value = torch.rand(2, 30, 2, 8)
    locations, weights = torch.rand(2, 5, 2, 2, 3, 2) * 1.2 - 0.1, torch.rand(2, 5, 2, 2, 3)
    starts = torch.tensor([0, 24])

    def run(function):
        inputs = [each.clone().requires_grad_() for each in (value, locations, weights)]
        output = function(*inputs)
        return output, *torch.autograd.grad((output * torch.linspace(0, 1, 160).view_as(output)).sum(), inputs)

    expected = run(lambda *each: multi_scale_deformable_attn_pytorch(each[0], shapes, *each[1:]))
    found = by(
        kernels,
        run,
        lambda *each: MultiScaleDeformableAttnFunction.apply(each[0], shapes, starts, *each[1:], 64),
    )
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other)
