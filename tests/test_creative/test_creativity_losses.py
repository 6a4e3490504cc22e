import math

import pytest
import torch
import torch.nn as nn
from mmengine.logging import MessageHub

from mmforecast.creative.losses import (
    AttributeClassificationLoss,
    CreativityLoss,
    MaskReconstructionLoss,
    attribute_cross_entropy,
    can_loss,
    holistic_loss,
    mask_reconstruction_loss,
    normalized_entropy,
    ramp_weight,
    sharma_mittal,
)
from mmforecast.registry import MODELS

FLAT7 = torch.zeros(1, 7, dtype=torch.float64)
PEAKED7 = torch.tensor([[3.0, 0, 0, 0, 0, 0, 0]], dtype=torch.float64)
FLAT25 = torch.zeros(1, 25, dtype=torch.float64)


def coin(p):
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


@pytest.mark.parametrize(
    'logits, sigmoid, softmax, holistic',
    [
        (FLAT7, 4.852030, 2.870814, 1.945910),
        (PEAKED7, 6.778899, 4.293518, 2.832809),
        (FLAT25, 17.328680, 4.198603, 3.218876),
    ],
    ids=['flat7', 'peaked7', 'flat25'],
)
def test_known_values(logits, sigmoid, softmax, holistic):
    assert can_loss(logits, 'sigmoid').item() == pytest.approx(sigmoid, abs=1e-6)
    assert can_loss(logits, 'softmax').item() == pytest.approx(softmax, abs=1e-6)
    assert holistic_loss(logits).item() == pytest.approx(holistic, abs=1e-6)


def test_values_in_closed_form():
    assert can_loss(FLAT7, 'sigmoid').item() == pytest.approx(7 * math.log(2))
    assert can_loss(FLAT7, 'softmax').item() == pytest.approx(7 * coin(1 / 7))
    assert holistic_loss(FLAT7).item() == pytest.approx(math.log(7))


@pytest.mark.parametrize(
    'alpha, beta, expected',
    [(1, 1, 0.994492), (0.5, 1, 0.508031), (0.5, 0.5, 0.448641)],
    ids=['KL(p||u)', 'Renyi', 'Tsallis'],
)
def test_known_divergences(alpha, beta, expected):
    assert sharma_mittal(PEAKED7, alpha, beta).item() == pytest.approx(expected, abs=1e-6)
    assert sharma_mittal(FLAT7, alpha, beta).item() == pytest.approx(0, abs=1e-12)
    # KL(u||p) is what the holistic form adds to ln K.
    assert holistic_loss(PEAKED7).item() - math.log(7) == pytest.approx(0.886899, abs=1e-6)


def test_half_and_half_is_the_bhattacharyya_form():
    logits = torch.randn(5, 7, dtype=torch.float64)
    overlap = (logits.softmax(1) / 7).sqrt().sum(1)
    assert sharma_mittal(logits, 0.5, 0.5).item() == pytest.approx((2 * (1 - overlap)).mean().item())


@pytest.mark.parametrize('beta', [0.3, 1.7, 3.0])
def test_alpha_1_is_the_limit_of_the_general_form(beta):
    near = sharma_mittal(PEAKED7, 1 + 2e-4, beta).item()
    assert sharma_mittal(PEAKED7, 1, beta).item() == pytest.approx(near, rel=1e-3)


@pytest.mark.parametrize('alpha', [0.3, 0.7, 2.0])
def test_beta_1_and_beta_alpha_are_limits_of_the_general_form(alpha):
    near = sharma_mittal(PEAKED7, alpha, 1 + 2e-4).item()
    assert sharma_mittal(PEAKED7, alpha, 1).item() == pytest.approx(near, rel=1e-3)
    mass = (PEAKED7.softmax(1) ** alpha * 7 ** (alpha - 1)).sum()
    tsallis = (mass - 1) / (alpha - 1)
    assert sharma_mittal(PEAKED7, alpha, alpha).item() == pytest.approx(tsallis.item())


@pytest.mark.parametrize('alpha', [0.2, 0.5, 1.0, 2.0])
@pytest.mark.parametrize('beta', [0.2, 0.9999, 1.0, 2.0])
def test_divergences_are_zero_only_at_the_uniform_answer(alpha, beta):
    logits = torch.randn(50, 6, dtype=torch.float64) * 3
    each = torch.stack([sharma_mittal(row[None], alpha, beta) for row in logits])
    assert (each > 1e-4).all()
    assert abs(sharma_mittal(torch.full((1, 6), 2.5).double(), alpha, beta).item()) < 1e-12


@pytest.mark.parametrize('alpha, beta', [(0.5, 0.9999), (1, 1), (2.0, 0.5), (0.2, 0.8)])
def test_divergences_of_huge_logits_are_finite_with_their_gradient(alpha, beta):
    logits = torch.tensor([[300.0, -300.0, 0.0]], requires_grad=True)
    value = sharma_mittal(logits, alpha, beta)
    value.backward()
    assert value.isfinite() and logits.grad.isfinite().all()


