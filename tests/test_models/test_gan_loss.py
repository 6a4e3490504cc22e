"""Adversarial losses and penalties, against values worked out by hand."""

import math

import pytest
import torch
from torch import nn

from mmforecast.models.losses import GANLoss, gradient_penalty, penalty_loss, r1_penalty

LOGITS = torch.tensor([[0.5], [-2.0]])


def bce(logit, label):
    p = 1 / (1 + math.exp(-logit))
    return -label * math.log(p) - (1 - label) * math.log(1 - p)


@pytest.mark.parametrize(
    'gan_type, real, is_disc, terms',
    [
        ('vanilla', True, True, [bce(0.5, 1), bce(-2, 1)]),
        ('vanilla', False, True, [bce(0.5, 0), bce(-2, 0)]),
        ('vanilla', True, False, [bce(0.5, 1), bce(-2, 1)]),
        ('lsgan', True, True, [0.25, 9]),
        ('lsgan', False, True, [0.25, 4]),
        ('hinge', True, True, [0.5, 3]),
        ('hinge', False, True, [1.5, 0]),
        ('hinge', True, False, [-0.5, 2]),
        ('wgan', True, True, [-0.5, 2]),
        ('wgan', False, True, [0.5, -2]),
        ('wgan', True, False, [-0.5, 2]),
    ],
)
def test_hand_values(gan_type, real, is_disc, terms):
    loss = GANLoss(gan_type)(LOGITS, real, is_disc)
    assert loss.item() == pytest.approx(sum(terms) / 2, rel=1e-6)


def test_saturating_loss_is_that_of_the_first_gans():
    """log(1 - D(G(z))): the negative of the discriminator's loss, with a gradient that vanishes."""
    loss = GANLoss(saturating=True)
    assert loss(LOGITS, True).item() == pytest.approx((-bce(0.5, 0) - bce(-2, 0)) / 2, rel=1e-6)
    for real in (True, False):
        assert loss(LOGITS, real, is_disc=True) == GANLoss()(LOGITS, real, is_disc=True)
    slopes = {}
    for saturating in (False, True):
        certain = torch.tensor([[-8.0]], requires_grad=True)
        GANLoss(saturating=saturating)(certain, True).backward()
        slopes[saturating] = certain.grad.item()
    # -(1 - s(x)) and -s(x)
    assert slopes[False] == pytest.approx(-1, abs=1e-3) and slopes[True] == pytest.approx(
        -math.exp(-8), rel=1e-3
    )
    with pytest.raises(ValueError, match="saturating=True is for gan_type='vanilla', got 'hinge'"):
        GANLoss('hinge', saturating=True)


def test_smoothed_labels_are_the_discriminators_only():
    loss = GANLoss(real_label_val=0.9)
    assert loss(LOGITS[:1], True, True).item() == pytest.approx(bce(0.5, 0.9))
    assert loss(LOGITS[:1], True, False).item() == pytest.approx(bce(0.5, 1))


def test_weight_is_the_generators_only():
    loss, plain = GANLoss(loss_weight=0.05), GANLoss()
    assert torch.equal(loss(LOGITS, True, True), plain(LOGITS, True, True))
    torch.testing.assert_close(loss(LOGITS, True), 0.05 * plain(LOGITS, True))


def test_scales_are_summed():
    loss = GANLoss()
    parts = [LOGITS, LOGITS[:1] + 1]
    torch.testing.assert_close(loss(parts, True), sum(loss(part, True) for part in parts))


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(gan_type='gan'), 'gan_type must be one of'),
        (dict(real_label_val=1.2), 'labels of cross-entropy must be'),
        (dict(real_label_val=0.0), 'labels of cross-entropy must be'),
    ],
)
def test_refuses(kwargs, message):
    with pytest.raises(ValueError, match=message):
        GANLoss(**kwargs)


def test_penalties_of_a_linear_critic():
    critic = nn.Linear(3, 1)
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[1.0, 2.0, 2.0]]))  # gradient of norm 3 everywhere
    real, fake = torch.randn(4, 3), torch.randn(4, 3)
    assert gradient_penalty(critic, real, fake).item() == pytest.approx(4)
    assert r1_penalty(critic, real).item() == pytest.approx(4.5)
    penalty_loss('gp', critic, real, fake).backward()
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    torch.testing.assert_close(critic.weight.grad, 4 / 3 * critic.weight.detach())
    assert penalty_loss(None, critic, real, fake) is None
    assert penalty_loss('r1', critic, real, fake).item() == pytest.approx(4.5)


def test_gradient_penalty_lies_between_real_and_fake():
    seen = []

    def critic(images):
        seen.append(images.detach())
        return images.square().sum(1)

    gradient_penalty(critic, torch.full((50, 2), 5.0), torch.zeros(50, 2))
    share = seen[0] / 5
    assert (share >= 0).all() and (share <= 1).all() and share.std() > 0.1
    torch.testing.assert_close(share[:, 0], share[:, 1])  # one point per image