SHIFT_BLIND = [
    lambda x: can_loss(x, 'softmax'),
    holistic_loss,
    lambda x: sharma_mittal(x, 0.5, 0.9999),
    lambda x: sharma_mittal(x, 1, 1),
]


@pytest.mark.parametrize('loss', SHIFT_BLIND)
def test_softmax_forms_ignore_a_shift_and_the_order_of_classes(loss):
    logits = torch.randn(4, 5, dtype=torch.float64)
    shift = torch.randn(4, 1, dtype=torch.float64) * 5
    assert loss(logits + shift).item() == pytest.approx(loss(logits).item())
    assert loss(logits.flip(1)).item() == pytest.approx(loss(logits).item())


def test_the_sigmoid_form_is_lowered_by_a_shift():
    """The documented leak: the answer is as certain as before."""
    logits = torch.tensor([[6.0, 0, 0, 0, 0, 0, 0]])
    shifted = logits - 3
    assert torch.allclose(logits.softmax(1), shifted.softmax(1))
    assert can_loss(shifted, 'sigmoid') < can_loss(logits, 'sigmoid') - 1


def test_gradient_of_the_holistic_form_is_softmax_minus_uniform():
    logits = torch.randn(3, 7, dtype=torch.float64, requires_grad=True)
    holistic_loss(logits).backward()
    expected = (logits.softmax(1) - 1 / 7) / 3
    torch.testing.assert_close(logits.grad, expected.detach())


@pytest.mark.parametrize('classes', [2, 7, 25])
def test_the_sigmoid_form_is_smallest_at_minus_log_of_k_minus_1(classes):
    lowest = -math.log(classes - 1)
    logits = torch.full((1, classes), lowest, dtype=torch.float64, requires_grad=True)
    loss = can_loss(logits, 'sigmoid')
    loss.backward()
    assert logits.grad.abs().max() < 1e-12
    assert loss.item() == pytest.approx(classes * coin(1 / classes))


@pytest.mark.parametrize('loss', SHIFT_BLIND)
def test_descent_on_the_softmax_forms_ends_at_the_uniform_answer(loss):
    logits = torch.tensor([[2.0, -1.0, 0.5, 0.0]], dtype=torch.float64, requires_grad=True)
    for _ in range(400):
        (grad,) = torch.autograd.grad(loss(logits), logits)
        logits = (logits - 2 * grad).detach().requires_grad_()
    assert (logits.softmax(1) - 0.25).abs().max() < 1e-3


def test_normalized_entropy():
    assert normalized_entropy(FLAT7).tolist() == pytest.approx([1.0])
    certain = torch.tensor([[80.0, 0.0]])
    half = torch.tensor([[0.0, 0.0, -200.0, -200.0]])  # two of four classes
    assert normalized_entropy(certain).item() == pytest.approx(0, abs=1e-6)
    assert normalized_entropy(half).item() == pytest.approx(0.5)


@pytest.mark.parametrize('iteration, weight', [(0, 0), (2000, 0), (2500, 0.25), (4000, 1), (9000, 1)])
def test_ramp(iteration, weight):
    assert ramp_weight(iteration, (2000, 4000)) == weight
    assert ramp_weight(iteration, None) == 1
    assert ramp_weight(iteration, (2500, 2500)) == float(iteration >= 2500)


def test_loss_ramps_with_the_runners_iteration():
    logits = dict(shape=PEAKED7)
    loss = CreativityLoss(mode='can_h', ramp=(2000, 4000), loss_weight=2)
    hub = MessageHub.get_instance('test_ramp')
    for iteration, share in ((1999, 0), (3000, 0.5), (4000, 1)):
        hub.update_info('iter', iteration)
        expected = pytest.approx(2 * share * 2.832809, abs=1e-5)
        assert loss(logits=logits).item() == expected
        assert loss(logits=logits, iteration=iteration).item() == expected
    # What mmagic's GANs hand over.
    assert loss(dict(cls_pred_fake_g=logits, iteration=3000)).item() == pytest.approx(2.832809)


def test_branches_add_up_and_choose():
    logits = dict(shape=PEAKED7, texture=FLAT25)
    both = CreativityLoss(mode='can_h')(logits=logits, iteration=0).item()
    assert both == pytest.approx(2.832809 + 3.218876, abs=1e-5)
    one = CreativityLoss(mode='can', prob='sigmoid', branches=('texture',))
    assert one(logits=logits, iteration=0).item() == pytest.approx(17.328678, abs=1e-5)
    with pytest.raises(ValueError, match="deviates from .'texture'.*classifies .'shape'"):
        one(logits=dict(shape=PEAKED7), iteration=0)
    with pytest.raises(ValueError, match='classifies none'):
        CreativityLoss()(logits={}, iteration=0)


@pytest.mark.parametrize(
    'kwargs, sentence',
    [
        (dict(mode='mce'), "mode must be one of .* got 'mce'"),
        (dict(prob='sparsemax'), "prob must be one of .* got 'sparsemax'"),
        (dict(alpha=0), 'alpha must be above 0, got 0'),
        (dict(branches='shape'), "branches must be a sequence .* got 'shape'"),
        (dict(branches=()), 'branches must be a sequence'),
        (dict(ramp=(4000, 2000)), r'ramp must be \(begin, end\) .* got \(4000, 2000\)'),
        (dict(loss_weight=-1), 'loss_weight must be 0 or more, got -1'),
        (dict(loss_name='creativity'), "loss_name must start with 'loss_'"),
        (dict(data_info=dict(pred='x')), r"data_info has unknown names \['pred'\]"),
    ],
)
def test_creativity_loss_refuses(kwargs, sentence):
    with pytest.raises(ValueError, match=f'CreativityLoss: {sentence}'):
        MODELS.build(dict(type='CreativityLoss', **kwargs))


def test_outputs_without_a_key_are_named():
    with pytest.raises(ValueError, match=r"reads \['cls_pred_fake_g'\] from the outputs"):
        CreativityLoss()(dict(iteration=0))


def test_missing_labels_are_left_out():
    logits = torch.randn(4, 3, requires_grad=True)
    labels = torch.tensor([2, -1, 0, -1])
    loss = attribute_cross_entropy(logits, labels)
    expected = nn.functional.cross_entropy(logits[[0, 2]], labels[[0, 2]])
    assert loss.item() == pytest.approx(expected.item())
    loss.backward()
    assert (logits.grad[[1, 3]] == 0).all() and (logits.grad[[0, 2]] != 0).all()


def test_a_batch_without_labels_is_an_exact_zero_with_a_graph():
    logits = torch.randn(4, 3, requires_grad=True)
    loss = attribute_cross_entropy(logits, torch.full((4,), -1))
    assert loss.item() == 0
    loss.backward()
    assert (logits.grad == 0).all()


def test_classification_sums_over_its_branches():
    logits = dict(shape=torch.randn(4, 3), texture=torch.randn(4, 2))
    labels = dict(shape=torch.tensor([0, 1, 2, -1]), texture=torch.tensor([1, -1, -1, 0]))
    each = {name: attribute_cross_entropy(logits[name], labels[name]).item() for name in logits}
    both = AttributeClassificationLoss(loss_weight=0.5)
    expected = pytest.approx(0.5 * sum(each.values()))
    assert both(dict(cls_pred_real=logits, gt_labels=labels)).item() == expected
    one = AttributeClassificationLoss(
        branches=('texture',), data_info=dict(logits='cls_pred_fake_g', labels='fake_labels')
    )
    outputs = dict(cls_pred_fake_g=logits, fake_labels=labels)
    assert one(outputs).item() == pytest.approx(each['texture'])


def test_classification_refuses():
    logits, labels = torch.zeros(2, 3), torch.tensor([0, 3])
    with pytest.raises(ValueError, match=r'must lie in 0..2, or be -1 where missing, got 0..3'):
        attribute_cross_entropy(logits, labels)
    loss = AttributeClassificationLoss()
    with pytest.raises(ValueError, match=r"data has labels of \['style'\], not 'shape'"):
        loss(logits=dict(shape=logits), labels=dict(style=labels))
    with pytest.raises(ValueError, match='needs a discriminator with attributes'):
        loss(logits={}, labels={})
    with pytest.raises(ValueError, match='branches must be a sequence'):
        AttributeClassificationLoss(branches='shape')


def test_mask_reconstruction_by_hand():
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    perfect = (2 * mask - 1).expand(1, 3, 2, 2)
    assert mask_reconstruction_loss(perfect, mask).item() == 0
    # Gray is 1 away everywhere; one channel of three off by 2 in one of four pixels is 2/12.
    assert mask_reconstruction_loss(torch.zeros(1, 3, 2, 2), mask).item() == 1
    wrong = perfect.clone()
    wrong[0, 1, 0, 0] = -1
    assert mask_reconstruction_loss(wrong, mask.bool()).item() == pytest.approx(2 / 12)
    with pytest.raises(ValueError, match=r'mask must have shape \(1, 1, 4, 4\), got \(1, 1, 2, 2\)'):
        mask_reconstruction_loss(torch.zeros(1, 3, 4, 4), mask)


class ToyGenerator(nn.Module):
    noise_size = 5

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.seen = None

    def forward(self, noise, condition):
        self.seen = noise
        return self.norm(2 * condition.float() - 1).expand(-1, 3, -1, -1)


def test_mask_loss_gives_null_noise_and_leaves_running_statistics_alone():
    generator, mask = ToyGenerator(), torch.rand(4, 1, 6, 6) > 0.3
    loss = MaskReconstructionLoss(loss_weight=3)
    value = loss(dict(gen=generator, mask=mask))
    assert generator.seen.shape == (4, 5) and (generator.seen == 0).all()
    assert (generator.norm.running_mean == 0).all() and (generator.norm.running_var == 1).all()
    expected = mask_reconstruction_loss(generator(generator.seen, mask), mask)
    assert value.item() == pytest.approx(3 * expected.item(), rel=1e-5)
    assert (generator.norm.running_mean != 0).all()  # outside it statistics are averaged again
    with pytest.raises(ValueError, match="condition='mask'"):
        loss(dict(gen=generator, mask=None))
